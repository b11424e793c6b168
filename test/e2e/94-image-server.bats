#!/usr/bin/env bats
# coracle-fuse, the process behind a SquashFS image: what it is, what it keeps of
# its caller, when it ends, and what its end means for the command.

# Scripts for shells further in stand in single quotes; each test is a subshell.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helpers
load squashfs

setup() {
    squashfs_setup
    seq 400000 >"$TREE/opt/late"
    echo 'late too' >"$TREE/opt/small"
    pack "$BATS_TEST_TMPDIR/image.file"
    LATE=$(md5sum <"$TREE/opt/late")
    export LATE
}

# Whatever a test has started and a failure has left.
teardown() {
    local process
    exec 8>&-
    for process in $(jobs -p); do kill -9 "$process" 2>/dev/null || true; done
    [[ -z ${IMAGE-} ]] || for process in $(servers "$IMAGE"); do kill -9 "$process" 2>/dev/null || true; done
    standard_teardown
}

# begin SCRIPT [PREFIX...]: starts SCRIPT in a container, through PREFIX, and waits for it to say ready.
# Its shell and programs are not the image's, so that it survives what happens to that. It finds go, a
# function that waits for `go_on`. Leaves COMMAND and SERVER.
begin() {
    [[ -p gate ]] || mkfifo gate
    rm -f out err
    touch out err
    "${@:2}" "$CORACLE" run --bind "$TREE/bin:/tools:ro" --env PATH=/tools "$IMAGE" -- \
        /tools/sh -c 'go() { read -r _ <gate; }
'"$1" sh "$PWD" >out 2>err 3>&- &
    COMMAND=$!
    within 50 grep -q ready out || {
        cat err
        return 1
    }
    SERVER=$(servers "$IMAGE")
    [[ $SERVER == [1-9]*([0-9]) ]] || report "one server is expected: $SERVER"
}

go_on() { echo >gate; }

# finish STATUS: the command goes on and ends with STATUS; its server ends.
finish() {
    local got=0
    go_on
    wait "$COMMAND" || got=$?
    assert_equal "$got" "$1" || return
    assert_nothing_left
}

has_ended() { ! kill -0 "$1" 2>/dev/null || grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null; }

# of FIELD: of the server's status.
of() { sed -n "s/^$1:[[:blank:]]*//p" "/proc/$SERVER/status"; }

# --- what it is ------------------------------------------------------------------

@test "it is seen as coracle-fuse with the image's name" {
    begin 'echo ready; go'
    assert_equal "$(of Name)" coracle-fuse
    assert_equal "$(tr '\0' ' ' <"/proc/$SERVER/cmdline")" "coracle-fuse $IMAGE 0 $(stat -c %s "$IMAGE") "
    assert_equal "$(of Uid | cut -f1)" "$(id -u)"
    finish 0
}

@test "it has a session of its own and is no child of the command" {
    begin 'echo ready; go; wait; exit 3'
    local -a stat
    read -ra stat < <(sed 's/.*) //' "/proc/$SERVER/stat")
    [[ ${stat[1]} != "$COMMAND" && ${stat[1]} != "$$" && ${stat[1]} != "$BASHPID" ]]
    assert_equal "${stat[2]}" "$SERVER"
    assert_equal "${stat[3]}" "$SERVER"
    assert_equal "${stat[4]}" 0
    assert_equal "$(cat "/proc/$COMMAND/task/$COMMAND/children")" ''
    finish 3
}

@test "it keeps no pipe of the caller open" {
    capture timeout 5 bash -c '"$CORACLE" run "$IMAGE" -- true | cat'
    assert_success
    # A child of the command keeps the server, and neither keeps the pipe.
    local started=$SECONDS
    capture timeout 10 bash -c '"$CORACLE" run "$IMAGE" -- sh -c "exec 7>&- 9>&-; sleep 4 <&- >&- 2>&- &" 7>&1 9>&1 3>&- | cat'
    assert_success
    [[ $((SECONDS - started)) -lt 3 ]]
    [[ -n $(servers "$IMAGE") ]]
    within 50 no_server "$IMAGE"
}

@test "it holds the image, the kernel's device and nothing of the caller" {
    on_host 'exec 5</etc/passwd 200>other
        export SECRET=1 CORACLE_LOG=$PWD/log
        touch log
        mkfifo gate
        "$CORACLE" run "$IMAGE" -- sh -c "echo ready >\"\$1/out\"; read -r _ <\"\$1/gate\"" sh "$PWD" 3>&- &
        until grep -qs ready out; do sleep 0.02; done
        for dir in /proc/[0-9]*; do
            mapfile -d "" -t words <$dir/cmdline && [[ ${words[0]-} == coracle-fuse && ${words[1]} == "$IMAGE" ]] || continue
            for fd in $dir/fd/*; do echo "${fd##*/} $(readlink $fd)"; done | sort -n
            echo "root $(ls -A $dir/root/ | wc -l) files"
            echo "in $(ls -A $dir/cwd/ | wc -l) files"
            tr "\0" "\n" <$dir/environ
        done 2>/dev/null
        echo >gate
        wait'
    assert_success
    local kept
    kept=$(sed -E 's/^[0-9]+ (\/|anon|socket|pipe)/\1/' <<<"$output" | sort | uniq -c | sed 's/^ *//')
    assert_equal "$kept" "$(printf '%s\n' "1 $IMAGE" "1 $PWD/log" '1 /dev/fuse' '3 /dev/null' "1 CORACLE_LOG=$PWD/log" \
        '1 in 0 files' '1 root 0 files' | sort -k2)"
    within 10 no_server "$IMAGE"
}

@test "as root: the server of another user's container is as closed" {
    is_root || skip 'only root sees into it'
    need setpriv
    local as=(setpriv --reuid 12345 --regid 12345 --clear-groups env HOME=/ XDG_RUNTIME_DIR=/nowhere)
    chmod 755 "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR" "$BATS_RUN_TMPDIR/test" || true
    chmod 777 "$PWD"
    begin 'echo ready; go' "${as[@]}"
    assert_equal "$(of Uid | cut -f1)" 12345
    assert_equal "$(ls -A "/proc/$SERVER/root/")" ''
    assert_equal "$(for fd in "/proc/$SERVER/fd"/*; do readlink "$fd"; done | sort | uniq -c | sed 's/^ *//')" \
        "$(printf '%s\n' "1 $IMAGE" '1 /dev/fuse' '3 /dev/null' | sort -k2)"
    finish 0
}

@test "signals have their default effect and none is blocked, whatever the caller does" {
    begin 'echo ready; go' "$PAYLOAD" ignore 1 2 3 13 15 17 20 27 -- "$PAYLOAD" block 10 12 14 15 17 27 40 --
    assert_equal "$(of SigIgn)" 0000000000000000
    assert_equal "$(of SigBlk)" 0000000000000000
    finish 0
}

@test "it may run on every CPU, though the command may not" {
    need taskset
    local all
    all=$(sed -n 's/^Cpus_allowed_list:.//p' /proc/self/status)
    [[ $all == *[-,]* ]] || skip 'one CPU is all that we may use'
    begin 'echo ready; go' taskset -c "${all%%[-,]*}"
    assert_equal "$(of Cpus_allowed_list)" "$(sed -n 's/^Cpus_allowed_list:.//p' /proc/1/status)"
    assert_equal "$(sed -n 's/^Cpus_allowed_list:.//p' "/proc/$COMMAND/status")" "${all%%[-,]*}"
    finish 0
}

@test "soft limits of the caller are raised, and its own are closed" {
    # shellcheck disable=SC2317 # begin calls it
    limited() {
        is_sanitized || ulimit -S -d 400000
        ulimit -S -f 100 && ulimit -S -t 500 && ulimit -S -s 2048 && exec "$@"
    }
    begin 'echo ready; go' limited
    local line soft hard
    while read -r line; do
        read -r soft hard _ <<<"${line:26}"
        [[ $soft == "$hard" ]] || report "not raised: $line"
    done < <(grep '^Max' "/proc/$SERVER/limits")
    grep -qE '^Max open files +0 +0 ' "/proc/$SERVER/limits"
    grep -qE '^Max core file size +0 +0 ' "/proc/$SERVER/limits"
    grep -qE '^Max processes +0 +0 ' "/proc/$SERVER/limits"
    is_sanitized || grep -qE '^Max address space +536870912 +536870912 ' "/proc/$SERVER/limits"
    finish 0
}

@test "it has no capability, can gain none, and its system calls are filtered" {
    begin 'echo ready; go'
    local set
    for set in CapInh CapPrm CapEff CapAmb; do assert_equal "$(of $set)" 0000000000000000; done
    assert_equal "$(of NoNewPrivs)" 1
    is_sanitized || assert_equal "$(of Seccomp)" 2
    [[ $(readlink /proc/self/ns/user) != "$(readlink "/proc/$SERVER/ns/user" 2>/dev/null)" ]]
    finish 0
}

# --- its end -------------------------------------------------------------------------

@test "it ends within a second when the command has ended, also by SIGKILL and SIGSEGV" {
    local signal
    begin 'echo ready; go; exit 7'
    finish 7
    for signal in KILL SEGV TERM ABRT; do
        begin 'ulimit -c 0; echo ready; go'
        kill -"$signal" "$COMMAND"
        wait "$COMMAND" || true
        assert_nothing_left || return
    done
    coracle_run -- nowhere
    assert_status 127
    assert_nothing_left
    coracle_run --bind /nowhere:/x -- true
    assert_fails 125 '[bind-source]'
    assert_nothing_left
}

@test "it serves a child that the command left, and ends after it" {
    begin 'setsid sh -c "sleep 0.3; read -r _ <gate; md5sum </opt/late >\"\$1/late\"" sh "$1" </dev/null >/dev/null 2>&1 &
        echo ready; exit 4'
    local got=0
    wait "$COMMAND" || got=$?
    assert_equal "$got" 4
    sleep 1.2
    assert_equal "$(servers "$IMAGE")" "$SERVER"
    go_on
    assert_nothing_left 20
    assert_equal "$(cat late)" "$LATE"
}

@test "a signal to the command's process group does not reach it" {
    local signal
    begin 'trap "echo got" TERM HUP INT QUIT USR1; echo ready; until test -e "$1/end"; do sleep 0.05; done; md5sum </opt/late' setsid
    for signal in TERM HUP INT QUIT USR1; do
        kill -"$signal" -- "-$COMMAND"
        sleep 0.1
    done
    assert_equal "$(servers "$IMAGE")" "$SERVER"
    touch end
    wait "$COMMAND"
    grep -q got out
    assert_equal "$(tail -n 1 out)" "$LATE"
    assert_nothing_left
}

@test "killed, the command's next uncached read fails at once, and the next launch works" {
    begin 'echo ready; go; read -r x </opt/small; echo "read $?"; read -r x </etc/image-release; echo "other $?"'
    kill -KILL "$SERVER"
    within 10 has_ended "$SERVER"
    local started=$SECONDS
    finish 0
    [[ $((SECONDS - started)) -lt 3 ]]
    grep -q 'read [1-9]' out
    grep -qE 'Transport endpoint is not connected|Socket not connected' err
    inside 'cat /opt/small'
    assert_output 'late too'
}

@test "stopped, it does not keep the command from being killed" {
    begin 'echo ready; go; read -r x </opt/small'
    kill -STOP "$SERVER"
    # A server that still finds a request before it stops takes it: then nobody can be killed.
    within 20 grep -q '^State:.T' "/proc/$SERVER/status"
    go_on
    sleep 0.3
    if has_ended "$COMMAND"; then report 'the command ended without an answer'; fi
    kill -KILL "$COMMAND"
    within 10 has_ended "$COMMAND"
    kill -CONT "$SERVER"
    assert_nothing_left
}

# --- the file changes while in use ---------------------------------------------------------

@test "replaced by rename, the old image goes on" {
    begin 'echo ready; go; md5sum </opt/late; cat /opt/small'
    echo new >"$TREE/opt/small"
    local name=$IMAGE
    pack "$PWD/other"
    IMAGE=$name
    mv other "$IMAGE"
    finish 0
    assert_equal "$(cat out)" "ready
$LATE
late too"
    inside 'cat /opt/small'
    assert_output new
}

@test "removed, it goes on" {
    begin 'echo ready; go; md5sum </opt/late'
    rm "$IMAGE"
    finish 0
    assert_equal "$(tail -n 1 out)" "$LATE"
}

@test "truncated, reads fail with an error, and the log says so" {
    export CORACLE_LOG=$PWD/log
    begin 'echo ready; go; md5sum </opt/late || echo "failed $?"; ls /usr/share 2>&1 || echo "failed too"'
    truncate -s 200 "$IMAGE"
    finish 0
    grep -q 'failed' out
    grep -qE 'Input/output error|I/O error' err out
    grep -qE "^coracle-fuse\[$SERVER\]: .*damaged or unreadable" log
    assert_equal "$(stat -c %a log)" 600
}

@test "overwritten in place with garbage: errors or garbage, never a hang" {
    local round size started
    export CORACLE_LOG=$PWD/log
    cp "$IMAGE" original
    for round in zeros ones random random; do
        cp original "$IMAGE"
        size=$(stat -c %s "$IMAGE")
        begin 'echo ready; go; md5sum </opt/late; find /usr /etc /opt | wc -l; cat /bin/payload | wc -c; true'
        started=$SECONDS
        case $round in
        zeros) head -c "$size" /dev/zero ;;
        ones) head -c "$size" /dev/zero | tr '\0' '\377' ;;
        random) head -c "$size" /dev/urandom ;;
        esac | dd of="$IMAGE" bs=64K conv=notrunc status=none
        go_on
        # The program itself may be garbage now, so any status will do.
        wait "$COMMAND" || true
        [[ $((SECONDS - started)) -lt 8 ]] || report "$round took long"
        assert_nothing_left || return
    done
    [[ $(grep -c . log) -le 200 ]]
}

# --- what a node may lack ---------------------------------------------------------------------

# refused WORD...: one line of ours with status 125, and nothing is left.
refused() {
    assert_fails 125 "$@" || return
    assert_equal "$(grep -c . <<<"$stderr")" 1 || return
    assert_nothing_left
}

# unpacked WORD: one line that says so, the image is seen, and nothing is left.
unpacked() {
    assert_success || return
    assert_stderr_has "$1" || return
    assert_stderr_has "is unpacked to" || return
    assert_equal "$(grep -c . <<<"$stderr")" 1 || return
    assert_output "seen /payload" || return
    assert_nothing_left
}

@test "no /dev/fuse: the image is unpacked, and it is said" {
    on_host 'mkdir dev
        mount -t tmpfs none dev
        for node in null zero urandom tty; do touch dev/$node; mount --bind /dev/$node dev/$node; done
        mkdir dev/pts dev/shm
        mount --rbind dev /dev
        as 1000 "$CORACLE" run "$IMAGE" -- sh -c "echo seen /payload"'
    unpacked 'no /dev/fuse'
}

@test "/dev/fuse closed: the image is unpacked, and it is said" {
    touch closed
    chmod 000 closed
    on_host 'mount --bind closed /dev/fuse; as 1000 "$CORACLE" run "$IMAGE" -- sh -c "echo seen /payload"'
    unpacked '/dev/fuse is closed'
}

@test "/dev/fuse is something else: the image is unpacked, and it is said" {
    on_host 'mount --bind /dev/null /dev/fuse; as 1000 "$CORACLE" run "$IMAGE" -- sh -c "echo seen /payload"'
    unpacked 'through FUSE'
}

@test "/dev/fuse closed, and no place to unpack to: refused with the way out" {
    touch closed
    chmod 000 closed
    mkdir place
    on_host 'mount --bind closed /dev/fuse; mount -t tmpfs -o noexec,mode=1777 none place
        as 1000 env CORACLE_UNPACK="$PWD/place" "$CORACLE" run "$IMAGE" -- true'
    refused CORACLE_UNPACK noexec --unpack=DIRECTORY '[limit]'
}

@test "a filter around us forbids the calls of a FUSE mount, or of any: refused" {
    local call errno number calls=(unshare socketpair clone chroot)
    compile_into forbid forbid.c
    # A sanitizer's look for leaks needs calls of its own.
    export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
    # What stands in for an older kernel calls prctl itself.
    if is_older_kernel; then calls+=(mount); else calls+=(fsopen fsconfig fsmount move_mount prctl); fi
    for call in "${calls[@]}"; do
        number=$(number_of "$call")
        for errno in 1 38; do
            capture timeout 20 ./forbid "$number" "$errno" "$CORACLE" run --quiet "$IMAGE" -- true
            refused "[" || return
        done
    done
}

@test "user namespaces for none, for one, for two" {
    local count
    for count in 0 1; do
        on_host 'echo '$count' >/proc/sys/user/max_user_namespaces; "$CORACLE" run "$IMAGE" -- true'
        refused '[userns-disabled]' || return
    done
    on_host 'echo 2 >/proc/sys/user/max_user_namespaces; "$CORACLE" run "$IMAGE" -- cat /opt/small'
    assert_output 'late too'
    on_host 'echo 0 >/proc/sys/user/max_mnt_namespaces; "$CORACLE" run "$IMAGE" -- true'
    refused max_mnt_namespaces '[userns-disabled]'
}

@test "in a chroot: refused as a directory is" {
    mkdir root
    on_host 'mount --rbind / root; exec chroot root "$CORACLE" run "$1" -- true' "$TREE"
    assert_status 125
    local plain=${stderr##* }
    on_host 'mount --rbind / root; exec chroot root "$CORACLE" run "$IMAGE" -- true'
    refused "$plain"
}

@test "coracle-fuse is not installed: refused with the name of what is missing" {
    mkdir bin
    cp "$PROGRAM" bin/
    cp "$(dirname "$PROGRAM")"/coracle-record bin/ 2>/dev/null ||
        cp "$(dirname "$PROGRAM")"/../libexec/coracle/coracle-record bin/
    capture bin/coracle run "$IMAGE" -- true
    [[ $status -ne 0 ]] || skip 'coracle-fuse is installed where this build looks as well'
    refused coracle-fuse libsquashfuse '[server]'
    printf '#!/nowhere\n' >bin/coracle-fuse
    chmod 755 bin/coracle-fuse
    capture bin/coracle run "$IMAGE" -- true
    refused coracle-fuse '['
    cp "$PAYLOAD" bin/coracle-fuse
    capture timeout 10 bin/coracle run "$IMAGE" -- true
    refused coracle-fuse '[server]'
}

# works_or_refused: the launch that was captured.
works_or_refused() {
    if [[ $status -eq 0 ]]; then
        assert_equal "$output" 'late too' && assert_nothing_left
    else
        refused '['
    fi
}

# make_record: the user's, which holds for a minute at least. What makes it is not limited here.
make_record() {
    rm -f "$XDG_RUNTIME_DIR"/coracle-*/record
    "$CORACLE" run "$IMAGE" -- true && assert_nothing_left
}

@test "few open files: works or is refused" {
    local count
    newer_kernel_only 'to look at a file takes one more open file there, and tells twice'
    export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
    make_record
    for count in 3 4 5 6 7 8 9 10 12 16 32; do
        # Libraries must be opened before anything of ours runs.
        [[ $count -ge 6 ]] || ! is_sanitized || continue
        capture bash -c 'ulimit -n "$1"; exec "$CORACLE" run "$IMAGE" -- cat /opt/small' bash "$count"
        works_or_refused || return
        [[ $count -lt 32 || $status -eq 0 ]] || report "$count files are enough"
    done
}

# It counts the user's processes, and lets none be added.
# bats test_tags=alone
@test "few processes: works or is refused" {
    skip_as_root 'root has no such limit'
    local more count
    make_record
    for more in 0 1 2 3 4 8; do
        count=$(find /proc/[0-9]* -maxdepth 1 -name task -user "$(id -u)" -exec ls {} + 2>/dev/null | grep -c '^[0-9]')
        # bash ends itself before the launch: what is left to Coracle is `more`.
        capture bash -c 'ulimit -u "$1"; exec "$CORACLE" run "$IMAGE" -- cat /opt/small' bash $((count + more))
        works_or_refused || return
    done
    assert_success
}

@test "little address space: works or is refused" {
    is_sanitized && skip 'the sanitizers reserve terabytes of it'
    local size plain
    pack "$IMAGE" -b 1M
    for size in 200000 100000 50000 20000 10000 8000 6000 5000 4500 4000 3500 3000 2500 2000 1000 700; do
        # What runs is not the image's: where it has no room itself, that is its own affair.
        plain=0
        bash -c 'ulimit -v "$1"; exec "$CORACLE" run "$2" -- md5sum /opt/late' bash "$size" "$TREE" >/dev/null 2>&1 || plain=$?
        capture bash -c 'ulimit -v "$1"; exec "$CORACLE" run --bind "$2/bin:/tools" "$IMAGE" -- /tools/md5sum /opt/late' \
            bash "$size" "$TREE"
        if [[ $status -eq 0 ]]; then
            assert_output "${LATE%-}/opt/late" && assert_nothing_left
        elif [[ $status -ne 139 || $plain -eq 0 ]]; then
            refused '['
        fi || report "$size KiB" || return
        [[ $size -lt 100000 || $status -eq 0 ]] || report "$size KiB are enough" || return
    done
}
