# Loaded by every .bats file. Gives a clean environment, an image to run, and
# assertions that print what they got.
#
# From outside:
#   CORACLE            the program under test (default: build/bin/coracle)
#   TEST_IMAGE_DEBIAN  a Debian image with bash, Open MPI and python3-numpy;
#                      tests that need it are skipped without
#   CORACLE_TEST_KIND  directory (the default), or squashfs: each image is packed
#                      to a file behind the tests' backs, see as-squashfs.c
#   CORACLE_TEST_KERNEL  4.18 or 5.11: coracle finds none of the system calls that came later,
#                      see test/forbid.h
#   CORACLE_TEST_PROGRAMS  where the programs of tests lie, compiled already, as where
#                      it takes long
#   CORACLE_TEST_SLOWNESS  how many times slower than usual this machine is: limits
#                      of time that a test sets are that much longer (1)
#
# For tests:
#   CORACLE            what to call: the program, or what stands in for the kernel or as-squashfs in front of it
#   PROGRAM            the program itself
#   IMAGE              an image of the test's own, made by setup: a directory, which
#                      the test changes as it likes, in both kinds
#   PAYLOAD            test/e2e/payload.c, static; /bin/payload in the image

bats_require_minimum_version 1.5.0

export CORACLE_TEST_SLOWNESS=${CORACLE_TEST_SLOWNESS:-1}

E2E_DIR=${BASH_SOURCE[0]%/*}
CORACLE=${CORACLE:-$E2E_DIR/../../${builddir:-build}/bin/coracle}
TOOLS=$BATS_RUN_TMPDIR/e2e
PAYLOAD=$TOOLS/payload
BASE_IMAGE=$TOOLS/image

# --- the image -------------------------------------------------------------

find_busybox() {
    local candidate
    for candidate in "${BUSYBOX:-}" /bin/busybox /usr/bin/busybox; do
        if [[ -n $candidate && -x $candidate ]] && ! readelf -l "$candidate" | grep -q INTERP; then
            realpath "$candidate"
            return
        fi
    done
    echo "no static busybox: apt-get install busybox-static, or set BUSYBOX" >&2
    return 1
}

# compile_into FILE SOURCE [OPTION...]: a static program of a source beside this file.
compile_into() {
    local compiler ready=${CORACLE_TEST_PROGRAMS:-/nonexistent}/${2%.c}
    if [[ -x $ready ]]; then
        cp "$ready" "$1"
        return
    fi
    compiler=$(command -v musl-gcc || command -v gcc || command -v cc) || {
        echo "no C compiler: apt-get install gcc" >&2
        return 1
    }
    "$compiler" -std=gnu11 -O1 -static "${@:3}" -o "$1" "$E2E_DIR/$2"
}

# The older kernel, where that is asked for.
compile_kernel() {
    [[ ! ${CORACLE_TEST_KERNEL-} ]] || compile_into "$1/on-older" forbid.c "-DKERNEL=\"linux-$CORACLE_TEST_KERNEL\"" \
        "-DPROGRAM=\"$PROGRAM\""
}

# What starts coracle, behind as-squashfs, is left in LAUNCHED.
launched() {
    if [[ ${CORACLE_TEST_KERNEL-} ]]; then LAUNCHED=$TOOLS/on-older; else LAUNCHED=$PROGRAM; fi
}

# Small, and without /home, /scratch, /srv, /run and /var/tmp, which tests bind.
fill_base_image() {
    local root=$1/image busybox
    busybox=$(find_busybox) || return
    mkdir -p "$1/applets" "$root"/{bin,usr/bin,usr/share/zoneinfo,etc,var,proc,sys,dev,tmp,opt/data}
    cp "$busybox" "$root/bin/busybox"
    cp "$1/payload" "$root/bin/payload"
    # By its own shell, which makes a link without executing another program.
    # shellcheck disable=SC2016 # expanded by that
    (cd "$1/applets" && "$busybox" sh -c 'for applet in $("$0" --list); do
        [ "$applet" = busybox ] || ln -s busybox "$applet"
    done' "$busybox") || return
    printf 'image hosts\n' >"$root/etc/hosts"
    printf 'image resolver\n' >"$root/etc/resolv.conf"
    printf 'image name\n' >"$root/etc/image-release"
    printf 'root:x:0:0:root:/root:/bin/sh\n' >"$root/etc/passwd"
    printf 'root:x:0:\nimagegroup:x:77:\n' >"$root/etc/group"
    printf 'from the image\n' >"$root/opt/data/file"
}

# The place of it that launches go by, where images are to be files.
compile_packer() {
    local packer
    is_squashfs || return 0
    packer=$(command -v mksquashfs) || {
        echo "no mksquashfs: apt-get install squashfs-tools" >&2
        return 1
    }
    compile_into "$1/as-squashfs" as-squashfs.c "-DPROGRAM=\"$LAUNCHED\"" "-DMKSQUASHFS=\"$packer\"" \
        "-DTESTS=\"$(realpath "$BATS_RUN_TMPDIR")/test\""
}

# Made once; whoever comes first wins, also with bats --jobs.
make_tools() {
    local part
    [[ -d $TOOLS ]] && return
    PROGRAM=$(realpath "$CORACLE")
    launched
    part=$(mktemp -d "$BATS_RUN_TMPDIR/e2e.XXXXXX")
    chmod 755 "$part"
    printf '%s\n' "$PROGRAM" >"$part/program"
    compile_into "$part/payload" payload.c && compile_kernel "$part" && compile_packer "$part" &&
        fill_base_image "$part" || return
    mv -T "$part" "$TOOLS" 2>/dev/null || rm -rf "$part"
}

# make_image NAME: a fresh image, whose path it leaves in IMAGE. The links to busybox, which make
# up most of it, are hard links of the same ones: no test can write into one.
make_image() {
    IMAGE=$BATS_TEST_TMPDIR/$1
    cp -a "$BASE_IMAGE" "$IMAGE" && cp -al "$TOOLS/applets/." "$IMAGE/bin" || return
    export IMAGE
}

# --- the kernel ------------------------------------------------------------

# Whether mounts are made by mount(2) and paths walked, and there are no pidfds.
is_older_kernel() { [[ ${CORACLE_TEST_KERNEL-} == 4.18 ]]; }

# newer_kernel_only REASON: skips the rest of a test that is about what older kernels have not.
newer_kernel_only() { ! is_older_kernel || skip "as on Linux $CORACLE_TEST_KERNEL: $1"; }

# number_of CALL: of a system call on this machine.
number_of() { echo "SYS_$1" | "$(command -v gcc || command -v cc)" -E -include sys/syscall.h - | tail -n 1; }

# --- the kind of image -----------------------------------------------------

is_squashfs() { [[ ${CORACLE_TEST_KIND-} == squashfs ]]; }

# directory_only REASON: skips the rest of a test that is about directories.
directory_only() { ! is_squashfs || skip "the image is a file: $1"; }

# image_file: prints what coracle is given for IMAGE: that, or the file it is packed to.
image_file() {
    if is_squashfs; then
        "$TOOLS/as-squashfs" pack "$IMAGE"
    else
        printf '%s\n' "$IMAGE"
    fi
}

# copy_program DIRECTORY: coracle with what it needs to run images of this kind.
copy_program() {
    cp "$PROGRAM" "$1/"
    ! is_squashfs || cp "${PROGRAM%/*}/coracle-fuse" "$1/"
}

# servers_alive: the image servers of this test, by their pids.
servers_alive() {
    local file
    while read -r file; do
        ! grep -qs '^coracle-fuse' "${file%cmdline}comm" || printf '%s\n' "${file//[!0-9]/}"
    done < <(grep -lsaF "$BATS_TEST_TMPDIR/" /proc/[0-9]*/cmdline)
}

# A server ends by itself, soon after the last process that saw its image.
servers_end() {
    local end=$((SECONDS + 6 * CORACLE_TEST_SLOWNESS))
    is_squashfs || return 0
    while ((SECONDS < end)); do
        [[ -n $(servers_alive) ]] || return 0
        sleep 0.02
    done
    echo "image servers are left: $(servers_alive)" >&2
    return 1
}

# --- the environment -------------------------------------------------------

# Nothing that the invoking user has set may decide a test.
clean_environment() {
    local name
    for name in "${!CORACLE_@}"; do
        [[ $name == CORACLE_BUILD || $name == CORACLE_TEST_* ]] || unset "$name"
    done
    unset "${!SLURM@}" "${!PMI@}" "${!OMPI_@}" "${!LD_@}" "${!PYTHON@}" "${!PERL5@}" "${!KRB5@}" "${!SSH_@}" \
        "${!X@}" "${!MUNGE@}" "${!LC_@}" TZ LANG ENV BASH_ENV
    export PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
    # On the host this is under /tmp, where it needs no row of its own.
    export XDG_RUNTIME_DIR=$BATS_RUN_TMPDIR/runtime
    [[ -d $XDG_RUNTIME_DIR ]] || mkdir -m 700 "$XDG_RUNTIME_DIR"
    # No configuration of this machine decides either, and all tests have one record.
    export CORACLE_CONFIG='' CORACLE_SITE_CONFIG=''
    export HOME=$BATS_TEST_TMPDIR/home
    [[ -d $HOME ]] || mkdir "$HOME"
    cd "$BATS_TEST_TMPDIR" || return
}

# Were there only one in /tmp, it would be used until it ends, and then another, in the midst of some test.
first_record() {
    [[ -e $XDG_RUNTIME_DIR/coracle-$UID/record ]] || "${PROGRAM%/*}/coracle-record" >/dev/null
}

# bats notes the line of each command before it runs, for the case that it fails. That is done in each subshell
# too, whose start it makes twice as long; its trap for failures can note it as well. --trace prints by it.
note_lines_of_failures() {
    [[ ${BATS_TRACE_LEVEL-} == 0 ]] || return 0
    trap - DEBUG
    # shellcheck disable=SC2034 # bats reads them: rather no line than this one
    BATS_DEBUG_LAST_STACK_TRACE=() BATS_DEBUG_LASTLAST_STACK_TRACE=()
    trap 'note_failure; bats_error_trap' ERR
}

# By bats' own function, which leaves out its caller. The first one is the failure, the others follow from it.
note_failure() {
    [[ ${BATS_DEBUG_LAST_STACK_TRACE_IS_VALID-} ]] || bats_capture_stack_trace
    BATS_DEBUG_LAST_STACK_TRACE_IS_VALID=1
}

standard_setup() {
    note_lines_of_failures
    [[ -x $CORACLE ]] || {
        echo "no program to test at $CORACLE: build it or set CORACLE" >&2
        return 1
    }
    make_tools && read -r PROGRAM <"$TOOLS/program" || return
    launched
    CORACLE=$LAUNCHED
    ! is_squashfs || CORACLE=$TOOLS/as-squashfs
    export CORACLE PROGRAM PAYLOAD
    clean_environment
    first_record && make_image image
}

# A file that needs more defines a setup of its own, which begins with the standard one.
setup() { standard_setup; }

# Records of the identities that `stranger` lends may lie outside of ours.
standard_teardown() {
    local place
    for place in {/tmp,/dev/shm}/coracle-{"$STRANGER",4321,12345,54321}; do
        [[ ! -e $place && ! -L $place ]] || rm -rf "$place"
    done
    servers_end
}
teardown() { standard_teardown; }

is_root() { [[ $(id -u) -eq 0 ]]; }

skip_as_root() { ! is_root || skip "as root: $1"; }

need() {
    local program
    for program in "$@"; do
        command -v "$program" >/dev/null || skip "needs the program $program"
    done
}

need_static() {
    ! readelf -l "$PROGRAM" | grep -q INTERP || skip "needs a static coracle"
}

is_sanitized() { grep -q __asan_init "$PROGRAM"; }

# rounds MANY: leaves in ROUNDS how often what is random is tried: MANY times with test/run --long, else a tenth.
rounds() {
    # shellcheck disable=SC2034 # tests read it
    if [[ ${CORACLE_TEST_LONG-} ]]; then ROUNDS=$1; else ROUNDS=$(($1 / 10)); fi
}

# crowd MANY: leaves in CROWD how many launches are begun at once: MANY with test/run --long, else a quarter.
crowd() {
    # shellcheck disable=SC2034 # tests read it
    if [[ ${CORACLE_TEST_LONG-} ]]; then CROWD=$1; else CROWD=$(($1 / 4)); fi
}

# --- running ---------------------------------------------------------------

# capture COMMAND...: like bats' run --separate-stderr, but any status is welcome,
# and PATH may be anything. Leaves status, output (stdout alone), lines, stderr.
capture() {
    local errors=$BATS_RUN_TMPDIR/stderr.$BASHPID
    status=0
    output=$("$@" 2>"$errors") || status=$?
    stderr=''
    [[ ! -s $errors ]] || stderr=$(<"$errors")
    # shellcheck disable=SC2034 # tests read it
    mapfile -t lines <<<"$output"
}

# coracle_run [OPTION...] [-- COMMAND ARG...]: captures `coracle run`
# on IMAGE.
coracle_run() {
    local -a options=()
    while [[ $# -gt 0 && $1 != -- ]]; do
        options+=("$1")
        shift
    done
    capture "$CORACLE" run "${options[@]}" "$IMAGE" "$@"
}

# inside SCRIPT [ARG...]: the image's shell executes SCRIPT.
inside() { coracle_run -- sh -c "$1" sh "${@:2}"; }

# coracle_explain [OPTION...] [-- COMMAND...]
coracle_explain() {
    local -a options=()
    while [[ $# -gt 0 && $1 != -- ]]; do
        options+=("$1")
        shift
    done
    capture "$CORACLE" explain "${options[@]}" "$IMAGE" "$@"
}

# stranger COMMAND...: as a uid of this test's own, of whom no record lies anywhere.
STRANGER=$((1000000000 + $$))
stranger() { unshare -U --map-user="$STRANGER" --map-group="$STRANGER" -- "$@"; }

# on_host SCRIPT [ARG...]: bash executes SCRIPT where it may mount: root of a
# user namespace with a mount namespace, to make a host with other contents.
# There, `as UID COMMAND...` drops to another identity.
on_host() {
    # shellcheck disable=SC2016 # expanded by the inner shell
    local prelude='set -eu
        as() { local id=$1; shift; unshare -U --map-user="$id" --map-group="$id" -- "$@"; }
    '
    capture unshare -Urm bash -c "$prelude$1" bash "${@:2}"
}

# make_source [NAME]: a directory of the host with a file in it, left in SOURCE.
make_source() {
    SOURCE=$BATS_TEST_TMPDIR/${1:-source}
    mkdir -p "$SOURCE"
    echo "from the host" >"$SOURCE/file"
    export SOURCE
}

# make_host_etc: a directory to mount over the host's /etc, left in HOST_ETC.
# Its users: zoe (4242), known by name; nobody else.
make_host_etc() {
    HOST_ETC=$BATS_TEST_TMPDIR/host-etc
    mkdir "$HOST_ETC"
    [[ ! -e /etc/ld.so.cache ]] || cp /etc/ld.so.cache "$HOST_ETC/"
    printf 'passwd: files\ngroup: files\n' >"$HOST_ETC/nsswitch.conf"
    printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' \
        'zoe:x:4242:4242:Zoe:/mnt/zoe:/bin/ash' >"$HOST_ETC/passwd"
    printf '%s\n' 'root:x:0:' 'zoegroup:x:4242:' >"$HOST_ETC/group"
    printf 'host hosts\n' >"$HOST_ETC/hosts"
    printf 'host resolver\n' >"$HOST_ETC/resolv.conf"
    export HOST_ETC
}

# time_zone_file NAME OFFSET: a TZif file, on stdout, for a zone that nobody has:
# east of UTC by OFFSET hours.
time_zone_file() {
    local seconds part
    seconds=$(printf '%08x' $(($2 * 3600)) | sed 's/../\\x&/g')
    for part in 1 2; do
        printf 'TZif2'
        printf '\0%.0s' {1..15} # reserved
        printf '\0%.0s' {1..16} # no leap seconds, no transitions
        printf '\0\0\0\1\0\0\0\4' # one type, four characters
        # shellcheck disable=SC2059 # bytes written as escapes
        printf "$seconds"'\0\0%s\0' "$1"
    done
    printf '\n%s-%s\n' "$1" "$2"
}

# --- assertions ------------------------------------------------------------

report() {
    printf '%s\n' "$1"
    printf -- '-- status %s\n-- stdout\n%s\n-- stderr\n%s\n' \
        "${status-}" "${output-}" "${stderr-}"
    return 1
} >&2

assert_status() { [[ $status -eq $1 ]] || report "expected status $1"; }

assert_success() { assert_status 0; }

# assert_output TEXT: stdout is TEXT, line ends aside.
assert_output() {
    assert_success || return
    [[ $output == "$1" ]] || report "expected stdout: $1"
}

assert_output_has() { [[ $output == *"$1"* ]] || report "expected in stdout: $1"; }

assert_output_lacks() { [[ $output != *"$1"* ]] || report "not expected in stdout: $1"; }

assert_stderr_has() { [[ $stderr == *"$1"* ]] || report "expected in stderr: $1"; }

assert_stderr_lacks() { [[ $stderr != *"$1"* ]] || report "not expected in stderr: $1"; }

# assert_fails STATUS TEXT...: one error line of ours that holds every TEXT.
assert_fails() {
    local text
    assert_status "$1" || return
    for text in "${@:2}"; do
        assert_stderr_has "$text" || return
    done
}

assert_equal() { [[ $1 == "$2" ]] || report "expected: $2, got: $1"; }
