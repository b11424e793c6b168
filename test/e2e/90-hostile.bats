#!/usr/bin/env bats
# An image that somebody else made tries to get out, to mislead the set-up, or to
# gain what its user does not have.

load helpers

setup() {
    standard_setup
    compile_into "$IMAGE/bin/hostile" hostile.c
    HOST_ROOT=$(stat -c %d:%i /)
    OUTSIDE=$BATS_TEST_TMPDIR/outside
    mkdir -p "$OUTSIDE"
    echo untouched >"$OUTSIDE/file"
}

# Nothing was made, changed or mounted in the directory that links lead to.
assert_outside_untouched() {
    assert_equal "$(find "$OUTSIDE" -printf '%P %s\n' | sort)" $' 4096\nfile 10' ||
        assert_equal "$(find "$OUTSIDE" -printf '%P\n' | sort)" $'\nfile' || return
    assert_equal "$(cat "$OUTSIDE/file")" untouched || return
    if grep -F "$OUTSIDE" /proc/self/mountinfo; then report "a mount leads there"; fi
}

# It ran, or was refused with one error of ours.
assert_ran_or_refused() {
    [[ $status -eq 0 || $status -ge 125 && $status -le 127 && $stderr == *'coracle: error: '*']' ]] ||
        report "neither success nor one of our errors"
}

# --- out of the container ------------------------------------------------------

@test "no way leads to the host's root directory" {
    coracle_run -- hostile reach "$HOST_ROOT"
    assert_output '11 tries'
}

@test "no way leads there with --root, however the root was made" {
    coracle_run --root -- hostile reach "$HOST_ROOT"
    assert_output '11 tries'
    coracle_run --root --no-home -- hostile reach "$HOST_ROOT"
    assert_output '11 tries'
    coracle_run --root --bind "$OUTSIDE:/a/b" -- hostile reach "$HOST_ROOT"
    assert_output '11 tries'
    is_squashfs || coracle_run --root --write -- hostile reach "$HOST_ROOT"
    assert_output '11 tries'
    is_root || coracle_run --root --writable-tmpfs -- hostile reach "$HOST_ROOT"
    assert_output '11 tries'
    mkdir "$IMAGE"/entry-{1..70}
    coracle_run --root --bind "$OUTSIDE:/a/b" -- hostile reach "$HOST_ROOT"
    assert_output '11 tries'
}

@test "no way leads there with another identity, whose files are hidden below the root" {
    coracle_run --uid 12345 -- hostile reach "$HOST_ROOT"
    assert_output '11 tries'
}

@test "the image and read-only binds stay read-only, nested namespaces included" {
    coracle_run --bind "$OUTSIDE:/mnt:ro" --bind "$OUTSIDE:/a/b:ro" -- hostile write / /etc /bin /mnt /a /a/b
    assert_output '12 tries'
    assert_outside_untouched
}

@test "a writable bind can be written: the tries mean something" {
    coracle_run --bind "$OUTSIDE:/mnt" -- hostile write /mnt
    assert_status 1
    assert_output_has 'could write to /mnt'
}

@test "processes outside cannot be traced or looked into" {
    skip_as_root "root's processes outside are of the same kind, but the test runs as one of them"
    sleep 60 &
    local victim=$!
    coracle_run -- hostile spy "$victim"
    kill "$victim"
    # Its environment and links are for those who may trace it.
    assert_output '9 tries'
}

@test "no privilege is to be had" {
    skip_as_root "uid + 1 and others are decided by the same capabilities"
    coracle_run -- hostile privilege
    assert_output '8 tries'
}

@test "capabilities are none, no_new_privs is set, and a setuid bit gives nothing" {
    inside 'grep -E "^(CapInh|CapPrm|CapEff|CapAmb|NoNewPrivs)" /proc/self/status | tr -d "\t"'
    assert_output 'CapInh:0000000000000000
CapPrm:0000000000000000
CapEff:0000000000000000
CapAmb:0000000000000000
NoNewPrivs:1'
    cp "$PAYLOAD" "$IMAGE/bin/setuid"
    chmod 6755 "$IMAGE/bin/setuid"
    coracle_run -- setuid id
    assert_output_has "uid $(id -u) $(id -u) $(id -u)"
}

@test "--root has capabilities in its own namespace only" {
    coracle_run --root -- sh -c 'mount -t tmpfs none /opt && grep -c " /opt " /proc/self/mountinfo'
    assert_output 1
    run ! grep ' /opt ' /proc/self/mountinfo
    coracle_run --root -- chown 12345 /tmp
    [[ $status -ne 0 ]]
    coracle_run --root -- mknod "$OUTSIDE/device" c 1 3
    [[ $status -ne 0 ]]
    assert_outside_untouched
}

@test "a missing target on a directory of the host is not made there, with --write either" {
    coracle_run --bind "$OUTSIDE:/mnt" --bind "$IMAGE/etc:/mnt/new/deep" -- ls /mnt/new/deep/hosts
    assert_success
    assert_outside_untouched
    ! is_squashfs || return 0 # which refuses --write
    coracle_run --write --bind "$OUTSIDE:/mnt" --bind "$IMAGE/etc:/mnt/new/deep" -- ls /mnt/new/deep/hosts
    assert_success
    assert_outside_untouched
}

# --- the launcher's own program ----------------------------------------------------

@test "the launcher cannot be changed by way of /proc/self/exe" {
    local before script
    before=$(sha256sum <"$PROGRAM")
    coracle_run --entrypoint /proc/self/exe -- --version
    assert_ran_or_refused
    for script in '#!/proc/self/exe' '#!/proc/self/exe run' '#! /proc/self/exe'; do
        printf '%s\n' "$script" >"$IMAGE/bin/again"
        chmod 755 "$IMAGE/bin/again"
        capture timeout -k 1 20 "$CORACLE" run "$IMAGE" again
        [[ $status -ne 124 && $status -lt 128 ]] || report "hangs or dies" || return
    done
    inside 'for p in /proc/[0-9]*; do echo broken 2>/dev/null >"$p/exe"; done; :' 2>/dev/null
    assert_equal "$(sha256sum <"$PROGRAM")" "$before"
}

@test "a launcher that an image runs again starts none of the image's programs" {
    need_static # or the image lacks its interpreter
    local directory
    for directory in "${PROGRAM%/*}" "$(cd "${PROGRAM%/*}/.." && pwd)/libexec/coracle" /usr/libexec/coracle; do
        mkdir -p "$IMAGE$directory"
        printf '#!/bin/sh\necho planted >&2\n' >"$IMAGE$directory/coracle-record"
        chmod 755 "$IMAGE$directory/coracle-record"
    done
    # Without /tmp, /dev and XDG_RUNTIME_DIR there is no record to be found.
    capture env -u XDG_RUNTIME_DIR "$CORACLE" run --no-default-binds --bind /proc \
        --entrypoint /proc/self/exe "$IMAGE" -- explain / true
    assert_success
    assert_stderr_lacks planted
}

@test "no descriptor of the launcher is inherited" {
    # Beside those of the caller: bats has some open.
    local outside
    capture ls /proc/self/fd
    outside=$output
    capture "$CORACLE" run "$IMAGE" ls /proc/self/fd
    assert_equal "$(wc -w <<<"$output")" "$(wc -w <<<"$outside")"
    # shellcheck disable=SC2016 # the shell inside expands
    capture "$CORACLE" run "$IMAGE" sh -c 'readlink /proc/$$/fd/*'
    assert_output_lacks coracle
    assert_output_lacks "$IMAGE"
}

# --- where the command starts --------------------------------------------------------

@test "a working directory of /proc's links is refused or lies inside" {
    local directory
    for directory in /proc/self/cwd /proc/self/root /proc/1/cwd /proc/1/root /proc/self/fd/{3..20} \
        /proc/thread-self/cwd /../../.. /proc/self/../../..; do
        coracle_run --workdir "$directory" -- hostile reach "$HOST_ROOT"
        [[ $status -eq 125 ]] || assert_output '11 tries' || return
    done
}

@test "a WORKDIR of the image that is one of /proc's links is not entered" {
    local directory
    mkdir -p "$IMAGE/.coracle"
    mkdir -p "$BATS_TEST_TMPDIR/not-inside"
    cd "$BATS_TEST_TMPDIR/not-inside"
    for directory in /proc/self/cwd /proc/self/fd/5 /proc/1/root ../../.. /etc/link; do
        ln -sfn /proc/self/cwd "$IMAGE/etc/link"
        printf '{"config": {"WorkingDir": "%s"}}' "$directory" >"$IMAGE/.coracle/config.json"
        coracle_run --no-default-binds -- hostile reach "$HOST_ROOT"
        assert_output '11 tries' || return
        coracle_run --no-default-binds -- pwd
        assert_output / || return
    done
}

@test "a PWD that is one of /proc's links is not entered" {
    PWD=/proc/self/cwd coracle_run -- hostile reach "$HOST_ROOT"
    assert_output '11 tries'
}

# --- names of the image that mislead ----------------------------------------------------

# mislead NAME LINK: NAME of the image is a link to LINK.
mislead() {
    rm -rf "${IMAGE:?}$1"
    ln -s "$2" "$IMAGE$1"
}

@test "directories of the image that are links never lead a mount outside" {
    local name link count=0
    for name in /dev /proc /sys /etc /tmp /home; do
        for link in "$OUTSIDE" "../../../../../../../..$OUTSIDE" /nowhere . / "$name" "../$name" /proc/self/cwd /proc/1/root; do
            make_image "image-$count"
            mislead "$name" "$link"
            capture timeout -k 1 20 "$CORACLE" run --bind "$OUTSIDE:/etc/deep/er:ro" "$IMAGE" true
            assert_ran_or_refused || return
            assert_outside_untouched || { echo "with $name -> $link" >&2; return 1; }
            rm -rf "$IMAGE"
            count=$((count + 1))
        done
    done
    [[ $count -eq 54 ]]
}

@test "files that are replaced may be links, directories, FIFOs" {
    local name
    for name in passwd group hosts resolv.conf localtime; do
        for kind in "ln -s $OUTSIDE/file" 'ln -s /nowhere' "ln -s ../../../../../..$OUTSIDE/new" 'mkdir' 'mkfifo' 'ln -s .'; do
            rm -rf "${IMAGE:?}/etc/$name"
            $kind "$IMAGE/etc/$name"
            capture timeout -k 1 20 "$CORACLE" run "$IMAGE" true
            assert_success || { echo "with $kind /etc/$name" >&2; return 1; }
            assert_outside_untouched || return
        done
        rm -rf "${IMAGE:?}/etc/$name"
    done
}

@test "a configuration that misleads is refused or ignored, at once" {
    local kind size=8G
    ! is_squashfs || size=80M # to be packed
    mkdir "$IMAGE/.coracle"
    for kind in 'mkfifo' 'mkdir' "ln -s $OUTSIDE/file" 'ln -s /dev/zero' 'ln -s .' "truncate -s $size"; do
        $kind "$IMAGE/.coracle/config.json"
        capture timeout -k 1 20 "$CORACLE" run "$IMAGE" true
        assert_ran_or_refused || { echo "with $kind" >&2; return 1; }
        assert_stderr_lacks untouched
        rm -rf "$IMAGE/.coracle/config.json"
    done
    head -c 1000000 /dev/zero | tr '\0' '[' >"$IMAGE/.coracle/config.json"
    assert_equal "$(coracle_run -- true; echo "$status")" 125
    rm -r "$IMAGE/.coracle"
    echo '{"config": {"Cmd": ["true"]}}' >"$OUTSIDE/config.json"
    ln -s "$OUTSIDE" "$IMAGE/.coracle"
    coracle_run
    assert_fails 127 no-command
    rm "$OUTSIDE/config.json"
}

@test "nothing of a name reaches the terminal as a control character" {
    local name=$'evil\033]0;title\a\nnew line'
    coracle_run -- "$name"
    assert_status 127
    [[ $stderr != *$'\033'* && $stderr != *$'\a'* && $stderr != *$'\n'* ]] || report "control characters"
    coracle_run --bind "/$name:/x" -- true
    assert_status 125
    [[ $stderr != *$'\033'* && $stderr != *$'\a'* && $stderr != *$'\n'* ]] || report "control characters"
}
