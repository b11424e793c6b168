#!/usr/bin/env bats
# Linux 4.18, as Enterprise Linux 8 has it: mounts are made by mount(2), paths are walked, and
# all is as on newer kernels. forbid stands in for it; with CORACLE_TEST_KERNEL=4.18 the
# other files run on it as well.

# Scripts for shells further in stand in single quotes; each test is a subshell.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helpers

setup_file() {
    compile_into "$BATS_FILE_TMPDIR/forbid" forbid.c
}

setup() {
    standard_setup
    OLDER="$BATS_FILE_TMPDIR/forbid linux-4.18"
    export OLDER
    # A sanitizer's look for leaks needs calls of its own.
    export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
}

# on_kernel KERNEL [OPTION...] -- COMMAND...: as coracle_run, with a view of its own; KERNEL: older or newer.
on_kernel() {
    local -a before=() options=()
    [[ $1 == newer ]] || before=($OLDER)
    shift
    while [[ $1 != -- ]]; do
        options+=("$1")
        shift
    done
    capture "${before[@]}" "$CORACLE" run --share=none "${options[@]}" "$IMAGE" "$@"
}

# Mounts without what differs from launch to launch: numbers.
mounts='cut -d " " -f 4-6,8- /proc/self/mountinfo | grep -v " /proc/"'

# Modes and names.
files='ls -ld / /* /etc/* /many/* /opt/* /var | sed "s/^\(..........\).* /\1 /"; cat /etc/image-release'

@test "the calls are missing, each is missed once, and none works" {
    need strace
    directory_only 'a server makes calls too'
    local call
    on_kernel older -vv -- true
    assert_stderr_has 'the kernel has no open_tree'
    make_source
    capture strace -f -o trace $OLDER "$CORACLE" run --share=none --bind "$SOURCE:/scratch" --bind "$SOURCE:/etc/added:ro" \
        --tmpfs /opt --workdir /scratch "$IMAGE" -- cat file /etc/added/file
    assert_success
    assert_output_has 'from the host'
    for call in open_tree openat2 mount_setattr; do
        assert_equal "$call $(grep -c " $call(.*ENOSYS" trace)" "$call 1"
    done
    ! grep -E ' (open_tree|move_mount|fsopen|fsconfig|fsmount|openat2|mount_setattr|close_range)\(.* = [0-9]' trace ||
        report 'a call of a newer kernel'
    grep -q ' mount(.*MS_MOVE' trace
}

@test "the command sees the same mounts as on this kernel" {
    local i newer options=()
    make_source
    mkdir -p "$SOURCE/sub" "$IMAGE/many" "$IMAGE/real"
    touch "$IMAGE/many/"{1..20}
    ln -s /real "$IMAGE/link"
    ln -s ../../../../opt "$IMAGE/outward"
    for i in /scratch /etc/added:ro /many/new:ro,noexec /link /outward/data /opt/none/deep/er; do
        options+=(--bind "$SOURCE:$i")
    done
    options+=(--bind "$SOURCE/file:/etc/image-release" --bind "$SOURCE/nothing:/real:optional"
        --bind "$SOURCE/file:/opt/data:optional" --tmpfs /var:size=1M --tmpfs /srv/deep --env A=1)
    for i in --no-home --root; do
        on_kernel newer "$i" "${options[@]}" -- sh -c "$mounts; $files"
        assert_success
        newer=$output
        on_kernel older "$i" "${options[@]}" -- sh -c "$mounts; $files"
        assert_success
        # By mount(2) the file system of a SquashFS is read-only itself, not its mount alone.
        diff <(echo "$newer") <(sed 's/ ro,user_id=/ rw,user_id=/' <<<"$output") || report 'expected the same'
    done
}

@test "the stage is not shown, not by a bind of /proc nor of the whole host" {
    on_kernel older --bind /:/host -- sh -c 'cat /proc/self/mountinfo /host/proc/self/mountinfo
        cat /proc/tty/drivers /host/proc/tty/drivers /host/proc/self/net/dev'
    assert_success
    assert_output_has '/dev/tty '
    assert_output_lacks unbindable
    assert_output_lacks '/proc/tty '
    assert_output_lacks '/net '
}

@test "the stage has another place where the first is missing" {
    # A /proc without it: subset=pid, Linux 5.8.
    on_host 'exec unshare -p --fork bash -c "
        mount -t proc -o subset=pid proc /proc 2>/dev/null || exit 77
        test ! -e /proc/tty
        \$OLDER \"\$CORACLE\" run --share=none \"\$IMAGE\" -- cat /proc/self/comm"'
    [[ $status -ne 77 ]] || skip 'this kernel or what is around us has no /proc of processes only'
    assert_output cat
}

@test "where the stage would lie can be bound itself; both such places: refused, and said so" {
    on_kernel older --bind /proc/tty/:/opt --bind /proc/tty/drivers:/etc/added -- cat /opt/drivers /etc/added
    assert_success
    assert_equal "$(grep -c '^/dev/tty ' <<<"$output")" 2
    ln -s /proc/tty link
    on_kernel older --bind "$PWD/link/drivers:/etc/added" -- cat /etc/added /proc/tty/drivers
    assert_success
    assert_equal "$(grep -c '^/dev/tty ' <<<"$output")" 2
    on_kernel older --bind /proc/tty:/opt --bind /proc/net/dev:/etc/added -- true
    assert_fails 125 '[bind-source]' 'before Linux 5.2' 'leave out one'
}

@test "what another mount covers cannot be bound: refused, and said so" {
    on_host 'mount -t tmpfs none /mnt
        mkdir /mnt/a && cd /mnt/a
        mount -t tmpfs none /mnt/a
        $OLDER "$CORACLE" run --share=none --bind /proc/self/cwd:/opt "$IMAGE" -- true'
    assert_fails 125 '[bind-source]' 'another mount covers /proc/self/cwd' 'before 5.2'
}

@test "a filter that forbids open_tree is obeyed, not gone around" {
    directory_only 'an image in a file is unpacked then'
    newer_kernel_only 'it has no open_tree'
    # 428 is open_tree, 1 is EPERM.
    capture "$BATS_FILE_TMPDIR/forbid" 428 1 "$CORACLE" run --share=none "$IMAGE" -- echo launched
    assert_status 125
    assert_output_lacks launched
}

@test "what all programs build on works there: unit tests" {
    local name
    [[ -x ${CORACLE_BUILD-}/test/unit/base/resolve ]] || skip 'no unit tests: CORACLE_BUILD names no build with them'
    for name in fd resolve sys; do
        capture $OLDER "$CORACLE_BUILD/test/unit/base/$name"
        assert_success
        assert_output_has 'ok 1 '
        assert_output_lacks 'not ok'
    done
}
