#!/usr/bin/env bats
# Options that mount: --bind, --mount, --tmpfs, --home and their opposites.

# Scripts for shells further in stand in single quotes; each test is a subshell.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helpers

# --- --bind ----------------------------------------------------------------

@test "--bind SRC shows it at the same path" {
    on_host 'mount -t tmpfs none /mnt
        mkdir -p /mnt/scratch
        echo here >/mnt/scratch/file
        "$CORACLE" run --bind /mnt/scratch "$IMAGE" -- cat /mnt/scratch/file'
    assert_output here
}

@test "--bind SRC:DST shows it elsewhere, writable" {
    make_source
    coracle_run --bind "$SOURCE:/scratch" -- sh -c 'cat /scratch/file; echo new >/scratch/new'
    assert_output 'from the host'
    assert_equal "$(cat "$SOURCE/new")" new
}

@test "--bind replaces what the image has at DST, a directory and a file" {
    make_source
    coracle_run -b "$SOURCE:/opt/data" -b "$SOURCE/file:/etc/image-release" -- \
        cat /opt/data/file /etc/image-release
    assert_output 'from the host
from the host'
}

@test "--bind takes a relative source" {
    make_source
    coracle_run --bind "source:/scratch" -- cat /scratch/file
    assert_output 'from the host'
}

@test "--bind resolves .. and links in the source on the host, not in the image" {
    make_source
    mkdir -p "$IMAGE$SOURCE"
    ln -s "../../../../../../../../../../../../$SOURCE" to-source
    coracle_run --no-default-binds --bind "/tmp/../$SOURCE:/a" --bind "$PWD/to-source:/b" \
        --bind "/proc/../$SOURCE:/c" -- cat /a/file /b/file /c/file
    assert_output 'from the host
from the host
from the host'
}

@test "--bind :ro is read-only, with all that is mounted below" {
    on_host 'mount -t tmpfs none /mnt
        mkdir -p /mnt/a/sub
        mount -t tmpfs none /mnt/a/sub
        "$CORACLE" run --bind /mnt/a:/scratch:ro "$IMAGE" -- \
            sh -c "touch /scratch/x || touch /scratch/sub/x || echo refused"'
    assert_output refused
    assert_stderr_has '/scratch/x: Read-only file system'
    assert_stderr_has '/scratch/sub/x: Read-only file system'
}

@test "--bind :rw is writable" {
    make_source
    coracle_run --bind "$SOURCE:/scratch:rw" -- touch /scratch/x
    assert_success
    [[ -e $SOURCE/x ]]
}

@test "--bind :nosuid,nodev,noexec set these flags" {
    on_host 'mount -t tmpfs none /mnt
        mkdir /mnt/a
        cp "$PAYLOAD" /mnt/a/program
        for options in ro,nosuid nodev noexec nosuid,nodev,noexec rw; do
            "$CORACLE" run --bind "/mnt/a:/scratch:$options" "$IMAGE" -- payload mount-flags /scratch
        done
        "$CORACLE" run --bind /mnt/a:/scratch "$IMAGE" -- /scratch/program exit 3 || echo $?
        "$CORACLE" run --bind /mnt/a:/scratch:noexec "$IMAGE" -- /scratch/program exit 3 || echo $?'
    assert_success
    local flags
    flags=(ro*nosuid 'rw*nodev*' 'rw*noexec' 'rw nosuid nodev noexec' rw* 3 126)
    local i
    for i in "${!flags[@]}"; do
        # shellcheck disable=SC2053 # a pattern
        [[ ${lines[i]} == ${flags[i]} ]] || report "line $i: expected ${flags[i]}"
    done
    [[ ${lines[4]} != *noexec* ]] || report 'noexec where nobody asked for it'
}

@test "--bind keeps the flags of the source" {
    on_host 'mount -t tmpfs -o ro,nosuid,nodev,noexec none /mnt
        "$CORACLE" run --bind /mnt:/scratch:rw "$IMAGE" -- payload mount-flags /scratch
        as 1000 "$CORACLE" run --bind /mnt:/scratch "$IMAGE" -- payload mount-flags /scratch'
    assert_output 'ro nosuid nodev noexec
ro nosuid nodev noexec'
}

@test "--bind shows what is mounted below the source, with rbind and without" {
    on_host 'mount -t tmpfs none /mnt
        mkdir -p /mnt/a/sub
        mount -t tmpfs none /mnt/a/sub
        echo below >/mnt/a/sub/file
        for options in rbind rw; do
            "$CORACLE" run --bind "/mnt/a:/scratch:$options" "$IMAGE" -- cat /scratch/sub/file
        done'
    assert_output 'below
below'
}

@test "--bind :optional is left out where the source is missing" {
    coracle_run --bind /nowhere/at-all:/scratch:optional -- ls -d /scratch
    assert_status 1
    assert_stderr_lacks coracle:
}

@test "--bind without optional fails where the source is missing" {
    coracle_run --bind /nowhere/at-all:/scratch -- true
    assert_fails 125 /nowhere/at-all
}

@test "--bind: a backslash escapes a colon, and itself" {
    make_source 'a:b'
    coracle_run --bind 'a\:b:/opt/x\:y:ro' -- cat /opt/x:y/file
    assert_output 'from the host'
    make_source 'c\d'
    coracle_run --bind 'c\\d:/scratch' -- cat /scratch/file
    assert_output 'from the host'
}

@test "--bind: blanks, commas and newlines in paths are only characters" {
    make_source $'s p,a\nce'
    coracle_run --bind "$SOURCE:/x y,z" -- cat '/x y,z/file'
    assert_output 'from the host'
}

@test "--bind: bad options and targets are refused by name" {
    make_source
    coracle_run --bind "$SOURCE:/x:colour" -- true
    assert_fails 125 colour
    coracle_run --bind "$SOURCE:relative" -- true
    assert_fails 125 relative
    coracle_run --bind '' -- true
    assert_fails 125 --bind
    coracle_run --bind "$SOURCE:/x:ro:more" -- true
    assert_fails 125 --bind
}

@test "--bind: many, in order, a later one over an earlier one" {
    make_source one
    echo 1 >one/file
    make_source two
    echo 2 >two/file
    coracle_run -b "$PWD/one:/scratch" -b "$PWD/two:/scratch" -- cat /scratch/file
    assert_output 2
}

# --- --mount, --tmpfs ------------------------------------------------------

@test "--mount type=bind" {
    make_source
    coracle_run --mount "type=bind,source=$SOURCE,target=/scratch" -- \
        sh -c 'cat /scratch/file && touch /scratch/new'
    assert_output 'from the host'
    coracle_run --mount "type=bind,source=$SOURCE,target=/scratch,ro" -- touch /scratch/x
    assert_status 1
    assert_stderr_has 'Read-only file system'
}

@test "--mount takes a colon as a character" {
    make_source 'a:b'
    coracle_run --mount "type=bind,source=$SOURCE,target=/x:y" -- cat /x:y/file
    assert_output 'from the host'
}

@test "--mount type=tmpfs, with a size" {
    coracle_run --mount type=tmpfs,target=/scratch,size=1m -- \
        sh -c 'df -k /scratch | tail -n 1 | tr -s " " | cut -d" " -f2; echo x >/scratch/x'
    assert_output 1024
}

@test "--mount refuses what it does not know, by name" {
    coracle_run --mount type=nfs,target=/x -- true
    assert_fails 125 nfs
    coracle_run --mount type=tmpfs,target=/x,colour=red -- true
    assert_fails 125 colour
    coracle_run --mount source=/tmp,target=/x -- true
    assert_fails 125 type
    coracle_run --mount type=bind,target=/x -- true
    assert_fails 125 source
    coracle_run --mount type=tmpfs -- true
    assert_fails 125 target
}

@test "--tmpfs DST is empty and writable, and of this launch alone" {
    coracle_run --tmpfs /opt/data -- sh -c 'ls /opt/data; echo x >/opt/data/x && cat /opt/data/x'
    assert_output x
    coracle_run --tmpfs /opt/data -- ls /opt/data
    assert_output ''
    [[ ! -e $IMAGE/opt/data/x ]]
}

@test "--tmpfs DST:size= limits it" {
    coracle_run --tmpfs /scratch:size=64k -- dd if=/dev/zero of=/scratch/x bs=1k count=65
    assert_status 1
    assert_stderr_has 'No space left'
    coracle_run --tmpfs /scratch:size=128k -- dd if=/dev/zero of=/scratch/x bs=1k count=65
    assert_success
}

@test "--tmpfs refuses a bad size" {
    local size
    for size in '' -1 1x 99999999999999999999 0x10; do
        coracle_run --tmpfs "/scratch:size=$size" -- true
        assert_status 125
    done
    coracle_run --tmpfs "/scratch:size=1x" -- true
    assert_fails 125 1x
}

# --- --home, --no-home, --no-default-binds ---------------------------------

# on_home_host COMMAND: with /mnt/zoe as the home directory, and /mnt/other.
on_home_host() {
    on_host 'mount -t tmpfs none /mnt
        mkdir /mnt/zoe /mnt/other
        echo zoe >/mnt/zoe/file
        echo other >/mnt/other/file
        export HOME=/mnt/zoe
        coracle() { "$CORACLE" run "$@" "$IMAGE" -- sh -c "cat /mnt/zoe/file; ls /mnt; echo \$HOME"; }
        '"$1"
}

@test "--home shows the home directory" {
    on_home_host 'coracle --home'
    assert_output 'zoe
zoe
/mnt/zoe'
}

@test "--no-home does not" {
    on_home_host 'coracle --no-home'
    assert_output_lacks zoe$'\n'zoe
    assert_stderr_has "can't open '/mnt/zoe/file'"
    on_home_host 'CORACLE_NO_HOME=yes coracle'
    assert_stderr_has "can't open '/mnt/zoe/file'"
}

@test "--home=DIR shows DIR as home" {
    on_home_host '"$CORACLE" run --home=/mnt/other "$IMAGE" -- sh -c "cat \$HOME/file; cat ~/file"'
    assert_output 'other
other'
}

@test "--no-default-binds shows only proc, sys and dev" {
    on_home_host 'cd /
        "$CORACLE" run --no-default-binds --bind /mnt/other:/scratch "$IMAGE" -- sh -c "
            ls /tmp; ls /mnt; cat /etc/hosts /etc/resolv.conf /etc/passwd
            cat /scratch/file; test -c /dev/null && test -d /proc/self && test -d /sys/kernel && echo kernel"'
    assert_success
    assert_output "image hosts
image resolver
$(cat "$IMAGE/etc/passwd")
other
kernel"
    assert_stderr_has '/mnt: No such file'
}
