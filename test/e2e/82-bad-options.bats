#!/usr/bin/env bats
# Bad input gets one clear error, a documented status and nothing left behind: mounts, options, values, the system.

load helpers
load refusals

# --- binds and mounts ---------------------------------------------------------------

@test "bind: the source is missing" {
    refused 125 bind-source run --bind "$BATS_TEST_TMPDIR/nowhere:/opt/data" "$IMAGE" true
    says "$BATS_TEST_TMPDIR/nowhere" --bind
    says_one_of 'does not exist' 'no such'
    says_one_of optional
}

@test "bind: a missing source that is optional is left out" {
    run --separate-stderr "$CORACLE" run --bind "$BATS_TEST_TMPDIR/nowhere:/opt/data:optional" "$IMAGE" cat /opt/data/file
    assert_output 'from the image'
    assert_equal "$stderr" ''
}

@test "bind: the missing source of --mount and of a variable says where it comes from" {
    refused 125 bind-source run --mount "type=bind,source=$BATS_TEST_TMPDIR/nowhere,target=/opt/data" "$IMAGE" true
    says "$BATS_TEST_TMPDIR/nowhere"
    CORACLE_BIND="$BATS_TEST_TMPDIR/nowhere" refused 125 bind-source run "$IMAGE" true
    says "$BATS_TEST_TMPDIR/nowhere" CORACLE_BIND
}

@test "bind: the source cannot be reached" {
    skip_as_root "reaches everything"
    mkdir -p "$BATS_TEST_TMPDIR/closed/in"
    chmod 0 "$BATS_TEST_TMPDIR/closed"
    run --separate-stderr "$CORACLE" run --bind "$BATS_TEST_TMPDIR/closed/in:/opt/data" "$IMAGE" true
    chmod 755 "$BATS_TEST_TMPDIR/closed"
    assert_one_error 125 bind-source
    says "$BATS_TEST_TMPDIR/closed/in"
    says_one_of permission
}

@test "bind: a loop of symlinks as source" {
    ln -s loop "$BATS_TEST_TMPDIR/loop"
    refused 125 bind-source run --bind "$BATS_TEST_TMPDIR/loop:/opt/data" "$IMAGE" true
    says "$BATS_TEST_TMPDIR/loop"
}

@test "bind: what has no path" {
    exec 7< <(:)
    refused 125 bind-source run --bind "/proc/self/fd/7:/opt/data/file" "$IMAGE" true
    exec 7<&-
    says /proc/self/fd/7 'has no path here' 'name a path'
}

@test "bind: a loop of symlinks as target" {
    mkdir "$BATS_TEST_TMPDIR/source"
    ln -s loop "$IMAGE/opt/loop"
    refused 125 bind-target run --bind "$BATS_TEST_TMPDIR/source:/opt/loop/below" "$IMAGE" true
    says /opt/loop/below
}

@test "bind: a directory on a file" {
    mkdir "$BATS_TEST_TMPDIR/source"
    refused 125 bind-target run --bind "$BATS_TEST_TMPDIR/source:/opt/data/file" "$IMAGE" true
    says /opt/data/file
    says_one_of 'directory'
}

@test "bind: a file on a directory" {
    echo text >"$BATS_TEST_TMPDIR/source"
    refused 125 bind-target run --bind "$BATS_TEST_TMPDIR/source:/opt/data" "$IMAGE" true
    says /opt/data
    says_one_of 'directory'
}

@test "bind: a target below a file" {
    mkdir "$BATS_TEST_TMPDIR/source"
    refused 125 bind-target run --bind "$BATS_TEST_TMPDIR/source:/opt/data/file/below" "$IMAGE" true
    says /opt/data/file
}

@test "bind: a directory tmpfs on a file" {
    refused 125 bind-target run --tmpfs /opt/data/file "$IMAGE" true
    says /opt/data/file
}

@test "tmpfs: options that say nothing about a new directory" {
    local bad
    for bad in ro rw optional bind rbind nosuid,optional '' size; do
        refused 125 usage run --tmpfs "/q:$bad" "$IMAGE" true || { echo "for --tmpfs '$bad'" >&2; return 1; }
        says --tmpfs 'size=SIZE nosuid nodev noexec' || return
    done
}

@test "names of 2000 bytes leave room for cause and advice" {
    local long
    printf -v long 'begin%01990dend' 0
    refused 125 image-unreadable run "/$long" true
    says begin000 '000...000' 000end 'too long'
    refused 125 usage run --workdir "$long" "$IMAGE" true
    says begin000 '000...000' 000end 'absolute path'
    refused 125 usage "$long" "$IMAGE"
    says begin000 '000...000' 000end '--help'
    refused 125 usage run --bind "$long:/x:$long" "$IMAGE" true
    says '000...000' 'known are'
}

@test "bind: specifications that say nothing or too much" {
    local bad
    for bad in '' : :/opt '/tmp:' '/tmp:relative' '/tmp:/opt:ro,rw' '/tmp:/opt:nonsense' '/tmp:/opt:ro:rw' '/tmp:/opt:,'; do
        run --separate-stderr "$CORACLE" run --bind "$bad" "$IMAGE" true
        if [[ $bad == '/tmp:/opt:ro,rw' && $status -eq 0 ]]; then continue; fi # the last one may win
        assert_one_error 125 usage || { echo "for --bind '$bad'" >&2; return 1; }
        says --bind || return
    done
}

@test "mount: specifications that say nothing or too much" {
    local bad
    for bad in '' type type= type=ext4,target=/x type=bind type=bind,source=/tmp type=tmpfs type=tmpfs,target= \
        type=tmpfs,target=relative type=bind,source=/tmp,target=/x,colour=red type=tmpfs,target=/x,size=much \
        source=/tmp,target=/x,type; do
        run --separate-stderr "$CORACLE" run --mount "$bad" "$IMAGE" true
        assert_one_error 125 usage || { echo "for --mount '$bad'" >&2; return 1; }
        says --mount || return
    done
}

@test "bind: a target through a symlink that leads outside stays inside" {
    local outside=$BATS_TEST_TMPDIR/outside link before
    mkdir "$outside" "$BATS_TEST_TMPDIR/source"
    echo bound >"$BATS_TEST_TMPDIR/source/mark"
    ln -s "$outside" "$IMAGE/opt/absolute"
    ln -s "../../../../../../../../../../..$outside" "$IMAGE/opt/relative"
    before=$(find "$outside" "$IMAGE" -printf '%p %T@ %l\n' | sort)
    for link in absolute relative; do
        # /tmp, where the host's folder lies, is not shown: what appears there is the container's own.
        run --separate-stderr "$CORACLE" run --no-default-binds --bind "$BATS_TEST_TMPDIR/source:/opt/$link/new" \
            "$IMAGE" cat "/opt/$link/new/mark" "$outside/new/mark"
        assert_output $'bound\nbound'
        assert_equal "$(find "$outside" "$IMAGE" -printf '%p %T@ %l\n' | sort)" "$before"
    done
}

@test "bind: a target with many .. stays inside" {
    mkdir "$BATS_TEST_TMPDIR/outside"
    echo bound >"$BATS_TEST_TMPDIR/outside/mark"
    run --separate-stderr "$CORACLE" run --no-default-binds --bind "$BATS_TEST_TMPDIR/outside:/../../../opt/data" "$IMAGE" cat /opt/data/mark
    if [[ $status -eq 0 ]]; then
        assert_output bound
    else
        assert_one_error 125 usage
    fi
}

@test "bind: the flags that a mount brings along stay" {
    # shellcheck disable=SC2016
    on_host 'mkdir on; mount -t tmpfs -o nosuid,nodev,noexec none on
        "$2" run --bind "$PWD/on:/mnt" "$1" /bin/payload mount-flags /mnt
        "$2" run --bind "$PWD/on:/mnt:ro" "$1" /bin/payload mount-flags /mnt
        mount -o remount,bind,ro,nosuid,nodev,noexec on
        "$2" run --bind "$PWD/on:/mnt" "$1" /bin/payload mount-flags /mnt
    ' "$IMAGE" "$CORACLE"
    assert_output $'rw nosuid nodev noexec\nro nosuid nodev noexec\nro nosuid nodev noexec'
    assert_equal "$stderr" ''
}

@test "bind: rw where the mount is locked read-only is refused or stays read-only" {
    # shellcheck disable=SC2016
    on_host 'mkdir on; mount -t tmpfs -o ro none on
        "$2" run --bind "$PWD/on:/mnt:rw" "$1" /bin/payload mount-flags /mnt
    ' "$IMAGE" "$CORACLE"
    if [[ $status -eq 0 ]]; then
        [[ $output == ro* ]] || report "expected ro"
    else
        [[ $status -eq 125 && $stderr == 'coracle: error: '*/mnt*']' && $stderr != *$'\n'* ]] ||
            report "expected one error that names the target"
    fi
}

@test "bind: ro covers what is mounted below too" {
    # shellcheck disable=SC2016
    on_host 'mkdir on; mount -t tmpfs none on; mkdir on/below; mount -t tmpfs -o nodev none on/below
        "$2" run --bind "$PWD/on:/mnt:ro" "$1" /bin/payload mount-flags /mnt/below
    ' "$IMAGE" "$CORACLE"
    assert_output 'ro nosuid nodev' || assert_output 'ro nodev'
}

@test "image: one that lies on a mount with locked flags" {
    # shellcheck disable=SC2016
    on_host 'mkdir on; mount -t tmpfs none on; cp -a "$3" on/image; mount -o remount,bind,ro,nosuid,nodev,noatime on
        "$2" run on/image cat /etc/image-release; "$2" run --writable-tmpfs on/image cat /etc/image-release
    ' "$IMAGE" "$CORACLE" "$(image_file)"
    assert_output $'image name\nimage name'
}

# --- options, values, variables ----------------------------------------------------

@test "env: without a name" {
    local bad
    for bad in '' = =value; do
        refused 125 usage run --env "$bad" "$IMAGE" true || { echo "for --env '$bad'" >&2; return 1; }
        says --env || return
    done
}

@test "env-file: missing, a directory, a line without a name" {
    refused 125 usage run --env-file "$BATS_TEST_TMPDIR/nowhere" "$IMAGE" true
    says "$BATS_TEST_TMPDIR/nowhere"
    refused 125 usage run --env-file "$BATS_TEST_TMPDIR" "$IMAGE" true
    says "$BATS_TEST_TMPDIR"
    printf 'A=b\n=value\n' >"$BATS_TEST_TMPDIR/env"
    refused 125 usage run --env-file "$BATS_TEST_TMPDIR/env" "$IMAGE" true
    says "$BATS_TEST_TMPDIR/env" 2
}

@test "option: unknown, with the nearest suggested" {
    refused 125 usage run --bnid /tmp "$IMAGE" true
    says --bnid --bind
    refused 125 usage run --clear-env "$IMAGE" true
    says --clear-env --clean-env
    refused 125 usage run -Z "$IMAGE" true
    says Z
}

@test "option: unknown, with nothing near, suggests the help" {
    refused 125 usage run --xyzzyxyzzy "$IMAGE" true
    says --xyzzyxyzzy --help
}

@test "option: without its value" {
    refused 125 usage run --bind
    says --bind
    refused 125 usage run "--no-home=yes" "$IMAGE" true
    says --no-home
}

@test "command word: unknown, with the nearest suggested" {
    refused 125 usage rnu "$IMAGE" true
    says rnu run
    refused 125 usage explian "$IMAGE" true
    says explian explain
    refused 125 usage '' "$IMAGE" true
}

@test "command word: help of one that does not exist, or of several" {
    refused 125 usage help rnu
    says rnu run
    refused 125 usage help run shell
    says one command
}

@test "command word: none" {
    run --separate-stderr "$CORACLE"
    assert_status 125
    assert_stderr_has coracle
}

@test "numbers: uid and gid out of range" {
    local option bad
    for option in --uid --gid; do
        for bad in 4294967295 4294967296 99999999999999999999999 18446744073709551616 -1 1: :1 1:2 '' ' 1' '1 ' +1 0x0 1e3 1.0 root ''$'1\n'; do
            run --separate-stderr "$CORACLE" run "$option=$bad" "$IMAGE" true
            assert_one_error 125 usage || { echo "for $option='$bad'" >&2; return 1; }
            says "$option" || return
        done
    done
    refused 125 usage run --uid -1 "$IMAGE" true
}

@test "numbers: the largest uid is one" {
    run --separate-stderr "$CORACLE" run --uid 4294967294 --gid 4294967294 "$IMAGE" /bin/payload id
    assert_output $'uid 4294967294 4294967294 4294967294\ngid 4294967294 4294967294 4294967294'
}

@test "numbers: sizes out of range" {
    local bad
    for bad in much -1 1X 99999999999999999999 16777216T ' 1' 1kk 0x10; do
        run --separate-stderr "$CORACLE" run --tmpfs "/x:size=$bad" "$IMAGE" true
        assert_one_error 125 usage || { echo "for --tmpfs size='$bad'" >&2; return 1; }
        says --tmpfs || return
        run --separate-stderr "$CORACLE" run "--writable-tmpfs=$bad" "$IMAGE" true
        assert_one_error 125 usage || { echo "for --writable-tmpfs='$bad'" >&2; return 1; }
        says --writable-tmpfs || return
    done
}

@test "workdir: missing, a file, relative" {
    refused 125 workdir run --workdir /no/such "$IMAGE" true
    says /no/such
    refused 125 workdir run --workdir /opt/data/file "$IMAGE" true
    says /opt/data/file
    run --separate-stderr "$CORACLE" run --workdir relative "$IMAGE" true
    [[ $status -eq 125 && $stderr == 'coracle: error: '*relative*']' ]] || report "expected one error that names it"
}

@test "home: a directory that is missing or relative" {
    run --separate-stderr "$CORACLE" run "--home=$BATS_TEST_TMPDIR/nowhere" "$IMAGE" true
    [[ $status -eq 125 && $stderr == 'coracle: error: '*nowhere*']' && $stderr != *$'\n'* ]] ||
        report "expected one error that names it"
}

@test "options that contradict each other" {
    run --separate-stderr "$CORACLE" run --write --writable-tmpfs "$IMAGE" true
    [[ $status -eq 0 || $status -eq 125 ]] || report "expected 0 or 125"
    run --separate-stderr "$CORACLE" run --root --uid 5 "$IMAGE" /bin/payload id
    [[ $status -eq 125 || $output == uid\ [05]\ * ]] || report "expected 125, or one of the two"
    [[ $status -eq 0 || $stderr != *$'\n'* ]] || report "expected one line"
}

@test "variables: bad values name the variable and the value" {
    local setting
    for setting in CORACLE_UID=x CORACLE_GID=-1 CORACLE_CLEAN_ENV=maybe CORACLE_ROOT=2 CORACLE_TMPFS=/x:size=y \
        CORACLE_BIND=relative:also CORACLE_ENV==x CORACLE_MOUNT=type=what; do
        run --separate-stderr env "$setting" "$CORACLE" run "$IMAGE" true
        assert_one_error 125 config || { echo "for $setting" >&2; return 1; }
        says "${setting%%=*}" || return
    done
}

@test "variables: an unknown one does no harm" {
    run --separate-stderr env CORACLE_NO_SUCH=x "$CORACLE" run "$IMAGE" true
    assert_success
}

@test "explain and --dry-run refuse what run refuses" {
    refused 125 image-missing explain "$BATS_TEST_TMPDIR/nowhere" true
    refused 125 image-missing run --dry-run "$BATS_TEST_TMPDIR/nowhere" true
    refused 125 usage explain --uid x "$IMAGE" true
    refused 125 image-missing shell "$BATS_TEST_TMPDIR/nowhere"
}

# --- the system says no ---------------------------------------------------------------

@test "user namespaces disabled: the sysctl is named" {
    # shellcheck disable=SC2016
    on_host 'echo 0 >/proc/sys/user/max_user_namespaces; exec "$2" run "$1" true' "$IMAGE" "$CORACLE"
    assert_one_error 125 userns-disabled
    says user.max_user_namespaces
}

@test "mount namespaces disabled: the sysctl is named" {
    # shellcheck disable=SC2016
    on_host 'echo 0 >/proc/sys/user/max_mnt_namespaces; exec "$2" run "$1" true' "$IMAGE" "$CORACLE"
    [[ $status -eq 125 && $stderr == 'coracle: error: '*max_mnt_namespaces*']' && $stderr != *$'\n'* ]] ||
        report "expected one error that names user.max_mnt_namespaces"
}

@test "in a chroot, where the kernel makes no user namespace" {
    # shellcheck disable=SC2016
    on_host 'mkdir new; mount -t tmpfs none new; mkdir new/proc new/dev new/tmp
        cp "$(dirname "$2")"/coracle* new/; cp -a "$1" new/image
        mount --rbind /proc new/proc; mount --rbind /dev new/dev
        exec chroot new /coracle run /image true' "$(image_file)" "$PROGRAM"
    need_static
    # coracle-record cannot run in there: its warning comes first.
    stderr=${stderr##*$'\n'}
    assert_one_error 125 userns-disabled
    says_one_of chroot
}

@test "writable-tmpfs: a directory of another owner is refused with the reason" {
    skip_as_root "owns it"
    run --separate-stderr "$CORACLE" run --writable-tmpfs / true
    if [[ $status -eq 0 ]]; then
        # A way was found: then it has to work where the kernel's copy-up does not.
        run --separate-stderr "$CORACLE" run --writable-tmpfs / sh -c 'echo x >/etc/new-file && cat /etc/new-file'
        assert_output x
    else
        assert_one_error 125 root-writable
        says_one_of owner owned belongs
    fi
}

@test "write: a directory of another owner is refused with the reason" {
    skip_as_root "owns it"
    run --separate-stderr "$CORACLE" run --write / true
    if [[ $status -ne 0 ]]; then assert_one_error 125 root-writable; fi
}

# --- garbage ------------------------------------------------------------------------------

# word: one argument, a sensible one or bytes.
word() {
    local known=(run shell explain --bind -b --mount --tmpfs --home --no-home --no-default-binds --workdir -w --env
        --env-file --unset-env --clean-env --uid --gid -u -g --root --writable-tmpfs --entrypoint --no-entrypoint
        --dry-run -n --json -v -q -- - --= = : "$IMAGE" "$IMAGE" "$IMAGE" true exit / /tmp /tmp:/opt /tmp:/opt:ro
        type=tmpfs,target=/x type=bind A=b '*' 0 1 4294967295 '' /dev/null . ..)
    if ((RANDOM % 4)); then
        REPLY=${known[RANDOM % ${#known[@]}]}
        if ((RANDOM % 8 == 0)); then REPLY+==${known[RANDOM % ${#known[@]}]}; fi
        return
    fi
    local byte i length=$((RANDOM % 12))
    REPLY=
    for ((i = 0; i < length; i++)); do
        printf -v byte '\\x%02x' $((RANDOM % 255 + 1))
        printf -v byte '%b' "$byte"
        REPLY+=$byte
    done
}

@test "command lines of garbage end with a documented status" {
    local i j count status=0 arguments
    RANDOM=4711
    rounds 1000
    for ((i = 0; i < ROUNDS; i++)); do
        arguments=()
        count=$((RANDOM % 8))
        for ((j = 0; j < count; j++)); do
            word
            arguments+=("$REPLY")
        done
        # Half of them get as far as the options of a launch.
        if ((RANDOM % 2)); then arguments=(run "${arguments[@]}"); fi
        status=0
        timeout -k 1 20 "$CORACLE" "${arguments[@]}" </dev/null >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" || status=$?
        case $status in
        0 | 125 | 126 | 127) ;;
        *)
            printf 'command line %d ends with %d:%s\n' "$i" "$status" "$(printf ' %q' "${arguments[@]}")" >&2
            return 1
            ;;
        esac
        if ((status)) && [[ $(grep -c '^coracle: error: ' "$BATS_TEST_TMPDIR/err") -ne 1 && ${#arguments[@]} -gt 0 ]]; then
            printf 'command line %d has not one error:%s\n' "$i" "$(printf ' %q' "${arguments[@]}")" >&2
            cat "$BATS_TEST_TMPDIR/err" >&2
            return 1
        fi
    done
}
