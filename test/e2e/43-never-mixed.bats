#!/usr/bin/env bats
# What must never be mixed. Each pair runs at the same time, and each of the two sees
# its own. Where one and the same launch would meet is shown first, so that being
# apart proves something.

# Scripts for shells further in stand in single quotes; each test is a subshell.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154,SC2317

load helpers
load squashfs
load ranks

setup() {
    ranks_setup
    make_source
}
teardown() { ranks_teardown; }

# apart A B: two user namespaces, with all that follows.
apart() { assert_different "$(userns "$1")" "$(userns "$2")"; }

# own_views A B: met, but each in a view of its own.
own_views() {
    assert_same "$(userns "$1")" "$(userns "$2")" || return
    assert_different "$(mountns "$1")" "$(mountns "$2")"
}

together() { assert_same "$(namespaces "$1")" "$(namespaces "$2")"; }

# --- who meets whom ------------------------------------------------------------------

# environments ONE OTHER: launches with the variables ONE ("A=1 B=2") meet, and none of OTHER's.
environments() {
    local -a one other
    unset CORACLE_SHARE
    read -ra one <<<"$1"
    read -ra other <<<"$2"
    start a env "${one[@]}" "$CORACLE" run "$IMAGE" && start b env "${other[@]}" "$CORACLE" run "$IMAGE" || return
    start c env "${one[@]}" "$CORACLE" run "$IMAGE" && start d env "${other[@]}" "$CORACLE" run "$IMAGE" || return
    together a c && together b d && apart a b
    local result=$?
    finish a b c d
    return $result
}

# Numbers that no real job of this user has.
numbers() {
    ONE=$((RANDOM * 32768 + RANDOM + 100000))
    TWO=$((ONE + 1))
}

jobs_apart() {
    environments "SLURM_JOB_ID=$ONE SLURM_STEP_ID=0" "SLURM_JOB_ID=$TWO SLURM_STEP_ID=0" &&
        environments "SLURM_JOB_ID=$ONE" "SLURM_JOB_ID=$TWO" &&
        environments "PBS_JOBID=$ONE.server" "PBS_JOBID=$TWO.server" &&
        environments "LSB_JOBID=$ONE" "LSB_JOBID=$TWO"
}

@test "two jobs" {
    numbers
    each_kind jobs_apart
}

steps_apart() {
    environments "SLURM_JOB_ID=$ONE SLURM_STEP_ID=0" "SLURM_JOB_ID=$ONE SLURM_STEP_ID=1" &&
        environments "SLURM_JOB_ID=$ONE SLURM_STEP_ID=1" "SLURM_JOB_ID=$ONE SLURM_STEP_ID=11" &&
        environments "SLURM_JOB_ID=$ONE" "SLURM_JOB_ID=$ONE SLURM_STEP_ID=0"
}

@test "two steps of a job" {
    numbers
    each_kind steps_apart
}

@test "two steps of a job meet where --share=job says so" {
    numbers
    image directory
    start a env CORACLE_SHARE=job SLURM_JOB_ID=$ONE SLURM_STEP_ID=0 "$CORACLE" run "$IMAGE"
    start b env CORACLE_SHARE=job SLURM_JOB_ID=$ONE SLURM_STEP_ID=1 "$CORACLE" run "$IMAGE"
    together a b
}

@test "two elements of a job array" {
    numbers
    image directory
    environments "LSB_JOBID=$ONE LSB_JOBINDEX=1" "LSB_JOBID=$ONE LSB_JOBINDEX=2"
    environments "PBS_JOBID=${ONE}[1].s" "PBS_JOBID=${ONE}[2].s"
}

@test "two mpiruns of a user, by what launchers set" {
    image directory
    environments "OMPI_MCA_ess_base_jobid=$((4242 << 16 | 1)) PMIX_NAMESPACE=$((4242 << 16 | 1)) PMIX_RANK=0" \
        "OMPI_MCA_ess_base_jobid=$((4243 << 16 | 1)) PMIX_NAMESPACE=$((4243 << 16 | 1)) PMIX_RANK=0"
    environments "PMIX_NAMESPACE=prterun-$KEY-4242@1" "PMIX_NAMESPACE=prterun-$KEY-4243@1"
    environments "PMI_PORT=node-$KEY:1 PMI_RANK=0" "PMI_PORT=node-$KEY:2 PMI_RANK=0"
    environments "SLURM_JOB_ID=77$RANDOM OMPI_MCA_ess_base_jobid=$((4242 << 16 | 1))" \
        "SLURM_JOB_ID=77$RANDOM OMPI_MCA_ess_base_jobid=$((4243 << 16 | 1))"
}

@test "two mpiruns of Open MPI in one session" {
    need mpirun
    # shellcheck disable=SC2016
    mpirun --version 2>/dev/null | grep -q 'Open MPI' || skip 'mpirun is not of Open MPI'
    image directory
    unset CORACLE_SHARE
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
    local run
    mkdir seen.1 seen.2 tmp.1 tmp.2
    for run in 1 2; do
        # Two that begin at once are in each other's way in a common folder.
        TMPDIR=$PWD/tmp.$run timeout 60 mpirun --oversubscribe -np 2 "$CORACLE" run "$IMAGE" -- sh -c '
            { readlink /proc/self/ns/user; readlink /proc/self/ns/mnt; } >"$1/$$"
            until test -e "$2"; do sleep 0.1; done' sh "$PWD/seen.$run" "$PWD/gate" >"mpirun.$run" 2>&1 </dev/null 3>&- &
    done
    within 300 eval '[[ $(ls seen.1 | wc -l) -eq 2 && $(ls seen.2 | wc -l) -eq 2 ]]' || report "$(cat mpirun.*)"
    touch gate
    wait
    assert_equal "$(cat seen.1/* | sort -u | wc -l)" 2
    assert_equal "$(cat seen.2/* | sort -u | wc -l)" 2
    assert_equal "$(cat seen.?/* | sort -u | wc -l)" 4
}

@test "two sessions" {
    image directory
    unset CORACLE_SHARE
    start a setsid "$CORACLE" run "$IMAGE"
    start b setsid "$CORACLE" run "$IMAGE"
    apart a b
}

@test "as root: two users" {
    is_root || skip 'only root is two users'
    need setpriv
    chmod 755 "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR" "$BATS_RUN_TMPDIR/test" || true
    chmod 777 "$PWD"
    each_kind users_apart
}

users_apart() {
    local user
    for user in 12345 54321; do
        start "u$user" setpriv --reuid $user --regid 12345 --clear-groups env HOME=/ XDG_RUNTIME_DIR=/nowhere \
            "$CORACLE" run "$IMAGE" || return
    done
    start root "$CORACLE" run "$IMAGE" || return
    apart u12345 u54321 && apart u12345 root || return
    assert_equal "$(ask u12345 id -u) $(ask u54321 id -u) $(ask root id -u)" '12345 54321 0' || return
    assert_equal "$(brokers | wc -l)" 3
}

@test "as root: two primary groups of a user" {
    is_root || skip 'only root has another group at will'
    need setpriv
    image directory
    chmod 755 "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR" "$BATS_RUN_TMPDIR/test" || true
    chmod 777 "$PWD"
    local group
    for group in 12345 54321; do
        start "g$group" setpriv --reuid 12345 --regid $group --clear-groups env HOME=/ XDG_RUNTIME_DIR=/nowhere \
            "$CORACLE" run "$IMAGE"
    done
    apart g12345 g54321
    assert_equal "$(ask g12345 id -g) $(ask g54321 id -g)" '12345 54321'
}

ids_apart() {
    start a "$CORACLE" run "$IMAGE" && start b "$CORACLE" run --uid 31337 "$IMAGE" || return
    start c "$CORACLE" run --uid 31337 "$IMAGE" && start d "$CORACLE" run --gid 31337 "$IMAGE" || return
    together b c && apart a b && apart a d && apart b d || return
    assert_equal "$(ask a id -u) $(ask b id -u) $(ask d id -u)" "$(id -u) 31337 $(id -u)" || return
    assert_equal "$(ask a id -g) $(ask b id -g) $(ask d id -g)" "$(id -g) $(id -g) 31337"
}

@test "another id inside" { each_kind ids_apart; }

root_alone() {
    local rank
    start a "$CORACLE" run "$IMAGE" && start b "$CORACLE" run --root "$IMAGE" || return
    start c "$CORACLE" run --root "$IMAGE" && start d "$CORACLE" run --uid 0 --gid 0 "$IMAGE" || return
    assert_equal "$(for rank in a b c; do userns $rank; done | sort -u | wc -l)" 3 || return
    apart b d && apart c d || return
    [[ $(ask b 'sed -n "s/CapEff:.//p" /proc/self/status') != 0000000000000000 ]] || report 'root is none' || return
    assert_equal "$(ask a 'sed -n "s/CapEff:.//p" /proc/self/status')" 0000000000000000 || return
    assert_equal "$(ask d 'sed -n "s/CapEff:.//p" /proc/self/status')" 0000000000000000
}

@test "--root is alone, whatever is asked" { each_kind root_alone; }

@test "another user namespace" {
    image directory
    start a "$CORACLE" run "$IMAGE"
    start b unshare -U --map-user="$(id -u)" --map-group="$(id -g)" -- "$CORACLE" run "$IMAGE"
    start c unshare -U --map-user="$(id -u)" --map-group="$(id -g)" -- "$CORACLE" run "$IMAGE"
    apart a b
    apart b c
    assert_equal "$(cat ./*.err)" ''
    assert_equal "$(brokers | wc -l)" 3
}

@test "two builds of Coracle" {
    local id offset
    is_sanitized && skip 'the same in the other builds'
    id=$(readelf -n "$PROGRAM" | sed -n 's/.*Build ID: //p')
    [[ $id ]] || skip 'this build has no build id'
    mkdir other
    cp "${PROGRAM%/*}"/coracle* other/ 2>/dev/null || true
    # readelf: "[ 2] .note.gnu.build-id NOTE ADDRESS OFFSET": 16 bytes in front of the id.
    offset=$(readelf -WS "$PROGRAM" | sed -n 's/.*\.note\.gnu\.build-id *NOTE *[0-9a-f]* *\([0-9a-f]*\).*/\1/p')
    printf '\x5a\x5a\x5a\x5a' | put other/coracle $((0x$offset + 16))
    [[ $(readelf -n other/coracle | sed -n 's/.*Build ID: //p') == "5a5a5a5a${id:8}" ]]
    each_kind builds_apart
}

builds_apart() {
    start a "$CORACLE" run "$IMAGE" && start b other/coracle run "$IMAGE" || return
    start c other/coracle run "$IMAGE" || return
    together b c && apart a b || return
    assert_equal "$(brokers | wc -l)" 2
}

# --- the image ---------------------------------------------------------------------------

# The same name, other content, while the first is run.
replaced_file() {
    image squashfs
    start a "$CORACLE" run "$IMAGE"
    local name=$IMAGE
    echo 'other name' >"$TREE/etc/image-release"
    pack "$PWD/replacement"
    "$@" "$PWD/replacement" "$name"
    IMAGE=$name
    start b "$CORACLE" run "$IMAGE"
    start c "$CORACLE" run "$IMAGE"
    assert_equal "$(ask a cat /etc/image-release)" 'image name'
    assert_equal "$(ask b cat /etc/image-release)" 'other name'
    own_views a b
    together b c
}

@test "the file of an image is replaced by rename between two ranks" {
    need_squashfs
    replaced_file mv
    assert_equal "$(servers "$IMAGE" | wc -l)" 2
}

@test "two images of one size and one time" {
    need_squashfs
    image squashfs
    local first=$IMAGE
    tr m M <"$TREE/etc/image-release" >changed
    cat changed >"$TREE/etc/image-release"
    pack "$PWD/twin.sqfs"
    [[ $(stat -c %s "$first") -ge $(stat -c %s twin.sqfs) ]] || truncate -s "$(stat -c %s twin.sqfs)" "$first"
    truncate -s "$(stat -c %s "$first")" twin.sqfs
    touch -r "$first" twin.sqfs
    start a "$CORACLE" run "$first"
    start b "$CORACLE" run "$IMAGE"
    assert_equal "$(ask a cat /etc/image-release)" 'image name'
    assert_equal "$(ask b cat /etc/image-release)" 'iMage naMe'
    own_views a b
}

@test "the directory of an image is replaced between two ranks" {
    image directory
    cp -a "$TREE" other
    echo 'other name' >other/etc/image-release
    sleep 0.15
    start a "$CORACLE" run "$IMAGE"
    mv "$IMAGE" "$IMAGE.old"
    mv other "$IMAGE"
    start b "$CORACLE" run "$IMAGE"
    start c "$CORACLE" run "$IMAGE"
    assert_equal "$(ask a cat /etc/image-release)" 'image name'
    assert_equal "$(ask b cat /etc/image-release)" 'other name'
    own_views a b
    together b c
}

@test "one name leads to one image and then to another: by a link" {
    local kind
    cp -a "$TREE" other
    echo 'other name' >other/etc/image-release
    for kind in "${KINDS[@]}"; do
        image "$kind"
        local first=$IMAGE second=$PWD/other
        if [[ $kind == squashfs ]]; then
            (TREE=$PWD/other pack "$PWD/other.sqfs")
            second=$PWD/other.sqfs
        fi
        ln -sfn "$first" link
        start a "$CORACLE" run "$PWD/link"
        ln -sfn "$second" link
        start b "$CORACLE" run "$PWD/link"
        start c "$CORACLE" run "$second"
        assert_equal "$(ask a cat /etc/image-release)" 'image name' || return
        assert_equal "$(ask b cat /etc/image-release)" 'other name' || return
        own_views a b || return
        # What it is and not what it is called.
        together b c || return
        finish_all || return
    done
}

@test "a directory is what it is now: what is written to it is seen by all" {
    image directory
    start a "$CORACLE" run "$IMAGE"
    echo 'new name' >"$IMAGE/etc/image-release"
    echo new >"$IMAGE/opt/new"
    start b "$CORACLE" run "$IMAGE"
    assert_equal "$(ask b cat /etc/image-release /opt/new)" $'new name\nnew'
    assert_equal "$(ask a cat /etc/image-release /opt/new)" $'new name\nnew'
}

# An image that lacks a mount point has a copy of the list of names around it.
@test "a directory that the view had to assemble gets another entry between two ranks" {
    mkdir -p "$TREE/srv/there"
    echo one >"$TREE/srv/there/file"
    image directory
    local bind=(--bind "$SOURCE:/srv/missing")
    start a "$CORACLE" run "${bind[@]}" "$IMAGE"
    start b "$CORACLE" run "${bind[@]}" "$IMAGE"
    together a b
    mkdir "$IMAGE/srv/later"
    echo two >"$IMAGE/srv/later/file"
    start c "$CORACLE" run "${bind[@]}" "$IMAGE"
    assert_equal "$(ask c 'echo /srv/*; cat /srv/*/file')" $'/srv/later /srv/missing /srv/there\ntwo\nfrom the host\none'
    rm -r "$IMAGE/srv/there"
    start d "$CORACLE" run "${bind[@]}" "$IMAGE"
    assert_equal "$(ask d 'echo /srv/*')" '/srv/later /srv/missing'
    # At once, within what a clock of files tells apart.
    mkdir "$IMAGE/srv/at-once"
    start e "$CORACLE" run "${bind[@]}" "$IMAGE"
    assert_equal "$(ask e 'echo /srv/*')" '/srv/at-once /srv/later /srv/missing'
}

@test "the root of an image that the view had to assemble gets another entry between two ranks, many times" {
    image directory
    local i bind=(--bind "$SOURCE:/missing/place")
    start a "$CORACLE" run "${bind[@]}" "$IMAGE"
    rounds 300
    for ((i = 0; i < ROUNDS; i++)); do
        mkdir "$IMAGE/later.$i"
        coracle_run "${bind[@]}" -- test -d "/later.$i"
        assert_success || report "round $i" || return
    done
}

# --- what is bound ---------------------------------------------------------------------------

file_replaced() {
    echo old >"$SOURCE/bound"
    start a "$CORACLE" run --bind "$SOURCE/bound:/opt/data/file" "$IMAGE" || return
    start b "$CORACLE" run --bind "$SOURCE/bound:/opt/data/file" "$IMAGE" || return
    together a b || return
    echo new >"$SOURCE/bound.new"
    mv "$SOURCE/bound.new" "$SOURCE/bound"
    start c "$CORACLE" run --bind "$SOURCE/bound:/opt/data/file" "$IMAGE" || return
    own_views a c || return
    assert_equal "$(ask a cat /opt/data/file)" old || return
    assert_equal "$(ask c cat /opt/data/file)" new
}

@test "a file that is bound is replaced by rename between two ranks" { each_kind file_replaced; }

directory_made_again() {
    local bind=(--bind "$SOURCE:/opt/data")
    echo old >"$SOURCE/file"
    start a "$CORACLE" run "${bind[@]}" "$IMAGE" && start b "$CORACLE" run "${bind[@]}" "$IMAGE" || return
    together a b || return
    # Its number may be given to the next one.
    rm -r "$SOURCE"
    mkdir "$SOURCE"
    echo new >"$SOURCE/file"
    start c "$CORACLE" run "${bind[@]}" "$IMAGE" || return
    own_views a c || return
    assert_equal "$(ask c cat /opt/data/file)" new || return
    assert_equal "$(ask a 'ls /opt/data')" ''
}

@test "a directory that is bound is removed and made again between two ranks" { each_kind directory_made_again; }

made_again_in_linger() {
    local i bind=(--bind "$SOURCE:/opt/data")
    rounds 100
    for ((i = 0; i < ROUNDS; i++)); do
        rm -r "$SOURCE"
        mkdir "$SOURCE"
        echo "$i" >"$SOURCE/file"
        coracle_run "${bind[@]}" -- cat /opt/data/file
        assert_output "$i" || return
    done
}

@test "a directory is made again between launches, while the broker waits for the next, many times" {
    export CORACLE_LINGER=$((2000 * CORACLE_TEST_SLOWNESS))
    each_kind made_again_in_linger_ended
}

made_again_in_linger_ended() {
    made_again_in_linger "$@" || return
    one_broker || return
    kill "$BROKER"
}

link_changed() {
    mkdir -p one two
    echo one >one/file
    echo two >two/file
    ln -sfn "$PWD/one" link
    start a "$CORACLE" run --bind "$PWD/link:/opt/data" "$IMAGE" || return
    ln -sfn "$PWD/two" link
    start b "$CORACLE" run --bind "$PWD/link:/opt/data" "$IMAGE" || return
    own_views a b || return
    assert_equal "$(ask a cat /opt/data/file) $(ask b cat /opt/data/file)" 'one two'
}

@test "a link that is bound leads elsewhere between two ranks" { each_kind link_changed; }

options_differ() {
    mkdir -p one two
    local -a ways=("$PWD/one:/opt/data" "$PWD/two:/opt/data" "$PWD/one:/opt" "$PWD/one:/opt/data:ro" "$PWD/one:/opt/data:noexec")
    local i
    for i in "${!ways[@]}"; do start "r$i" "$CORACLE" run --bind "${ways[i]}" "$IMAGE" || return; done
    assert_equal "$(for i in "${!ways[@]}"; do mountns "r$i"; done | sort -u | wc -l)" "${#ways[@]}" || return
    assert_equal "$(for i in "${!ways[@]}"; do userns "r$i"; done | sort -u | wc -l)" 1 || return
    ask r0 'echo zero >/opt/data/mine' >/dev/null
    assert_equal "$(cat one/mine)" zero || return
    ask r3 'echo three >/opt/data/mine' >/dev/null
    assert_equal "$(cat one/mine)" zero
}

@test "two plans that differ by a source, a target or a flag" { each_kind options_differ; }

optional_source() {
    rm -rf maybe
    start a "$CORACLE" run --bind "$PWD/maybe:/opt/data:optional" "$IMAGE" || return
    mkdir maybe
    start b "$CORACLE" run --bind "$PWD/maybe:/opt/data:optional" "$IMAGE" || return
    own_views a b || return
    assert_equal "$(ask a 'ls /opt/data') $(ask b 'ls /opt/data')" 'file '
}

@test "an optional source appears between two ranks" { each_kind optional_source; }

homes_differ() {
    mkdir -p one two
    touch one/mine two/yours
    HOME=$PWD/one start a "$CORACLE" run --home="$PWD/one" "$IMAGE" || return
    start b "$CORACLE" run --home="$PWD/two" "$IMAGE" || return
    assert_equal "$(ask a 'ls $HOME') $(ask b 'ls $HOME')" 'mine yours'
}

@test "two homes" { each_kind homes_differ; }
