# Loaded behind helpers and squashfs by the tests of ranks that meet: ranks that
# wait for questions, several at a time.
#
#   KEY      a key of the test's own, which CORACLE_SHARE names
#   KINDS    the kinds of image that can be tried here: directory, squashfs
#   TREE     a directory that is an image; image KIND makes IMAGE of it
#
# PID_OF the processes of the ranks, by their names.
# Sourced as well by scripts of on_host, which find it as $RANKS.
# shellcheck shell=bash

RANKS=${BASH_SOURCE[0]}
export RANKS E2E_DIR

# What a rank does: each line that it is told, in its own shell, until `exit`. It may meet
# the end of what it was told before.
# shellcheck disable=SC2016 # the rank's shell expands it
RANK_LOOP='while test -e "$1.in"; do if read -r line <"$1.in"; then eval "$line" >"$1.out" 2>&1; fi; done'

# Compiled once for the tests of a file.
make_peer() {
    [[ -x $TOOLS/peer ]] ||
        { compile_into "$TOOLS/peer.$BASHPID" peer.c -I "$E2E_DIR/../../lib" && mv "$TOOLS/peer.$BASHPID" "$TOOLS/peer"; }
}

ranks_setup() {
    standard_setup || return
    TREE=$IMAGE
    KEY=test-$$-$RANDOM$RANDOM
    export CORACLE_SHARE=$KEY TREE KEY
    declare -gA PID_OF=()
    unset SOURCE_DATE_EPOCH
    make_peer && cp "$TOOLS/peer" "$TREE/bin/peer" || return
    PEER=$TREE/bin/peer
    export PEER
    KINDS=(directory)
    if command -v mksquashfs >/dev/null && server_program >/dev/null && [[ -r /dev/fuse && -w /dev/fuse ]]; then
        KINDS+=(squashfs)
    fi
}

# Whatever a failure has left of ranks ends, and with them what waited for them.
end_what_is_left() {
    local process
    for process in $(jobs -p) $(rank_processes); do kill -9 "$process" 2>/dev/null || true; done
    for process in $(all_brokers) $(all_servers); do
        within 30 has_ended "$process" || { kill -9 "$process" && return 1; }
    done
}

ranks_teardown() {
    exec 8>&-
    if [[ ${!-} ]] || grep -qsaF -e "$KEY" -e "$BATS_TEST_TMPDIR/" /proc/[0-9]*/cmdline; then
        end_what_is_left || return
    fi
    standard_teardown
}

# need_squashfs: for a test that has no other image.
need_squashfs() {
    [[ ${KINDS[*]} == *squashfs* ]] || skip 'no SquashFS images: no mksquashfs, coracle-fuse or /dev/fuse here'
}

# image KIND: what is in TREE becomes IMAGE. Lists of names that have only just changed would be nobody
# else's, so a directory is given time.
image() {
    if [[ $1 == squashfs ]]; then
        pack "$BATS_TEST_TMPDIR/image.sqfs"
    else
        IMAGE=$TREE
        sleep 0.15
    fi
    export IMAGE
}

# each_kind FUNCTION: with an IMAGE of each kind; without test/run --long of one, in turn from test to test.
# All that it began ends before the next.
each_kind() {
    local kind tried=("${KINDS[@]}")
    [[ ${CORACLE_TEST_LONG-} ]] || tried=("${KINDS[BATS_TEST_NUMBER % ${#KINDS[@]}]}")
    for kind in "${tried[@]}"; do
        image "$kind"
        "$1" "$kind" || report "with a $kind" || return
        finish_all || return
    done
    [[ ${KINDS[*]} == *squashfs* ]] || skip 'tried with a directory only: no mksquashfs, coracle-fuse or /dev/fuse here'
}

# --- ranks -------------------------------------------------------------------------

# start NAME COMMAND...: COMMAND is `coracle run`, with whatever stands before and all up to the image. Waits
# until the rank can be asked. In PID its process, in PID_OF those of all.
start() {
    launch "$@" && is_there "$1"
}

# launch: start, without waiting; is_there waits.
launch() {
    local name=$PWD/$1
    rm -f "$name".{in,out}
    mkfifo -m 666 "$name.in" "$name.out" || return # other users may be ranks too
    "${@:2}" -- sh -c "$RANK_LOOP" sh "$name" </dev/null >"$name.err" 2>&1 3>&- &
    PID_OF[$1]=$!
}

is_there() {
    PID=$(ask "$1" 'echo $$') && [[ $PID ]] && PID_OF[$1]=$PID && return
    echo "the rank $1 does not answer: $(cat "$PWD/$1.err")" >&2
    return 1
}

# ask NAME LINE: prints what the rank prints for LINE.
ask() {
    # Both ends are opened by programs that end in time: a rank that is gone holds nobody up.
    local limit=$((10 * CORACLE_TEST_SLOWNESS))
    printf '%s\n' "${*:2}" | timeout $limit tee "$PWD/$1.in" >/dev/null && timeout $limit cat "$PWD/$1.out"
}

# finish NAME...: these ranks end.
finish() {
    local name
    for name in "$@"; do
        kill -0 "${PID_OF[$name]}" 2>/dev/null && ask "$name" exit >/dev/null
        unset "PID_OF[$name]"
    done
}

# finish_all: all ranks end, and in time broker and servers.
finish_all() {
    finish "${!PID_OF[@]}"
    within 30 no_broker
}

# namespaces NAME: "user:[...] mnt:[...]"; NAMESPACES prints it in a container.
# shellcheck disable=SC2016 # the rank's shell expands it
NAMESPACES='echo "$(readlink /proc/self/ns/user) $(readlink /proc/self/ns/mnt)"'
namespaces() { ask "$1" "$NAMESPACES"; }
userns() { ask "$1" 'readlink /proc/self/ns/user'; }
mountns() { ask "$1" 'readlink /proc/self/ns/mnt'; }

assert_same() { [[ $1 && $1 == "$2" ]] || report "expected to be the same: '$1' and '$2'"; }
assert_different() { [[ $1 && $2 && $1 != "$2" ]] || report "expected to be different: '$1' and '$2'"; }

# --- processes ---------------------------------------------------------------------

has_ended() { ! kill -0 "$1" 2>/dev/null || grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null; }

# processes COMM TEXT: those of this name with TEXT in their arguments. What has ended has none.
processes() {
    local file
    while read -r file; do
        ! grep -qsxF -e "$1" "${file%cmdline}comm" || echo "${file//[!0-9]/}"
    done < <(grep -lsaF -e "$2" /proc/[0-9]*/cmdline)
}

# brokers [KEY]: of this very key, by their pids.
brokers() {
    local process
    local -a words
    for process in $(processes coracle-broker "key ${1:-$KEY}"); do
        mapfile -d '' -t words 2>/dev/null <"/proc/$process/cmdline" || continue
        [[ ${words[1]-} != "key ${1:-$KEY}" ]] || echo "$process"
    done
}
no_broker() { [[ -z $(brokers "$@") ]]; }

# All of this test: keys that are made up in it begin with its own.
all_brokers() { processes coracle-broker "$KEY"; }
all_servers() { processes coracle-fuse "$BATS_TEST_TMPDIR/"; }
rank_processes() { processes sh "$BATS_TEST_TMPDIR/"; }

# one_broker: leaves BROKER.
one_broker() {
    BROKER=$(brokers "$@")
    [[ $BROKER == [1-9]*([0-9]) ]] || report "one broker is expected: $BROKER"
}

# one_server [IMAGE]
one_server() {
    SERVER=$(servers "${1:-$IMAGE}")
    [[ $SERVER == [1-9]*([0-9]) ]] || report "one server is expected: $SERVER"
}

# mounts_once: a FUSE connection is mounted once here, so each view of a SquashFS has a server of its own.
# Linux 5.15 mounts one again.
mounts_once() {
    local major minor
    IFS=.- read -r major minor _ < <(uname -r)
    ((major < 5 || (major == 5 && minor < 15)))
}

# one_server_for VIEWS [IMAGE]: so many views have one server, or one each. Leaves SERVER, or all of them.
one_server_for() {
    local expected=1
    ! mounts_once || expected=$1
    SERVER=$(servers "${2:-$IMAGE}")
    assert_equal "$(grep -c . <<<"$SERVER") servers" "$expected servers"
}

# address_of_broker: its socket, as the kernel lists it, without the "@".
address_of_broker() {
    local inode
    inode=$(readlink "/proc/$BROKER/fd/3") || return
    awk -v inode="${inode//[!0-9]/}" '$7 == inode { print substr($8, 2) }' /proc/net/unix
}
