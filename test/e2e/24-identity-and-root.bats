#!/usr/bin/env bats
# Options for identity, for a writable root and for what is printed.

# Scripts for shells further in stand in single quotes; each test is a subshell.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helpers

# --- identity --------------------------------------------------------------

@test "by default one is oneself, without capabilities, and cannot gain any" {
    coracle_run -- sh -c 'payload id; grep ^Cap /proc/self/status; payload no-new-privs'
    local uid gid
    uid=$(id -u) gid=$(id -g)
    assert_success
    assert_equal "${lines[0]}" "uid $uid $uid $uid"
    assert_equal "${lines[1]}" "gid $gid $gid $gid"
    local set
    for set in CapInh CapPrm CapEff CapAmb; do
        [[ $output == *"$set:"$'\t'0000000000000000* ]] || report "expected no $set"
    done
    assert_equal "${lines[-1]}" 1
}

@test "--uid and --gid, without capabilities also as 0" {
    coracle_run --uid 0 --gid 0 -- sh -c 'payload id; grep ^CapEff /proc/self/status'
    assert_output 'uid 0 0 0
gid 0 0 0
CapEff:	0000000000000000'
    coracle_run -u 4000000000 -g 70000 -- payload id
    assert_output 'uid 4000000000 4000000000 4000000000
gid 70000 70000 70000'
}

@test "--uid alone leaves the group, and the other way round" {
    coracle_run --uid 77 -- payload id
    assert_output "uid 77 77 77
gid $(id -g) $(id -g) $(id -g)"
    coracle_run --gid 77 -- payload id
    assert_output "uid $(id -u) $(id -u) $(id -u)
gid 77 77 77"
}

@test "what one writes with --uid belongs to oneself outside" {
    make_source
    coracle_run --uid 77 --bind "$SOURCE:/scratch" -- touch /scratch/new
    assert_success
    assert_equal "$(stat -c %u "$SOURCE/new")" "$(id -u)"
}

@test "--root is uid 0 with the capabilities of its namespace: it can mount" {
    coracle_run --root -- sh -c 'payload id && mount -t tmpfs none /opt/data &&
        touch /opt/data/x && chown 0:0 /opt/data/x && ls /opt/data && mount --bind /bin /opt &&
        /opt/echo bound'
    assert_output 'uid 0 0 0
gid 0 0 0
x
bound'
    coracle_run --root -- grep ^CapEff /proc/self/status
    assert_output_lacks 'CapEff:	0000000000000000'
}

@test "--root has the folders of an administrator in PATH, unless somebody sets it" {
    export PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin
    coracle_run --root -- sh -c 'echo $PATH'
    assert_output /usr/local/bin:/usr/bin:/bin:/usr/sbin:/usr/local/sbin:/sbin
    coracle_run -- sh -c 'echo $PATH'
    assert_output /usr/local/bin:/usr/bin:/bin:/usr/sbin
    coracle_run --root --env PATH=/bin -- sh -c 'echo $PATH'
    assert_output /bin
    mkdir "$IMAGE/.coracle"
    printf '{"architecture": "amd64", "os": "linux", "config": {"Env": ["PATH=/opt:/bin"]}}' \
        >"$IMAGE/.coracle/config.json"
    coracle_run --root -- sh -c 'echo $PATH'
    assert_output /opt:/bin
}

@test "without --root nobody can mount, also with --uid 0" {
    coracle_run -- mount -t tmpfs none /opt/data
    assert_status 1
    coracle_run --uid 0 -- mount -t tmpfs none /opt/data
    assert_status 1
    assert_stderr_has 'ermission denied'
}

@test "who is nobody outside has one name and one id with --uid" {
    # shellcheck disable=SC2016
    on_host 'as 65534 "$CORACLE" run -u 7 -g 8 "$IMAGE" -- sh -c "cut -d : -f 1,3 /etc/passwd /etc/group"'
    assert_output 'root:0
nobody:7
root:0
gid-8:8
nogroup:65534'
}

# --- the record ------------------------------------------------------------

# record_of_4242 ETC: what is kept of that user after a launch with ETC as /etc; and his name inside.
record_of_4242() {
    on_host 'mount --bind "$1" /etc
        mkdir -p -m 700 own
        XDG_RUNTIME_DIR=$PWD/own as 4242 "$CORACLE" run "$IMAGE" -- id -un
        grep -h ^holds own/coracle-4242/record || echo nothing is kept
        rm -rf own' "$1"
}

@test "what the name service knows is kept for a day, what it does not know for a minute" {
    make_host_etc
    record_of_4242 "$HOST_ETC"
    assert_output 'zoe
holds=86400'
    sed -i /zoegroup/d "$HOST_ETC/group"
    record_of_4242 "$HOST_ETC"
    assert_output 'zoe
holds=60'
    sed -i /zoe/d "$HOST_ETC/passwd"
    record_of_4242 "$HOST_ETC"
    assert_output 'uid-4242
holds=60'
    assert_equal "$stderr" ''
}

@test "what the name service fails to look up is for one launch, with a warning" {
    make_host_etc
    ln -sf group "$HOST_ETC/group"
    record_of_4242 "$HOST_ETC"
    assert_output 'zoe
nothing is kept'
    assert_stderr_has 'gid 4242'
    ln -sf passwd "$HOST_ETC/passwd"
    record_of_4242 "$HOST_ETC"
    assert_output 'uid-4242
nothing is kept'
    assert_stderr_has 'uid 4242'
}

# --- a writable root -------------------------------------------------------

@test "--writable-tmpfs: the root can be changed, the image is not" {
    coracle_run --writable-tmpfs -- sh -c 'echo new >/etc/new && echo changed >/etc/image-release &&
        rm /opt/data/file && mkdir -p /opt/own/dir && cat /etc/new /etc/image-release && ls /opt /opt/data'
    assert_output 'new
changed
/opt:
data
own

/opt/data:'
    assert_equal "$(cat "$IMAGE/etc/image-release")" 'image name'
    [[ ! -e $IMAGE/etc/new && -e $IMAGE/opt/data/file && ! -e $IMAGE/opt/own ]]
    coracle_run -- ls /etc/new
    assert_status 1
}

# Before Linux 6.6 a tmpfs has no user.* attributes, by which an overlay notes that a directory is its own.
@test "--writable-tmpfs: directories of the image can be removed, made anew and renamed" {
    coracle_run --writable-tmpfs -- sh -c 'rm -r /opt/data && mkdir /opt/data && mv /opt/data /opt/other &&
        find /opt | sort'
    assert_output '/opt
/opt/other'
    [[ -e $IMAGE/opt/data/file ]]
}

@test "--writable-tmpfs=SIZE limits the changes" {
    coracle_run --writable-tmpfs=1m -- dd if=/dev/zero of=/opt/big bs=64k count=32
    assert_status 1
    assert_stderr_has 'No space left'
    coracle_run --writable-tmpfs=4m -- dd if=/dev/zero of=/opt/big bs=64k count=32
    assert_success
}

@test "--writable-tmpfs together with binds and missing mount points" {
    make_source
    coracle_run --writable-tmpfs -b "$SOURCE:/new/deep" -b "$SOURCE:/opt/data" -- \
        sh -c 'cat /new/deep/file /opt/data/file; touch /new/x /opt/x && id -un >/dev/null && echo ok'
    assert_output 'from the host
from the host
ok'
    [[ ! -e $IMAGE/new ]]
}

@test "--writable-tmpfs on a directory of another owner is refused with the reason" {
    skip_as_root 'every directory is ours'
    [[ ! -O / ]] || skip 'the root directory is ours'
    capture "$CORACLE" run --no-home --writable-tmpfs / -- true
    assert_fails 125 'image /' 'another user'
}

@test "--write changes the image" {
    directory_only 'it cannot be changed, and --write is refused'
    coracle_run --write -- sh -c 'echo new >/etc/new; rm /etc/image-release; mkdir /opt/dir'
    assert_success
    assert_equal "$(cat "$IMAGE/etc/new")" new
    [[ -d $IMAGE/opt/dir && ! -e $IMAGE/etc/image-release ]]
}

@test "--write with --root: what apt-get does, and it stays" {
    directory_only 'it cannot be changed, and --write is refused'
    coracle_run --write --root -- \
        sh -c 'echo x >/var/x && chown 0:0 /var/x && chmod 4755 /var/x && mkdir -p /usr/lib/y'
    assert_success
    assert_equal "$(stat -c %u:%a "$IMAGE/var/x")" "$(id -u):4755"
}

@test "--write and --writable-tmpfs exclude each other" {
    coracle_run --write --writable-tmpfs -- true
    assert_fails 125 --write --writable-tmpfs
}

# --- output ----------------------------------------------------------------

@test "--dry-run prints the plan and does nothing" {
    make_source
    coracle_run --dry-run --bind "$SOURCE:/scratch:ro" -- sh -c "touch $SOURCE/ran"
    assert_success
    assert_output_has /scratch
    assert_output_has "$SOURCE"
    assert_output_has '[--bind]'
    [[ ! -e $SOURCE/ran ]]
}

@test "-v tells all of a long plan" {
    local i
    local -a options=()
    for i in {1..80}; do options+=(-e "V$i=value"); done
    coracle_run -v "${options[@]}" -- echo out
    assert_output out
    assert_stderr_has $'\ncoracle: env         V80=value '
    assert_stderr_has $'\ncoracle: command     echo out '
}

@test "-v tells on stderr what is done; -q and the default are silent" {
    coracle_run -- echo out
    assert_output out
    assert_equal "$stderr" ''
    coracle_run -v -- echo out
    assert_output out
    assert_stderr_has "$IMAGE"
    coracle_run -q -- echo out
    assert_output out
    assert_equal "$stderr" ''
}

@test "options end at the image, with -- and without" {
    capture "$CORACLE" run "$IMAGE" payload args -v --bind -- x
    assert_output '[-v]
[--bind]
[--]
[x]'
    capture "$CORACLE" run -- "$IMAGE" payload args -v
    assert_output '[-v]'
}

@test "an unknown option is refused with the nearest one" {
    coracle_run --bnd x -- true
    assert_fails 125 --bnd --bind
    capture "$CORACLE" rnu "$IMAGE"
    assert_fails 125 rnu run
}

@test "--help prints every option, and goes to stdout" {
    capture "$CORACLE" run --help
    assert_success
    local option
    for option in --bind --mount --home --no-home --no-default-binds --workdir --env --env-file \
        --unset-env --clean-env --uid --gid --root --tmpfs --writable-tmpfs --write \
        --no-entrypoint --entrypoint --dry-run --json -v -q; do
        assert_output_has "$option"
    done
}

@test "help and version that cannot be written are an error" {
    local words
    for words in 'run --help' 'shell --help' 'explain --help' --help --version; do
        # shellcheck disable=SC2086 # words
        capture bash -c '"$CORACLE" "$@" >/dev/full' bash $words
        assert_fails 125 'standard output' || return
    done
}

@test "-q hides a warning" {
    mkdir bin
    copy_program bin
    # Nobody knows this user's name: no record, and no program that could make one.
    capture stranger bin/coracle run "$(image_file)" -- true
    assert_success
    [[ -n $stderr ]] || skip 'an installed coracle-record was found'
    assert_stderr_has warning
    capture stranger bin/coracle run -q "$(image_file)" -- true
    assert_success
    assert_equal "$stderr" ''
}
