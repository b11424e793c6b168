#!/usr/bin/env bats
# coracle doctor: what it finds where something is missing, that it says so as `run` does, and that
# its exit status is right about `run`.

# Scripts for shells further in stand in single quotes; each test is a subshell.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helpers
load squashfs
load refusals

setup() {
    squashfs_setup
    DIRECTORY=$IMAGE
    export DIRECTORY
}

# examine COMMAND...: `coracle doctor` as text and as JSON, executed by COMMAND, and a launch of a
# directory. They agree: the exit statuses, and where the launch fails what it says.
examine() {
    local text said
    capture "$@" "$CORACLE" doctor
    text=$output
    verdict_status=$status
    [[ -z $stderr && $status -le 3 ]] || report 'expected findings' || return
    capture "$@" "$CORACLE" doctor --json
    assert_status "$verdict_status" || return
    json=$output
    [[ $(python3 -c 'import json, sys; print(json.load(sys.stdin)["status"])' <<<"$json") == "$status" ]] ||
        report 'expected the status in the object' || return
    capture "$@" "$CORACLE" run --share=none "$DIRECTORY" -- true
    if [[ $verdict_status -lt 3 ]]; then
        assert_success || return
    else
        assert_status 125 || return
        # What is said of an image is said of that which the doctor takes.
        capture "$@" "$CORACLE" run --share=none --tmpfs=/coracle-doctor / -- true
        said=${stderr#coracle: error: }
        said=${said% \[*\]}
        [[ -n $said && $text == *": $said ["* ]] || report "expected these words of the doctor: $text" || return
    fi
    output=$text status=$verdict_status
}

# finding NAME MEMBER: of what `examine` has left.
finding() {
    python3 -c 'import json, sys
for finding in json.load(sys.stdin)["findings"]:
    if finding["name"] == sys.argv[1]:
        print(finding[sys.argv[2]])' "$1" "$2" <<<"$json"
}

# found NAME VERDICT [TEXT]: it is there, with TEXT in what was found or what helps.
found() {
    assert_equal "$(finding "$1" verdict)" "$2" || return
    [[ -z ${3-} || "$(finding "$1" finding) $(finding "$1" remedy)" == *"$3"* ]] || report "expected of $1: $3"
}

# here SCRIPT [ARG...]: bash executes SCRIPT, in which $@ is what was given behind --, as root of a user namespace
# with a mount namespace: a host that can be changed.
here() {
    local script=$1
    shift
    unshare -Urm bash -c "set -eu; $script"'; exec "$@"' bash "$@"
}

@test "a usual node: every section, in both forms, and nothing is left" {
    local before
    before=$(world)
    examine env
    diff <(printf '%s\n' "$before") <(world) >&2
    [[ -z $(ours_alive) ]]
    servers_end
    found directory ok
    found squashfs ok
    found programs ok
    found user-namespaces ok
    found id-maps ok
    found nested ok
    found joining ok
    found fuse-mount ok
    found /tmp ok
    for section in launch namespaces mounts fuse storage jobs hardware; do
        [[ $'\n'$output == *$'\n'"$section"$'\n'* ]] || report "expected the section $section"
    done
    [[ $output != *$'\e'* ]]
    # Each finding that is not in order says what to do, and by whom.
    python3 -c 'import json, sys
node = json.load(sys.stdin)
assert set(node) == {"version", "kernel", "machine", "run", "status", "findings"}
for one in node["findings"]:
    assert set(one) == {"section", "name", "verdict", "finding", "consequence", "remedy", "by"}
    assert one["verdict"] in ("ok", "note") or one["consequence"]
    assert one["remedy"] is None or one["by"] in ("user", "site")' <<<"$json"
}

@test "--quiet prints what is not in order, and the sum" {
    capture env TMPDIR=/nowhere/at/all "$CORACLE" doctor --quiet
    assert_status 2
    assert_output_lacks '  ok  '
    [[ $output == *$'storage\n  warn  TMPDIR: '*'/nowhere/at/all'* ]] || report 'expected TMPDIR'
    [[ ${lines[-1]} == 'coracle run works here, but not everything does. Breaks some: TMPDIR.'* ]]
}

@test "other arguments are refused" {
    refused 125 usage doctor now
    refused 125 usage doctor --json --quiet
    refused 125 usage doctor --jsn
    capture "$CORACLE" doctor --help
    assert_output_has 'Exit status: 0 '
}

@test "where SIGCHLD is ignored" {
    trap '' CHLD
    examine env
    found directory ok
}

@test "user namespaces: none, one, two; no mount namespace" {
    local number
    examine here 'echo 0 >/proc/sys/user/max_user_namespaces'
    assert_equal "$status" 3
    found user-namespaces fail 'user.max_user_namespaces is 0'
    for number in 1 2; do
        examine here "echo $number >/proc/sys/user/max_user_namespaces"
        [[ $status -lt 3 ]]
        found user-namespaces ok
    done
    found nested ok
    examine here 'echo 1 >/proc/sys/user/max_user_namespaces'
    assert_equal "$status" 2
    found nested warn 'the limit user.max_user_namespaces'
    found squashfs warn 'no further user or mount namespace'
    examine here 'echo 0 >/proc/sys/user/max_mnt_namespaces'
    assert_equal "$status" 3
    found user-namespaces fail 'user.max_mnt_namespaces is 0'
}

@test "the user's count is used up by others" {
    examine here 'echo 1 >/proc/sys/user/max_user_namespaces
        unshare -U sleep 60 & trap "kill $!" EXIT
        until its=$(readlink /proc/$!/ns/user) && [[ $its != $(readlink /proc/self/ns/user) ]]; do kill -0 $!; sleep 0.02; done
        "$@"; status=$?; kill $!; trap - EXIT; exit $status'
    assert_equal "$status" 3
    found user-namespaces fail 'no further user or mount namespace'
}

@test "in a chroot" {
    export BUILD
    BUILD=$(dirname "$PROGRAM")
    mkdir root
    examine here 'for name in usr bin lib lib64 etc proc dev tmp "$BATS_TEST_TMPDIR"; do
            [[ -d /${name#/} ]] || continue
            mkdir -p "root/${name#/}"
            mount --rbind "/${name#/}" "root/${name#/}"
        done
        mkdir -p "root/$BUILD"
        mount --rbind "$BUILD" "root/$BUILD"
        set -- chroot root "$@"'
    assert_equal "$status" 3
    found user-namespaces fail 'in a chroot, and this is one'
}

@test "system calls that a filter around us forbids" {
    local call errno seen=0 calls=(unshare setns process_vm_readv)
    compile_into forbid forbid.c
    is_older_kernel || calls+=(open_tree move_mount fsopen openat2 mount_setattr)
    # A sanitizer's look for leaks needs calls of its own.
    export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
    for call in "${calls[@]}"; do
        for errno in 1 38; do
            examine ./forbid "$(number_of "$call")" "$errno" || return
            [[ $status -ge 1 ]] || report "expected $call to be missed" || return
            seen=$((seen + 1))
        done
        case $call in
        unshare) found user-namespaces fail 'a seccomp filter is around us' ;;
        setns) found joining slow setns ;;
        process_vm_readv) [[ $(finding mpi-copies verdict) == slow ]] ;;
        fsopen) [[ $(finding fsopen verdict) =~ ^(slow|fail)$ ]] ;;
        *) [[ $(finding "$call" verdict) =~ ^(slow|fail)$ ]] ;;
        esac || report "expected a finding about $call" || return
    done
    assert_equal "$seen" $((2 * ${#calls[@]}))
}

@test "/dev/fuse: closed: unpacked, as a launch says; no device of FUSE" {
    local change='mount --bind "$DEVICE" /dev/fuse; set -- unshare -U --map-user=1000 --map-group=1000 "$@"'
    pack image.sqfs
    touch closed
    chmod 000 closed
    export DEVICE=closed
    examine here "$change"
    assert_equal "$status" 1
    found squashfs ok
    found /dev/fuse slow 'closed to you'
    capture here "$change" "$CORACLE" run --share=none "$IMAGE" -- true
    assert_success
    assert_stderr_has "coracle: warning: $(finding /dev/fuse finding); $(finding /dev/fuse remedy): the image "
    DEVICE=/dev/null
    examine here "$change"
    assert_equal "$status" 2
    found squashfs warn '[fuse]'
    found fuse-mount warn 'no device of FUSE'
}

@test "/dev/fuse: closed, and no place to unpack to" {
    touch closed
    chmod 000 closed
    export TMPDIR=
    examine here 'mount --bind closed /dev/fuse
        mount -o bind /tmp /tmp; mount -o remount,bind,ro /tmp
        mount -t tmpfs -o ro none /dev/shm
        set -- unshare -U --map-user=1000 --map-group=1000 "$@"'
    assert_equal "$status" 2
    found squashfs warn 'there is no place on this node to unpack'
    found /dev/fuse warn 'closed to you'
    found unpacking warn --unpack=DIRECTORY
    found /tmp warn 'read-only'
}

@test "places: missing, read-only, noexec, small, none" {
    export TMPDIR=$BATS_TEST_TMPDIR/scratch
    examine env
    assert_equal "$status" 2
    found TMPDIR warn 'no such file'
    mkdir scratch
    examine here 'mount -t tmpfs -o ro none scratch'
    found TMPDIR warn 'read-only'
    examine here 'mount -t tmpfs -o noexec,size=1m none scratch'
    found TMPDIR ok 'noexec'
    found unpacking ok /tmp
    examine here 'mount -t tmpfs -o noexec none scratch; mount -t tmpfs -o noexec,size=64m none /dev/shm'
    found /dev/shm warn --shm-size
    examine env TMPDIR=
    assert_equal "$(finding TMPDIR verdict)" ''
    examine env -u HOME -u XDG_CACHE_HOME
    found cache warn 'neither HOME nor XDG_CACHE_HOME'
    examine env CORACLE_CACHE=/proc/none
    found cache warn '/proc/none (CORACLE_CACHE)'
    capture env CORACLE_CACHE=here "$CORACLE" doctor --json
    json=$output
    assert_equal "$status" 3
    found cache fail 'CORACLE_CACHE: here must be an absolute path'
}

@test "the cache that is configured is judged, not the usual one" {
    export CORACLE_CONFIG=$PWD/coracle.toml
    printf '# places\n[images]\ncache = "/proc/$USER_OF_IT/coracle"\n' >coracle.toml
    examine env USER_OF_IT=zoe
    assert_equal "$status" 2
    found cache warn "/proc/zoe/coracle ($PWD/coracle.toml:3)"
    examine env -u USER_OF_IT
    found cache warn "$PWD/coracle.toml:3: the variable USER_OF_IT in cache is not set"
    examine env CORACLE_CACHE="$PWD/mine"
    found cache ok "$PWD/mine (CORACLE_CACHE)"
    printf '[images]\ncache = "%s/kept"\n' "$PWD" >coracle.toml
    examine env
    found cache ok "$PWD/kept ($PWD/coracle.toml:2)"
}

@test "tickets: in a file, in a keyring that stays behind" {
    examine env KRB5CCNAME=FILE:/tmp/krb5cc_1
    found kerberos ok FILE:/tmp/krb5cc_1
    examine env KRB5CCNAME=KEYRING:persistent:1000
    assert_equal "$status" 2
    found kerberos warn 'KRB5CCNAME=FILE:'
    examine env KRB5CCNAME=KEYRING:session:x
    found kerberos ok KEYRING:session:x
    examine env KRB5CCNAME=KCM:
    found kerberos note KCM:
}

@test "munge: its socket answers, or nobody listens" {
    local script='import os, socket, sys, time
os.makedirs("/run/munge", exist_ok=True)
s = socket.socket(socket.AF_UNIX)
s.bind("/run/munge/munge.socket.2")
if sys.argv[1] == "answers": s.listen()
os.execvp(sys.argv[2], sys.argv[2:]) if sys.argv[1] == "silent" else None
pid = os.fork()
if pid == 0: os.execvp(sys.argv[2], sys.argv[2:])
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))'
    export XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR/own # a record of its own
    mkdir -m 700 own
    examine here 'mount -t tmpfs none /run' python3 -c "$script" answers
    found slurm-auth ok /run/munge
    rm -rf own/*
    examine here 'mount -t tmpfs none /run' python3 -c "$script" silent
    found slurm-auth warn 'onnection refused'
}

@test "the installation: a program is missing, or of another build" {
    local name
    capture "$CORACLE" doctor
    [[ $output == *"all are there and of one build"* ]] || report 'expected all of one build'
    mkdir there
    for name in coracle coracle-doctor coracle-record coracle-fuse coracle-image coracle-config; do
        cp "$(dirname "$PROGRAM")/$name" there/
    done
    sed -i -E 's/(coracle build mark [^ ]+ )[0-9a-f]{4}/\1beef/' there/coracle-fuse # its version is the same
    sed -i 's/coracle build mark/Coracle build mark/' there/coracle-image there/coracle-config
    CORACLE=$PWD/there/coracle
    examine env
    found coracle-broker slow 'not found'
    found coracle-fuse warn ' beef'
    found coracle-image warn 'does not say'
    found coracle-config warn 'does not say'
    rm there/coracle-fuse there/coracle-config
    examine env
    found coracle-fuse warn 'not found'
    found coracle-config note 'not found'
    found squashfs warn '[server]'
    rm there/coracle-doctor
    refused 125 system doctor
}

@test "a configuration that cannot be used breaks every launch" {
    echo 'nonsense' >coracle.toml
    examine env CORACLE_CONFIG="$PWD/coracle.toml"
    assert_equal "$status" 3
    found directory fail coracle.toml:1
    found configuration fail coracle.toml:1
}

@test "settings that would change the host change nothing" {
    local before after
    printf '[run]\nwrite = true\nbind = ["/etc:/coracle-doctor-made-this"]\n' >coracle.toml
    before=$(ls -A /)
    capture env CORACLE_CONFIG="$PWD/coracle.toml" CORACLE_WRITE=yes CORACLE_ENTRYPOINT="touch entered" "$CORACLE" doctor --json
    [[ $status -lt 3 ]] || report 'expected a launch'
    after=$(ls -A /)
    assert_equal "$after" "$before"
    [[ ! -e entered ]]
}

# Prints "left: PROCESS" for each coracle-record that reads a configuration file in $1.
look='for file in /proc/[0-9]*/cmdline; do
    ! grep -qsz "coracle-record$" "$file" || ! grep -qsz "^CORACLE_CONFIG=$1/" "${file%cmdline}environ" || echo "left: $file" >&2
done'
export look

@test "a file system that does not answer: in PATH, below a configuration file" {
    mkdir hung
    # FUSE whose server answers nothing, for as long as the descriptor is open.
    local start=$SECONDS change="exec 9<>/dev/fuse
        mount -i -t fuse -o fd=9,rootmode=40000,user_id=0,group_id=0 none $PWD/hung"
    # shellcheck disable=SC2123
    capture timeout -k 5 100 unshare -Urm bash -c "$change
        CORACLE_CONFIG=$PWD/hung/coracle.toml PATH=$PWD/hung/bin:\$PATH "'"$0" doctor --json
        status=$?
        bash -c "$look" bash "$PWD/hung"
        exit $status' "$CORACLE"
    assert_status 3
    assert_equal "$stderr" ''
    json=$output
    found directory fail 'not ready after 10 seconds; does a file system hang?'
    found mpi-launchers warn 'in PATH does not answer'
    found configuration warn 'was not read within 10 seconds'
    found overlay ok
    [[ $((SECONDS - start)) -lt 90 ]]
}

@test "a file system that does not answer: interrupted, nothing is left" {
    mkdir hung
    # shellcheck disable=SC2123
    capture timeout -k 5 60 unshare -Urm bash -c "exec 9<>/dev/fuse
        mount -i -t fuse -o fd=9,rootmode=40000,user_id=0,group_id=0 none $PWD/hung
        CORACLE_CONFIG=$PWD/hung/coracle.toml "'"$0" doctor >said & doctor=$!
        for ((i = 0; i < 100; i++)); do
            sleep 0.1
            [[ -z $(bash -c "$look" bash "$PWD/hung" 2>&1) ]] || break
        done
        ((i < 100)) || echo "nothing to interrupt" >&2
        kill -TERM "$doctor"
        wait "$doctor"
        status=$?
        sleep 0.5
        bash -c "$look" bash "$PWD/hung"
        exit "$status"' "$CORACLE"
    assert_status 143
    [[ $stderr != *left* && $stderr != *nothing* ]] || report 'expected no process to be left'
}
