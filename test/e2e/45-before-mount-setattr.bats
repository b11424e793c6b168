#!/usr/bin/env bats
# A kernel without mount_setattr(2), which came with Linux 5.12: attributes are set
# by remounts. A filter makes the call fail, on whatever kernel this runs.

# Scripts for shells further in stand in single quotes; each test is a subshell.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helpers

setup_file() {
    compile_into "$BATS_FILE_TMPDIR/forbid" forbid.c
}

setup() {
    standard_setup
    # A sanitizer's look for leaks needs calls of its own.
    export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
    BEFORE="$BATS_FILE_TMPDIR/forbid linux-5.11"
    export BEFORE
}

# before [OPTION...] -- COMMAND...: as coracle_run, on such a kernel.
before() {
    local -a options=()
    while [[ $1 != -- ]]; do
        options+=("$1")
        shift
    done
    capture $BEFORE "$CORACLE" run "${options[@]}" "$IMAGE" "$@"
}

# Tries to write at each of the paths; prints those where it could.
writable='for path; do ! touch "$path/new" 2>/dev/null || echo "$path is writable"; done'

@test "the call is missing, and missed" {
    make_source
    before -vv --bind "$SOURCE:/scratch:ro" -- payload mount-flags /scratch
    assert_success
    [[ $output == ro* ]] || report 'expected ro'
    assert_stderr_has 'the kernel has no mount_setattr'
}

@test "the image is read-only, nosuid and nodev, with all that is mounted in it" {
    directory_only 'nothing can be mounted in it'
    on_host 'mkdir "$IMAGE/a b" "$IMAGE/opt/data/sub"
        mount -t tmpfs none "$IMAGE/a b"
        mkdir "$IMAGE/a b/"{deeper,sub}
        mount -t tmpfs none "$IMAGE/a b/deeper"
        mount -t tmpfs none "$IMAGE/opt/data/sub"
        as 1000 $BEFORE "$CORACLE" run "$IMAGE" -- sh -c '"'$writable
        for path; do payload mount-flags \"\$path\"; done'"' sh / /etc "/a b" "/a b/deeper" "/a b/sub" /opt/data/sub'
    assert_success
    assert_output_lacks writable
    assert_equal "$(grep -c '^ro nosuid nodev' <<<"$output")" 6
}

@test "--bind :ro is read-only, with all that is mounted below, whatever its name" {
    on_host 'mount -t tmpfs none /mnt
        set -- "/mnt/a/b c" "/mnt/a/b c/d\\040e" $'"'/mnt/a/new\\nline' \$'/mnt/a/tab\\t#'"' "/mnt/a/( - ) 1 2" "/mnt/a/b"
        for path; do
            mkdir -p "$path"
            mount -t tmpfs none "$path"
        done
        for path; do shift; set -- "$@" "/scratch${path#/mnt/a}"; done
        $BEFORE "$CORACLE" run --bind /mnt/a:/scratch:ro "$IMAGE" -- sh -c '"'$writable
        for path; do payload mount-flags \"\$path\"; done'"' sh /scratch "$@"'
    assert_success
    assert_output_lacks writable
    assert_equal "$(grep -c '^ro' <<<"$output")" 7
}

@test "a bind within a read-only one has its own options, in whatever order" {
    make_source outer
    mkdir -p "$SOURCE/inner" "$SOURCE/later"
    local outer=$SOURCE
    make_source inner
    before --bind "$outer:/scratch:ro" --bind "$SOURCE:/scratch/inner" --tmpfs /scratch/later -- \
        sh -c "$writable" sh /scratch /scratch/inner /scratch/later
    assert_output '/scratch/inner is writable
/scratch/later is writable'
    before --bind "$outer:/scratch" --bind "$SOURCE:/scratch/inner:ro" -- \
        sh -c "$writable" sh /scratch /scratch/inner
    assert_output '/scratch is writable'
}

@test "flags are added to those that the source has, which are locked" {
    on_host 'mount -t tmpfs none /mnt
        mkdir -p /mnt/a /mnt/a/{strict,times}
        mount -t tmpfs -o nosuid,nodev,noexec none /mnt/a/strict
        mount -t tmpfs -o noatime,nodiratime none /mnt/a/times
        as 1000 $BEFORE "$CORACLE" run --bind /mnt/a:/scratch:ro,nosuid "$IMAGE" -- sh -c "
            for path in /scratch /scratch/strict; do payload mount-flags \$path; done
            grep -o \"/scratch/times [^ ]*\" /proc/self/mountinfo"'
    assert_output 'ro nosuid
ro nosuid nodev noexec
/scratch/times ro,nosuid,noatime,nodiratime'
}

@test "nosuid, nodev and noexec, alone and together" {
    on_host 'mount -t tmpfs none /mnt
        for options in nosuid nodev noexec nosuid,nodev,noexec rw; do
            $BEFORE "$CORACLE" run --bind "/mnt:/scratch:$options" "$IMAGE" -- payload mount-flags /scratch
        done'
    assert_output 'rw nosuid
rw nodev
rw noexec
rw nosuid nodev noexec
rw'
}

@test "what was mounted below another mount stays read-only when the host uncovers it" {
    # The control: where nothing must be kept read-only, the host's umount is followed.
    local options
    for options in rw ro; do
        on_host 'mount -t tmpfs none /mnt
            mount --make-rshared /mnt
            mkdir -p /mnt/a/{stacked,dir}
            mount -t tmpfs below /mnt/a/stacked && : >/mnt/a/stacked/below
            mount -t tmpfs above /mnt/a/stacked
            mkdir -p /mnt/a/dir/sub && mount -t tmpfs below /mnt/a/dir/sub && : >/mnt/a/dir/sub/below
            mount -t tmpfs above /mnt/a/dir
            mkfifo /mnt/go /mnt/started
            $BEFORE "$CORACLE" run --bind "/mnt/a:/scratch:$2" --bind /mnt/go:/opt/go --bind /mnt/started:/opt/started \
                "$IMAGE" -- sh -c "echo >/opt/started; read x </opt/go
                for path in stacked dir/sub; do
                    [ ! -e /scratch/\$path/below ] || echo uncovered
                    ! touch /scratch/\$path/new 2>/dev/null || echo written
                done" &
            read -r x </mnt/started
            umount /mnt/a/stacked
            umount /mnt/a/dir
            echo >/mnt/go
            wait' x "$options"
        if [[ $options == rw ]]; then
            assert_output 'uncovered
written
uncovered
written' || return
        else
            assert_success && assert_output_lacks written || return
        fi
    done
}

@test "what covers the directory that a magic link leads to is read-only" {
    on_host 'mount -t tmpfs none /mnt
        mkdir /mnt/a && cd /mnt/a
        mount -t tmpfs none /mnt/a
        mkdir /mnt/a/sub && mount -t tmpfs none /mnt/a/sub
        $BEFORE "$CORACLE" run --bind /proc/self/cwd:/scratch:ro "$IMAGE" -- sh -c '"'$writable
        grep -c /scratch /proc/self/mountinfo'"' sh /scratch /scratch/sub'
    if is_older_kernel; then
        assert_fails 125 '[bind-source]' 'another mount covers /proc/self/cwd'
    else
        assert_output 3
    fi
}

@test "a mount below a closed directory: an error where it should be read-only, else no matter" {
    skip_as_root 'no directory is closed'
    local script='mount -t tmpfs none /mnt
        mkdir -p /mnt/a/closed/sub
        mount -t tmpfs none /mnt/a/closed/sub
        chmod 0 /mnt/a/closed
        as 1000 $BEFORE "$CORACLE" run --bind "/mnt/a:/scratch:$1" "$IMAGE" -- echo launched'
    on_host "$script" ro
    assert_fails 125 '[mount]' /scratch/closed/sub
    assert_output_lacks launched
    on_host "$script" nosuid,nodev
    assert_output launched
}

@test "an optional bind that is left out keeps nobody from launching" {
    make_source
    before --bind "$SOURCE:/etc/image-release:ro,optional" -- echo launched
    assert_output launched
    assert_stderr_has 'is left out'
}

@test "directories of ours are sealed: few entries, many, in a bind" {
    directory_only 'no directory is covered'
    make_source
    mkdir "$IMAGE/many"
    touch "$IMAGE/many/"{1..100}
    before --bind "$SOURCE:/added/place" --bind "$SOURCE:/many/added" --bind "$SOURCE:/etc/added:ro" -- \
        sh -c "$writable" sh / /added /many /etc /etc/added /opt
    assert_output ''
    assert_equal "$(ls "$SOURCE")" file
}

@test "a generated file is read-only" {
    before -- sh -c 'touch /etc/passwd'
    assert_status 1
    assert_stderr_has 'Read-only file system'
}

@test "--root can take nothing back" {
    on_host 'mount -t tmpfs none /mnt
        mkdir -p /mnt/a/sub
        mount -t tmpfs none /mnt/a/sub
        $BEFORE "$CORACLE" run --root --bind /mnt/a:/scratch:ro "$IMAGE" -- sh -c "
            for path in / /scratch /scratch/sub; do
                ! mount -o remount,bind,rw \$path 2>/dev/null || echo \$path was made writable
                ! umount -l \$path 2>/dev/null || echo \$path was unmounted
                ! touch \$path/new 2>/dev/null || echo \$path is writable
            done"'
    assert_output ''
}

@test "--write: the image is writable, and still nosuid and nodev" {
    directory_only '--write wants one'
    before --write -- sh -c 'touch /new && payload mount-flags /'
    assert_output 'rw nosuid nodev'
    [[ -e $IMAGE/new ]]
}

@test "the list of mounts is read once, for any number of binds" {
    need strace
    directory_only 'a server reads it too'
    local i binds=()
    make_source
    for i in {1..100}; do
        mkdir -p "$IMAGE/opt/$i"
        binds+=(--bind "$SOURCE:/opt/$i:ro")
    done
    # What another launch has mounted would be entered.
    capture strace -o trace $BEFORE "$CORACLE" run --share=none --no-default-binds --no-home "${binds[@]}" "$IMAGE" -- \
        sh -c "$writable" sh /opt/{1..100}
    assert_output ''
    # The one that is opened by its whole path is never read, only watched.
    assert_equal "$(grep -c 'openat([0-9]*, "mountinfo"' trace)" 1
    assert_equal "$(grep -c 'mount_setattr(.*ENOSYS' trace)" 1
}
