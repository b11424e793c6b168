#!/usr/bin/env bats
# Ranks that meet, where something is stopped, killed, scarce or taken: nobody hangs,
# a view is still the one that was asked for, and nothing is left.

# Scripts for shells further in stand in single quotes; each test is a subshell.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helpers
load squashfs

setup() {
    squashfs_setup
    seq 400000 >"$TREE/opt/late"
    mkdir -p "$TREE/opt/deep/down"
    pack "$BATS_TEST_TMPDIR/image.file"
    make_source
    export TREE
    new_key
}

teardown() {
    local process
    exec 8>&-
    for process in $(jobs -p) $(brokers) $(servers "$BATS_TEST_TMPDIR/image.file"); do
        kill -CONT "$process" 2>/dev/null || true
        kill -KILL "$process" 2>/dev/null || true
    done
    standard_teardown
}

# new_key: launches from now on meet under a name that nobody else has.
new_key() {
    KEY=faults-$BASHPID-$RANDOM$RANDOM
    export CORACLE_SHARE=$KEY
}

# brokers: the process ids of those of KEY.
brokers() {
    local file
    local -a words
    for file in /proc/[0-9]*/cmdline; do
        mapfile -d '' -t words 2>/dev/null <"$file" || continue
        [[ ${words[0]-} != coracle-broker || ${words[1]-} != "key $KEY" ]] || basename "$(dirname "$file")"
    done 2>/dev/null
}

no_broker() { [[ -z $(brokers) ]]; }

# all_gone: no broker, no server, no name, no mount.
all_gone() {
    within 30 no_broker && assert_nothing_left 30 || return
    if grep -F fuse.coracle /proc/self/mountinfo; then report 'a mount is left'; fi
}

has_ended() { ! kill -0 "$1" 2>/dev/null || grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null; }
is_stopped() { grep -q '^State:.[Tt]' "/proc/$1/status"; }

now_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }

# hold NAME [OPTION...]: a rank of IMAGE that says where it is, in NAME.out, and stays until `release NAME`.
# Its shell and programs are not the image's. Leaves its process in PROCESS.
hold() {
    local name=$1
    mkfifo "$name.gate"
    "$CORACLE" run "${@:2}" --bind "$TREE/bin:/tools:ro" --env PATH=/tools "$IMAGE" -- \
        /tools/sh -c 'readlink /proc/self/ns/user; echo ready; read -r _ <"$1.gate"' sh "$PWD/$name" \
        >"$name.out" 2>"$name.err" 3>&- &
    PROCESS=$!
    within 80 grep -q ready "$name.out" || {
        cat "$name.err"
        return 1
    }
}

release() { echo >"$1.gate"; }

# where NAME: the user namespace that it is in.
where() { head -n 1 "$1.out"; }

# quiet NAME: it said nothing on stderr.
quiet() { assert_equal "$(cat "$1.err")" ''; }

# timed COMMAND...: captures it; leaves TOOK, in milliseconds.
timed() {
    local begin
    begin=$(now_ms)
    capture timeout $((30 * CORACLE_TEST_SLOWNESS)) "$@"
    TOOK=$(($(now_ms) - begin))
}

took_between() {
    [[ $TOOK -ge $1 && $TOOK -le $(($2 * CORACLE_TEST_SLOWNESS)) ]] || report "took $TOOK ms, expected $1 to $2"
}

# --- stopped ---------------------------------------------------------------------------

# stop_building NAME OPTION...: a rank that is stopped when it attaches its first mount.
stop_building() {
    local name=$1 call=move_mount
    ! is_older_kernel || call=mount
    BEGAN=$(now_ms)
    strace -f -o /dev/null -e "trace=$call" -e "inject=$call:signal=SIGSTOP:when=1" \
        "$CORACLE" run "${@:2}" "$IMAGE" -- readlink /proc/self/ns/user >"$name.out" 2>"$name.err" 3>&- &
    STRACE=$!
    within 50 is_building_stopped
}

is_building_stopped() {
    STOPPED=$(pgrep -P "$STRACE" -x coracle) && is_stopped "$STOPPED"
}

# soon: whoever was timed has waited for that rank, but not for long. The broker may have seen it stopped
# before.
soon() {
    took_between 0 3500 || return
    [[ $(($(now_ms) - BEGAN)) -ge 1000 ]] || report 'expected a rank that is stopped for a second to be in the way'
}

# go_on_building STATUS: it goes on, and ends with STATUS.
go_on_building() {
    local got=0
    kill -CONT "$STOPPED"
    wait "$STRACE" || got=$?
    assert_equal "$got" "$1"
}

@test "the first is stopped while it builds: the next waiter leads, soon" {
    need strace pgrep
    stop_building stopped
    timed "$CORACLE" run "$IMAGE" -- cat /opt/late
    assert_success
    assert_equal "$stderr" ''
    soon
    go_on_building 0
    all_gone
}

@test "a builder is stopped: the next waiter builds, soon, in the common user namespace" {
    need strace pgrep
    hold holder
    for IMAGE in "$IMAGE" "$TREE"; do
        stop_building stopped --bind "$SOURCE:/run:ro"
        timed "$CORACLE" run --bind "$SOURCE:/run:ro" "$IMAGE" -- sh -c 'cat /run/file; readlink /proc/self/ns/user'
        assert_output "from the host
$(where holder)"
        assert_equal "$stderr" ''
        soon
        go_on_building 0
        assert_equal "$(cat stopped.out)" "$(where holder)"
    done
    IMAGE=$BATS_TEST_TMPDIR/image.file
    release holder
    wait "$PROCESS"
    all_gone
}

# `coracle exec` of other tests would warn of its broker.
# bats test_tags=alone
@test "the broker is stopped: a rank goes alone after a while, and says so" {
    hold holder
    kill -STOP "$(brokers)"
    timed "$CORACLE" run "$IMAGE" -- sh -c 'readlink /proc/self/ns/user; exit 7'
    assert_status 7
    assert_stderr_has 'this launch shares nothing with others: coracle-broker does not answer'
    [[ $output != "$(where holder)" ]]
    took_between 4500 8000
    kill -CONT "$(brokers)"
    capture "$CORACLE" run "$IMAGE" -- readlink /proc/self/ns/user
    assert_output "$(where holder)"
    release holder
    wait "$PROCESS"
    all_gone
}

# --- killed ----------------------------------------------------------------------------------

@test "the broker is killed: those inside go on, later ones start another and meet" {
    local broker first second
    hold first
    first=$PROCESS
    broker=$(brokers)
    kill -KILL "$broker"
    within 20 has_ended "$broker"
    hold second
    second=$PROCESS
    hold third
    quiet second && quiet third
    assert_equal "$(where second)" "$(where third)"
    [[ $(where first) != "$(where second)" ]]
    assert_equal "$(brokers | wc -l)" 1
    for name in first second third; do release $name; done
    wait "$first" "$second" "$PROCESS"
    all_gone
}

@test "the server is killed: those inside get errors and do not hang, later ones of the image work" {
    local server
    mkfifo in.gate
    "$CORACLE" run --bind "$TREE/bin:/tools:ro" --env PATH=/tools "$IMAGE" -- /tools/sh -c '
        echo ready; read -r _ <"$1/in.gate"; cat /opt/late >/dev/null || echo "failed $?"' sh "$PWD" >in.out 2>in.err 3>&- &
    PROCESS=$!
    within 50 grep -q ready in.out
    server=$(servers "$IMAGE")
    kill -KILL "$server"
    within 20 has_ended "$server"
    timed "$CORACLE" run "$IMAGE" -- cat /opt/late
    assert_success
    assert_equal "$(md5sum <<<"$output")" "$(md5sum <"$TREE/opt/late")"
    took_between 0 2000
    hold again
    capture "$CORACLE" run "$IMAGE" -- readlink /proc/self/ns/user
    assert_output "$(where again)"
    release in
    release again
    wait
    grep -q '^failed' in.out
    grep -qE 'Transport endpoint is not connected|Socket not connected' in.err
    all_gone
}

# --- taken names -------------------------------------------------------------------------------

# names: of the sockets of this user's brokers, without the "@".
names() { sed -n "s|.* @\(coracle/$(id -u)/.*\)|\1|p" /proc/net/unix | sort -u; }

# learn_name: the name that KEY's broker has, left in NAME.
learn_name() {
    local inode
    hold learn
    inode=$(readlink "/proc/$(brokers)/fd/3")
    NAME=$(awk -v inode="${inode//[!0-9]/}" '$7 == inode { print substr($8, 2) }' /proc/net/unix)
    [[ $NAME == coracle/*/0 ]]
    release learn
    wait "$PROCESS"
    all_gone
}

# squat PREFIX... -- WORD...: somebody takes NAME. Leaves SQUATTER.
squat() {
    local -a prefix=()
    while [[ $1 != -- ]]; do
        prefix+=("$1")
        shift
    done
    shift
    compile_into witness witness.c
    "${prefix[@]}" ./witness squat "$NAME" "$@" >squat.out 3>&- &
    SQUATTER=$!
    within 50 grep -q bound squat.out
}

meet_beside_squatter() {
    hold holder
    quiet holder
    timed "$CORACLE" run "$IMAGE" -- readlink /proc/self/ns/user
    assert_output "$(where holder)" || return
    assert_equal "$stderr" '' || return
    took_between 0 2000
    names | grep -qxF "${NAME%0}1"
    release holder
    wait "$PROCESS"
    kill "$SQUATTER"
    all_gone
}

@test "as root: another user has taken the name: the next one serves" {
    is_root || skip 'another user is needed: run as root'
    need setpriv
    learn_name
    chmod 755 "$BATS_TEST_TMPDIR"
    squat setpriv --reuid 65534 --regid 65534 --clear-groups --
    meet_beside_squatter
}

@test "a container of the same user has taken the name: the next one serves" {
    learn_name
    squat unshare -U --
    meet_beside_squatter
}

@test "the name is taken by one who does not listen: a launch works all the same" {
    learn_name
    squat -- deaf
    timed "$CORACLE" run "$IMAGE" -- true
    assert_success
    took_between 0 4000
    kill "$SQUATTER"
    all_gone
}

# --- scarce ----------------------------------------------------------------------------------------

# `coracle exec` of other tests would warn of its broker.
# bats test_tags=alone
@test "a broker with few descriptors: ranks beyond go alone, none hangs" {
    need prlimit
    local limit i alone=0
    local -a processes
    for limit in 8 20; do
        new_key
        processes=()
        rm -f many.* holder*
        hold holder
        prlimit --pid "$(brokers)" --nofile="$limit:$limit"
        for i in {1..20}; do
            "$CORACLE" run "$IMAGE" -- sleep 1 >/dev/null 2>"many.$i" 3>&- &
            processes+=($!)
        done
        for i in "${processes[@]}"; do
            timeout $((15 * CORACLE_TEST_SLOWNESS)) tail --pid="$i" -f /dev/null || report "hangs with $limit descriptors"
            wait "$i" || report "fails with $limit descriptors: $(cat many.*)"
        done
        alone=$((alone + $(cat many.* | grep -c 'shares nothing' || true)))
        assert_equal "$(cat many.* | grep -vc 'shares nothing' || true)" 0
        release holder
        wait "$PROCESS"
        all_gone
    done
    echo "# $alone of 40 went alone" >&3
    [[ $alone -gt 0 ]] || report 'there were descriptors enough'
}

@test "a rank with few descriptors: works or is refused, beside one who holds" {
    local count
    export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
    hold holder
    for count in 4 6 7 8 9 10 12 16 32; do
        [[ $count -ge 6 ]] || ! is_sanitized || continue
        timed bash -c 'ulimit -n "$1"; shift; exec "$@"' bash "$count" \
            "$CORACLE" run --bind "$SOURCE:/opt/deep/down" "$IMAGE" -- cat /opt/deep/down/file
        took_between 0 4000
        if [[ $status -eq 0 ]]; then
            assert_equal "$output" 'from the host'
        else
            assert_fails 125 '['
        fi || report "$count descriptors" || return
        [[ $count -lt 32 || $status -eq 0 ]] || report "$count descriptors are enough" || return
    done
    release holder
    wait "$PROCESS"
    all_gone
}

# It counts the user's processes, and lets none be added.
# bats test_tags=alone
@test "few processes: the launch is alone, warns, and works" {
    skip_as_root 'root has no such limit'
    local count
    # With this the user's record is there: what makes it is not limited here.
    "$CORACLE" run "$IMAGE" -- true && all_gone
    count=$(find /proc/[0-9]* -maxdepth 1 -name task -user "$(id -u)" -exec ls {} + 2>/dev/null | grep -c '^[0-9]')
    # bash ends itself before the launch: nothing is left to Coracle.
    timed bash -c 'ulimit -u "$1"; shift; exec "$@"' bash "$count" "$CORACLE" run "$TREE" -- cat /opt/late
    assert_success
    assert_stderr_has 'this launch shares nothing with others: coracle-broker cannot be started'
    took_between 0 2000
    no_broker
}

# --- namespaces, signals, children ---------------------------------------------------------------------

@test "another network namespace is another instance, and nothing mixes" {
    on_host '
        await() { for ((i = 0; i < 100 * CORACLE_TEST_SLOWNESS; i++)); do if grep -qs "$1" "$2"; then return; fi; sleep 0.05; done; echo "no $1 in $2" >&2; kill $(jobs -p); exit 9; }
        mkfifo gate
        "$CORACLE" run "$IMAGE" -- sh -c "readlink /proc/self/ns/user; read -r _ <\"\$1/gate\"" sh "$PWD" >first 3>&- &
        await user first
        "$CORACLE" run "$IMAGE" -- readlink /proc/self/ns/user >second
        unshare -n "$CORACLE" run "$IMAGE" -- sh -c "readlink /proc/self/ns/user; cat /etc/image-release" >third
        unshare -n "$CORACLE" ps >fourth
        echo >gate
        wait'
    assert_success
    assert_equal "$stderr" ''
    assert_equal "$(cat second)" "$(cat first)"
    [[ $(head -n 1 third) != "$(cat first)" ]]
    assert_equal "$(tail -n 1 third)" 'image name'
    [[ $(cat fourth) != *"$KEY"* ]]
    all_gone
}

@test "signals for the process group of the ranks reach neither broker nor server" {
    local group broker server signal
    setsid bash -c 'trap "" INT TERM HUP QUIT
        for i in 1 2; do
            "$CORACLE" run --bind "$TREE/bin:/tools:ro" "$IMAGE" -- /tools/sh -c "
                echo ready; until test -e \"\$1/end\"; do /tools/sleep 0.05; done; /tools/cat /opt/late >/dev/null && echo read" sh "$1" &
        done
        wait' bash "$PWD" >out 2>err 3>&- &
    group=$!
    within 50 eval '[[ $(grep -c ready out) -eq 2 ]]'
    broker=$(brokers)
    server=$(servers "$IMAGE")
    [[ $(ps -o pgid= -p "$broker" | tr -d ' ') == "$broker" && $(ps -o pgid= -p "$server" | tr -d ' ') == "$server" ]]
    for signal in INT TERM HUP; do
        kill -"$signal" -- "-$group"
        sleep 0.1
    done
    assert_equal "$(brokers) $(servers "$IMAGE")" "$broker $server"
    touch end
    wait "$group"
    assert_equal "$(grep -c read$ out)" 2
    all_gone
}

@test "started by a rank that ignores and blocks signals, they end by a signal" {
    local broker server
    bash -c 'trap "" TERM INT HUP; exec "$@"' bash "$CORACLE" run --bind "$TREE/bin:/tools:ro" "$IMAGE" -- \
        /tools/sh -c 'echo ready; read -r _ <"$1"' sh "$PWD/gate" >out 2>err 3>&- &
    PROCESS=$!
    mkfifo gate
    within 50 grep -q ready out
    broker=$(brokers)
    server=$(servers "$IMAGE")
    kill -TERM "$broker" "$server"
    within 20 has_ended "$broker"
    within 20 has_ended "$server"
    kill -KILL "$PROCESS"
    wait "$PROCESS" || true
    all_gone
}

@test "a child in the background outlives the last rank and the broker" {
    mkfifo late.gate
    capture "$CORACLE" run --bind "$TREE/bin:/tools:ro" --env PATH=/tools "$IMAGE" -- /tools/sh -c '
        { read -r _ <"$1/late.gate"; md5sum </opt/late >"$1/sum"; } <&- >&- 2>&- 7>&- & echo begun' sh "$PWD"
    assert_output begun
    within 30 no_broker
    [[ -n $(servers "$IMAGE") ]]
    timed "$CORACLE" run "$IMAGE" -- cat /etc/image-release
    assert_output 'image name'
    took_between 0 2000
    release late
    within 50 test -s sum
    assert_equal "$(cat sum)" "$(md5sum <"$TREE/opt/late")"
    all_gone
}

# --- many ------------------------------------------------------------------------------------------------

# storm ROUNDS: CROWD ranks at once on an image that nobody has looked at. What the first looks up for
# all (command, interpreter, working directory, target) must be there for each: else its status is 1 or
# Coracle's own. What nobody has: 11 to 13, which are counted.
storm() {
    local round i got
    local -a processes
    : >statuses
    for ((round = 0; round < $1; round++)); do
        new_key
        cp "$IMAGE" "round.$round"
        processes=()
        for ((i = 0; i < CROWD; i++)); do
            "$CORACLE" run --workdir /opt/data --bind "$SOURCE:/opt/deep/down" "round.$round" -- /opt/start \
                >>output 2>&1 3>&- &
            processes+=($!)
        done
        for i in "${processes[@]}"; do
            got=0
            wait "$i" || got=$?
            echo "$got" >>statuses
        done
        within 50 no_broker
        IMAGE=round.$round assert_nothing_left 30
        rm "round.$round"
    done
}

@test "many ranks at once on a fresh image: no name that the first looked up is missed" {
    local rounds=6 others
    [[ ${CORACLE_TEST_LONG-} != 1 ]] || rounds=60
    crowd 64
    mkdir -p "$TREE/opt/far/away"
    cat >"$TREE/opt/start" <<'START'
#!/bin/sh
test "$(pwd -P)" = /opt/data || { echo "workdir: $(pwd -P)"; exit 1; }
test -e /opt/deep/down/file || { echo 'bind target'; exit 1; }
test "$(readlink /proc/$$/exe)" = /bin/busybox || { echo "exe: $(readlink /proc/$$/exe)"; exit 1; }
cd /opt/far/away || exit 11
test "$(pwd -P)" = /opt/far/away || exit 12
exit 0
START
    chmod 755 "$TREE/opt/start"
    pack "$BATS_TEST_TMPDIR/image.file"
    storm "$rounds"
    others=$(grep -cE '^1[123]$' statuses || true)
    echo "# $others of $(wc -l <statuses) ranks missed a name that nobody had looked up" >&3
    assert_equal "$(wc -l <statuses)" $((CROWD * rounds))
    if grep -vxE '0|1[123]' statuses; then
        sort output | uniq -c >&2
        report 'a rank fails'
    fi
    if grep -F 'shares nothing' output; then report 'a rank is alone'; fi
}

@test "a file system that was bound can be unmounted: it goes when the last who saw it has gone" {
    compile_into witness witness.c
    on_host '
        await() { for ((i = 0; i < 100 * CORACLE_TEST_SLOWNESS; i++)); do if grep -qs "$1" "$2"; then return; fi; sleep 0.05; done; echo "no $1 in $2" >&2; kill $(jobs -p); exit 9; }
        # As systemd has it. Where mounts are private, each rank keeps all that were there when it started.
        mount --make-rshared /
        mkdir site
        mount -t tmpfs none site
        echo held >site/file
        ./witness unmounted site >seen 3>&- &
        await watching seen
        mkfifo gate other
        # Keeps the broker, in a view without the site.
        "$CORACLE" run "$TREE" -- sh -c "echo ready; read -r _ <\"\$1/other\"" sh "$PWD" >keeper 3>&- &
        await ready keeper
        "$CORACLE" run --bind "$PWD/site:/mnt" "$TREE" -- sh -c "cat /mnt/file; read -r _ <\"\$1/gate\"" sh "$PWD" >member 3>&- &
        await held member
        "$CORACLE" run --bind "$PWD/site:/mnt" "$TREE" -- cat /mnt/file >>member
        umount site
        sleep 0.5
        ! grep -q gone seen # the member keeps it
        echo >gate
        await gone seen
        "$CORACLE" ps >ps
        echo >other
        wait'
    assert_success
    assert_equal "$(cat member)" 'held
held'
    grep -q "key $KEY" ps
    within 30 no_broker
}
