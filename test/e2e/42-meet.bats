#!/usr/bin/env bats
# Ranks of a node meet: one user namespace, one broker, one server for each image,
# and one view where all would mount the same. What each rank keeps for itself, and
# what it may do to the others.

# Scripts for shells further in stand in single quotes; each test is a subshell.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154,SC2317

load helpers
load squashfs
load ranks

setup() { ranks_setup; }
teardown() { ranks_teardown; }

# --- which way -----------------------------------------------------------------------

equal_plan() {
    local root
    start a "$CORACLE" run "$IMAGE" && start b "$CORACLE" run "$IMAGE" || return
    assert_same "$(namespaces a)" "$(namespaces b)" || return
    assert_different "$(userns a)" "$(readlink /proc/self/ns/user)" || return
    assert_equal "$(ask b 'cat /etc/image-release')" 'image name' || return
    root=$(ask a 'grep -c . /proc/self/mountinfo')
    assert_same "$root" "$(ask b 'grep -c . /proc/self/mountinfo')" || return
    one_broker || return
    if [[ $1 == squashfs ]]; then one_server; else no_server "$IMAGE"; fi
}

@test "an equal plan enters the view" { each_kind equal_plan; }

# entering COMMAND...: the system calls of a launch that enters, in trace.
entering_calls() {
    start a "$CORACLE" run "$IMAGE" || return
    strace -f -o trace "$CORACLE" run "$IMAGE" -- true || return
    grep -q 'setns(' trace || report 'it entered nothing' || return
    if grep -E '(mount|fsopen|fsmount|move_mount|open_tree|mount_setattr|unshare|clone|vfork|fork)\(' trace; then
        report 'it made something'
    fi
}

@test "who enters makes no mount, no namespace and no process" {
    need strace
    is_sanitized && skip 'the sanitizers make threads of their own'
    each_kind entering_calls
}

@test "another plan on the same SquashFS: a view of its own, one superblock, one server" {
    need_squashfs
    image squashfs
    make_source
    start a "$CORACLE" run "$IMAGE"
    start b "$CORACLE" run --bind "$SOURCE:/opt/data" "$IMAGE"
    start c "$CORACLE" run --bind "$SOURCE:/new/place" "$IMAGE"
    assert_same "$(userns a)" "$(userns b)"
    assert_same "$(userns a)" "$(userns c)"
    assert_different "$(mountns a)" "$(mountns b)"
    assert_different "$(mountns a)" "$(mountns c)"
    assert_same "$(ask a 'stat -c %d /')" "$(ask b 'stat -c %d /')"
    assert_same "$(ask a 'stat -c "%d %i" /etc/image-release')" "$(ask c 'stat -c "%d %i" /etc/image-release')"
    assert_equal "$(ask b 'cat /opt/data/file')" 'from the host'
    assert_equal "$(ask c 'cat /new/place/file')" 'from the host'
    assert_equal "$(ask a 'cat /opt/data/file; ls -d /new 2>/dev/null')" 'from the image'
    one_broker
    one_server
}

# Linux before 5.15 mounts a connection once; uname26 makes any kernel call itself 2.6. personality(2)
@test "a kernel that mounts a FUSE connection once: another plan has a server of its own, an equal one meets it" {
    need_squashfs
    need setarch
    local old=(setarch --uname-2.6 "$CORACLE")
    image squashfs
    make_source
    start a "${old[@]}" run "$IMAGE"
    start b "${old[@]}" run --bind "$SOURCE:/opt/data" "$IMAGE"
    start c "${old[@]}" run --bind "$SOURCE:/opt/data" "$IMAGE"
    start d "${old[@]}" run "$IMAGE"
    for rank in b c d; do assert_same "$(userns a)" "$(userns "$rank")" || return; done
    assert_same "$(mountns a)" "$(mountns d)"
    assert_same "$(mountns b)" "$(mountns c)"
    assert_different "$(mountns a)" "$(mountns b)"
    assert_equal "$(ask c 'cat /opt/data/file')" 'from the host'
    assert_equal "$(ask d 'cat /opt/data/file')" 'from the image'
    assert_equal "$(servers "$IMAGE" | wc -l)" 2
    one_broker
}

@test "another plan on a directory: a view of its own in the common user namespace" {
    image directory
    make_source
    start a "$CORACLE" run "$IMAGE"
    start b "$CORACLE" run --bind "$SOURCE:/opt/data" "$IMAGE"
    start c "$CORACLE" run --bind "$SOURCE:/opt/data" "$IMAGE"
    assert_same "$(userns a)" "$(userns b)"
    assert_different "$(mountns a)" "$(mountns b)"
    assert_same "$(mountns b)" "$(mountns c)"
    assert_equal "$(ask c 'cat /opt/data/file')" 'from the host'
    assert_equal "$(ask a 'cat /opt/data/file')" 'from the image'
    one_broker
}

# Two images at once; leaves the ranks a and b of the one, c of the other.
two_images() {
    need_squashfs
    cp -a "$TREE" other
    echo 'other name' >other/etc/image-release
    image squashfs
    FIRST=$IMAGE
    TREE=$PWD/other
    if [[ $1 == directory ]]; then
        OTHER=$TREE
        sleep 0.15
    else
        pack "$PWD/other.sqfs"
        OTHER=$IMAGE
    fi
    start a "$CORACLE" run "$FIRST"
    start b "$CORACLE" run --bind "$PWD:/opt/data" "$FIRST"
    start c "$CORACLE" run "$OTHER"
    assert_same "$(userns a)" "$(userns b)"
    assert_same "$(userns a)" "$(userns c)"
    assert_different "$(mountns a)" "$(mountns c)"
    assert_equal "$(ask a 'cat /etc/image-release')" 'image name'
    assert_equal "$(ask c 'cat /etc/image-release')" 'other name'
    one_broker
    one_server_for 2 "$FIRST"
}

@test "two SquashFS images: one user namespace, one broker, two servers" {
    two_images squashfs
    local first=$SERVER
    one_server "$OTHER"
    assert_different "$first" "$SERVER"
    finish c
    within 30 no_server "$OTHER"
    one_server_for 2 "$FIRST"
}

@test "a directory and a SquashFS: one user namespace, one broker" { two_images directory; }

a_crowd() {
    local i failed=0
    local -a processes=()
    rm -rf seen gate
    mkdir seen
    for ((i = 1; i <= CROWD; i++)); do
        "$CORACLE" run --env "RANK=$i" "$IMAGE" -- sh -c '
            { readlink /proc/self/ns/user && readlink /proc/self/ns/mnt; } >"$1/seen/$RANK.part"
            mv "$1/seen/$RANK.part" "$1/seen/$RANK"
            until test -e "$1/gate"; do sleep 0.2; done
            cat /etc/image-release' sh "$PWD" >"out.$i" 2>&1 </dev/null 3>&- &
        processes+=($!)
    done
    within 300 all_have_come
    one_broker || failed=1
    [[ $1 == directory ]] || one_server || failed=1
    touch gate
    for ((i = 1; i <= CROWD; i++)); do wait "${processes[i - 1]}" || report "rank $i: $(cat "out.$i")" || failed=1; done
    [[ $failed -eq 0 ]] || return
    assert_equal "$(sort -u out.*)" 'image name' || return
    assert_equal "$(cat seen/* | sort -u | wc -l)" 2
}

all_have_come() { [[ $(find seen -name '*[0-9]' | wc -l) -eq $CROWD ]]; }

@test "many ranks at once: one broker, one server, one view, and none fails" {
    crowd 64
    each_kind a_crowd
}

a_crowd_of_plans() {
    local i
    local -a processes=()
    rm -f out.*
    for ((i = 1; i <= CROWD; i++)); do
        mkdir -p "of/$i"
        echo "$i" >"of/$i/file"
        "$CORACLE" run --bind "$PWD/of/$i:/opt/data" "$IMAGE" -- sh -c 'cat /opt/data/file; readlink /proc/self/ns/user' \
            >"out.$i" 2>"err.$i" </dev/null 3>&- &
        processes+=($!)
    done
    for ((i = 1; i <= CROWD; i++)); do
        wait "${processes[i - 1]}" || report "rank $i: $(cat "err.$i")" || return
        assert_equal "$(head -n 1 "out.$i")" "$i" || return
        assert_equal "$(cat "err.$i")" '' || return
    done
    assert_equal "$(sort -u out.* | grep -c user)" 1
}

@test "many ranks at once, each with a plan of its own: each sees its own" {
    crowd 64
    export CORACLE_LINGER=60000
    each_kind plans_ended
}

plans_ended() {
    a_crowd_of_plans "$@" || return
    one_broker || return
    kill "$BROKER"
}

fifty_in_a_loop() {
    local i begun ended age
    export CORACLE_LINGER=$((300 * CORACLE_TEST_SLOWNESS))
    "$CORACLE" run "$IMAGE" -- true || return
    begun=$(date +%s%3N)
    for i in {1..50}; do "$CORACLE" run "$IMAGE" -- true || return; done
    ended=$(date +%s%3N)
    capture "$CORACLE" ps --json
    assert_success || return
    age=$(jq '.brokers[] | select(.share == "key '"$KEY"'") | .age_ms' <<<"$output")
    [[ $age -ge $((ended - begun)) ]] || report "the broker is $age ms old, the loop took $((ended - begun))" || return
    age=$(jq '.brokers[] | select(.share == "key '"$KEY"'") | .images[0].age_ms' <<<"$output")
    [[ $age -ge $((ended - begun)) ]] || report "the image is $age ms old, the loop took $((ended - begun))" || return
    assert_equal "$(jq -r '.brokers[] | select(.share == "key '"$KEY"'") | .images | length' <<<"$output")" 1
}

# The broker waits 0.3 seconds for the next one, which the processors must have time for.
# bats test_tags=alone
@test "a loop of 50 short launches uses one broker and one server" {
    need jq
    each_kind fifty_in_a_loop
}

@test "what may be written to is in a view of its own, in the common user namespace" {
    image directory
    start a "$CORACLE" run "$IMAGE"
    start b "$CORACLE" run --tmpfs /scratch "$IMAGE"
    start c "$CORACLE" run --tmpfs /scratch "$IMAGE"
    start d "$CORACLE" run --write "$IMAGE"
    local rank
    for rank in b c d; do assert_same "$(userns a)" "$(userns "$rank")" || return; done
    assert_equal "$(for rank in a b c d; do mountns "$rank"; done | sort -u | wc -l)" 4
    ask b 'echo mine >/scratch/file'
    assert_equal "$(ask c 'ls /scratch')" ''
    one_broker
}

own_overlays() {
    local rank
    start a "$CORACLE" run "$IMAGE" || return
    start b "$CORACLE" run --writable-tmpfs "$IMAGE" && start c "$CORACLE" run --writable-tmpfs "$IMAGE" || return
    for rank in b c; do assert_same "$(userns a)" "$(userns "$rank")" || return; done
    assert_equal "$(for rank in a b c; do mountns "$rank"; done | sort -u | wc -l)" 3 || return
    ask b 'echo mine >/etc/mine'
    assert_equal "$(ask c 'ls /etc/mine 2>/dev/null')" '' || return
    assert_equal "$(ask a 'ls /etc/mine 2>/dev/null')" '' || return
    one_broker
}

@test "--writable-tmpfs is a view of its own, in the common user namespace" { each_kind own_overlays; }

# --- what each keeps for itself ------------------------------------------------------------

# different COMMAND...: as the second rank would.
differently() {
    cd "$PWD/elsewhere" || return
    umask 027
    ulimit -S -n 99 && ulimit -S -s 4096 && ulimit -S -c 0
    exec "$PAYLOAD" ignore 10 -- "$PAYLOAD" block 12 -- env OWN=second "$@"
}

own_state() {
    export OWN=first
    mkdir -p elsewhere
    start a "$CORACLE" run "$IMAGE" && start b differently "$CORACLE" run --env GIVEN=b "$IMAGE" || return
    assert_same "$(namespaces a)" "$(namespaces b)" || return
    assert_equal "$(ask a 'echo $OWN ${GIVEN-none}; pwd; umask; ulimit -n')" "$(printf '%s\n' 'first none' "$PWD" \
        "$(umask)" "$(ulimit -n)")" || return
    assert_equal "$(ask b 'echo $OWN $GIVEN; pwd; umask; ulimit -n; ulimit -s; ulimit -c')" "$(printf '%s\n' 'second b' \
        "$PWD/elsewhere" 0027 99 4096 0)" || return
    assert_equal "$(ask b 'sed -n "s/SigBlk:.//p" /proc/$$/status')" 0000000000000800 || return
    # USR1; a shell in the background ignores others.
    [[ $((0x$(ask b 'sed -n "s/SigIgn:.//p" /proc/$$/status') & 0x200)) -ne 0 ]] || return
    [[ $((0x$(ask a 'sed -n "s/SigIgn:.//p" /proc/$$/status') & 0x200)) -eq 0 ]]
}

@test "environment, directory, umask, limits and signals are each rank's own" { each_kind own_state; }

@test "--workdir is each rank's own, also where it is missing" {
    image directory
    start a "$CORACLE" run --workdir /etc "$IMAGE"
    start b "$CORACLE" run --workdir /opt/data "$IMAGE"
    assert_same "$(namespaces a)" "$(namespaces b)"
    assert_equal "$(ask a pwd)" /etc
    assert_equal "$(ask b pwd)" /opt/data
    coracle_run --workdir /nowhere -- true
    assert_fails 125 /nowhere '[workdir]'
}

own_cpus() {
    local -a cpus
    mapfile -t cpus < <(taskset -cp $$ | sed 's/.*: //' | tr , '\n' | while IFS=- read -r from to; do
        seq "$from" "${to:-$from}"
    done)
    [[ ${#cpus[@]} -gt 1 ]] || skip 'one CPU is all that we may use'
    start a taskset -c "${cpus[0]}" "$CORACLE" run "$IMAGE" || return
    start b taskset -c "${cpus[1]}" "$CORACLE" run "$IMAGE" || return
    assert_equal "$(ask a 'sed -n "s/^Cpus_allowed_list:.//p" /proc/$$/status')" "${cpus[0]}" || return
    assert_equal "$(ask b 'sed -n "s/^Cpus_allowed_list:.//p" /proc/$$/status')" "${cpus[1]}" || return
    one_broker || return
    assert_equal "$(sed -n 's/^Cpus_allowed_list:.//p' "/proc/$BROKER/status")" \
        "$(sed -n 's/^Cpus_allowed_list:.//p' /proc/1/status)"
}

@test "affinity is each rank's own, and the broker may run on every CPU" {
    need taskset
    each_kind own_cpus
}

configured() {
    start a "$CORACLE" run --no-entrypoint "$IMAGE" || return
    assert_equal "$(ask a 'echo $FROM_IMAGE')" image || return
    coracle_run -- given
    assert_output '[entry]
[given]' || return
    coracle_run
    assert_output '[entry]
[from CMD]' || return
    coracle_run --entrypoint /bin/sh -- -c 'echo $FROM_IMAGE; readlink /proc/self/ns/mnt'
    assert_output "image
$(mountns a)" || return
    # A view of its own of the same image.
    coracle_run --bind "$PWD:/opt/data" --entrypoint /bin/sh -- -c 'echo $FROM_IMAGE'
    assert_output image || return
    capture "$CORACLE" exec "${PID_OF[a]}" -- sh -c 'echo $FROM_IMAGE'
    assert_output image
}

@test "what the image says of environment, entrypoint and command holds for who enters too" {
    mkdir "$TREE/.coracle"
    printf '{"config":{"Entrypoint":["payload","args","entry"],"Cmd":["from CMD"],"Env":["FROM_IMAGE=image"]}}' >"$TREE/.coracle/config.json"
    each_kind configured
}

statuses() {
    start a "$CORACLE" run "$IMAGE" || return
    coracle_run -- sh -c 'exit 7'
    assert_status 7 || return
    coracle_run -- nowhere
    assert_status 127 || return
    coracle_run -- /etc/image-release
    assert_status 126 || return
    capture "$PAYLOAD" status "$CORACLE" run "$IMAGE" -- payload raise 15
    assert_output 'killed 15' || return
    assert_equal "$("$CORACLE" run "$IMAGE" -- payload fds)" "$("$PAYLOAD" fds)"
}

@test "who enters ends as the command ends, and has no descriptor of ours" {
    each_kind statuses
}

# --- what a rank may do to another ------------------------------------------------------------

# reach_all NAME: the rank NAME and the one that holds reach each other.
ALL_WAYS='process_vm_readv: yes
process_vm_writev: yes
pidfd_getfd: yes
/proc/PID/fd: yes
/proc/PID/root: yes
/proc/PID/environ: yes
/proc/PID/mem: yes
PTRACE_ATTACH: yes'

# reach FROM TO: rank FROM does everything to a process that rank TO starts.
reach() {
    local target expected
    ask "$2" 'rm -f "$1.held"; peer hold </dev/null >"$1.held" 2>&1 & until test -s "$1.held"; do sleep 0.02; done' || return
    target=$(cat "$PWD/$2.held")
    output=$(ask "$1" "peer reach $target")
    kill "${target%% *}" || true
    expected=$ALL_WAYS
    # Linux 5.6 has it.
    ! is_older_kernel || expected=${expected/pidfd_getfd: yes/pidfd_getfd: Function not implemented}
    [[ $output == "$expected" ]] || report "rank $1 to rank $2"
}

everyone_reaches() {
    local from to
    for from in "${!PID_OF[@]}"; do
        for to in "${!PID_OF[@]}"; do
            [[ $from == "$to" ]] || reach "$from" "$to" || return
        done
    done
}

# yama: where the kernel lets only ancestors trace, ranks are no better off than on the host.
no_yama() {
    local scope=0
    [[ ! -r /proc/sys/kernel/yama/ptrace_scope ]] || scope=$(cat /proc/sys/kernel/yama/ptrace_scope)
    [[ $scope -eq 0 ]] || skip "kernel.yama.ptrace_scope is $scope: nobody reaches anybody, on the host as well"
}

reaching() {
    start leader "$CORACLE" run "$IMAGE" || return
    start entered "$CORACLE" run "$IMAGE" || return
    start own "$CORACLE" run --bind "$PWD:/opt/data" "$IMAGE" || return
    start writing "$CORACLE" run --tmpfs /scratch "$IMAGE" || return
    everyone_reaches
}

@test "ranks reach each other's memory, descriptors and /proc, whichever way they took" {
    no_yama
    each_kind reaching
}

@test "ranks of two SquashFS images reach each other" {
    no_yama
    two_images squashfs
    everyone_reaches
}

@test "ranks of a directory and of a SquashFS reach each other" {
    no_yama
    two_images directory
    everyone_reaches
}

@test "ranks that do not meet do not reach each other: what the tests above look for is not there by itself" {
    no_yama
    image directory
    start a "$CORACLE" run --share=none "$IMAGE"
    start b "$CORACLE" run --share=none "$IMAGE"
    if reach a b; then return 1; fi
    assert_output_has 'process_vm_readv: Operation not permitted'
    assert_output_lacks yes
}

closed_program() {
    # What the last one has said is not this one's.
    rm -f closed.out
    "$CORACLE" run "$IMAGE" -- /bin/closed signals 1 >closed.out 2>&1 </dev/null 3>&- &
    local closed=$!
    within 50 grep -q ready closed.out || return
    # Else it would prove nothing.
    is_root || [[ $(stat -c %u "/proc/$closed/environ") -eq 0 ]] || report 'the program can be looked at' || return
    start entered "$CORACLE" run "$IMAGE" || return
    start own "$CORACLE" run --bind "$PWD:/opt/data" "$IMAGE" || return
    assert_same "$(userns entered)" "$(userns own)" || return
    one_broker || return
    [[ $1 == directory ]] || one_server_for 2 || return
    everyone_reaches || return
    # By its broker it is found even so.
    capture "$CORACLE" exec "$closed" -- readlink /proc/self/ns/mnt
    assert_output "$(mountns entered)" || return
    # It came later, and stays when the others go.
    finish entered own
    start again "$CORACLE" run "$IMAGE" || return
    one_broker || return
    kill -TERM "$closed"
    wait "$closed"
}

@test "a rank whose program nobody may look at disturbs nobody" {
    no_yama
    cp "$PAYLOAD" "$TREE/bin/closed"
    chmod 0111 "$TREE/bin/closed"
    # Who packs it reads it as root of a user namespace.
    mksquashfs_as_root
    each_kind closed_program
}

# mksquashfs_as_root: pack can read what we cannot.
mksquashfs_as_root() {
    mkdir -p tools
    printf '#!/bin/sh\nexec unshare --map-root-user %s "$@" -force-uid %d -force-gid %d\n' "$(command -v mksquashfs)" \
        "$(id -u)" "$(id -g)" >tools/mksquashfs
    chmod 755 tools/mksquashfs
    PATH=$PWD/tools:$PATH
}
