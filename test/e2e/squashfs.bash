# Loaded behind helpers by the tests of SquashFS images: makes such files, and
# finds their servers.
#
#   TREE   a directory that is an image; pack makes a file of it
#   IMAGE  after pack: the file
# shellcheck shell=bash

# A server is coracle-fuse beside coracle, or where it is installed.
server_program() {
    local dir candidate
    dir=$(dirname "$PROGRAM")
    for candidate in "$dir/coracle-fuse" "$dir/../libexec/coracle/coracle-fuse"; do
        [[ ! -x $candidate ]] || { echo "$candidate" && return; }
    done
    return 1
}

squashfs_setup() {
    standard_setup
    need mksquashfs
    server_program >/dev/null || skip 'coracle-fuse was not built: configure found no libsquashfuse'
    [[ -c /dev/fuse && -r /dev/fuse && -w /dev/fuse ]] || skip '/dev/fuse is missing or closed to us'
    TREE=$IMAGE
    unset SOURCE_DATE_EPOCH
}

# pack FILE [OPTION...]: makes a SquashFS of TREE; FILE becomes IMAGE.
pack() {
    rm -f -- "$1"
    mksquashfs "$TREE" "$1" -noappend -no-progress "${@:2}" >"$BATS_TEST_TMPDIR/mksquashfs.log" 2>&1 || {
        cat "$BATS_TEST_TMPDIR/mksquashfs.log" >&2
        return 1
    }
    IMAGE=$1
}

# add_data: files for which an image's layout matters: many blocks, a hole, a
# tail, tails that share a block, one that does not shrink, an empty one.
add_data() {
    local i
    mkdir -p "$TREE/data/many"
    seq 300000 >"$TREE/data/text"
    head -c 1500001 /dev/urandom >"$TREE/data/random"
    { echo head && head -c 2500000 /dev/zero && echo tail; } >"$TREE/data/zeros"
    : >"$TREE/data/empty"
    cp "$TREE/data/random" "$TREE/data/same"
    for i in {1..40}; do
        seq "$((i * 40))" >"$TREE/data/many/$i"
    done
}

# sums DIR: a line for each file below.
sums() { (cd "$1" && find . -type f -exec md5sum {} + | sort); }

# assert_same_content: what is in TREE's /data, /etc and /bin is what a container of IMAGE reads.
assert_same_content() {
    local dir
    for dir in data etc/image-release bin; do
        [[ -d $TREE/$dir ]] || continue
        # shellcheck disable=SC2016 # the inner shell's
        coracle_run -- sh -c 'cd "$1" && find . -type f -exec md5sum {} + | sort' sh "/$dir"
        assert_output "$(sums "$TREE/$dir")" || return
    done
}

# works: IMAGE's command runs, silently.
works() {
    inside 'cat /etc/image-release && test -d /proc/self && test -c /dev/null'
    assert_output 'image name' || return
    # shellcheck disable=SC2154 # capture's
    assert_equal "$stderr" ''
}

# --- servers -----------------------------------------------------------------

# servers NAME: the process ids of the image NAME's servers. One that has ended
# and is waited for by nobody has no arguments any more.
servers() {
    local file
    local -a words
    for file in /proc/[0-9]*/cmdline; do
        mapfile -d '' -t words 2>/dev/null <"$file" || continue
        [[ ${words[0]-} != coracle-fuse || ${words[1]-} != "$1" ]] || printf '%s\n' "${file//[!0-9]/}"
    done 2>/dev/null
}

no_server() { [[ -z $(servers "$1") ]]; }

# within TENTHS COMMAND...: waits that long at most for COMMAND to succeed.
within() {
    local i
    for ((i = 0; i < $1 * CORACLE_TEST_SLOWNESS; i++)); do
        if "${@:2}"; then return; fi
        sleep 0.1
    done
    "${@:2}" || report "waited $i tenths of a second in vain for: ${*:2}"
}

# assert_nothing_left: no server of IMAGE, and nothing of it mounted here.
assert_nothing_left() {
    within "${1:-10}" no_server "$IMAGE" || return
    if grep -F fuse.coracle /proc/self/mountinfo; then report 'a mount is left'; fi
}

# --- files of other kinds ------------------------------------------------------

# number SIZE VALUE: VALUE in SIZE bytes, little-endian.
number() {
    local i byte escapes=''
    for ((i = 0; i < $1; i++)); do
        printf -v byte '\\x%02x' $(($2 >> 8 * i & 255))
        escapes+=$byte
    done
    # shellcheck disable=SC2059 # bytes written as escapes
    printf "$escapes"
}

# put FILE OFFSET: writes stdin over FILE from OFFSET on.
put() { dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }

# sif_header FILE COUNT: the beginning of a SIF file with COUNT descriptors at 4096.
sif_header() {
    truncate -s 0 "$1"
    truncate -s 32768 "$1"
    printf '#!/usr/bin/env run-singularity\n' | put "$1" 0
    { printf 'SIF_MAGIC\0' && printf '01\0' && printf '02\0'; } | put "$1" 32
    { number 8 $((48 - $2)) && number 8 48 && number 8 4096 && number 8 $((48 * 585)); } | put "$1" 80
}

# sif_descriptor FILE INDEX TYPE OFFSET LENGTH [FILE_SYSTEM KIND]
sif_descriptor() {
    local at=$((4096 + 585 * $2))
    { number 4 "$3" && number 1 1 && number 4 $(($2 + 1)) && number 4 $((0xf0000001)); } | put "$1" "$at"
    { number 8 "$4" && number 8 "$5"; } | put "$1" $((at + 17))
    printf 'descriptor %d' "$2" | put "$1" $((at + 73))
    { number 4 "${6:-0}" && number 4 "${7:-0}" && printf '02\0'; } | put "$1" $((at + 201))
}

# make_sif FILE PARTITION [FILE_SYSTEM [KIND]]: laid out as Apptainer 1.4.5 does it, a definition file,
# what it inspects, an OCI configuration, and the file PARTITION, as the primary system partition (2)
# and as a SquashFS (1) unless said otherwise.
make_sif() {
    local length
    length=$(stat -c %s "$2")
    sif_header "$1" 4
    sif_descriptor "$1" 0 $((0x4001)) 32176 19
    sif_descriptor "$1" 1 $((0x4006)) 32195 2
    sif_descriptor "$1" 2 $((0x4006)) 32197 2
    sif_descriptor "$1" 3 $((0x4004)) 36864 "$length" "${3:-1}" "${4:-2}"
    printf 'bootstrap: scratch\n{}{}' | put "$1" 32176
    truncate -s 36864 "$1"
    cat "$2" >>"$1"
}

# --- programs of the host inside -------------------------------------------------

# Options that show the host's programs and what they are linked with in an image
# that has neither. Leaves HOST_PROGRAMS.
show_host_programs() {
    local dir
    HOST_PROGRAMS=(--bind /usr:/usr:ro)
    for dir in /lib /lib32 /lib64 /libx32 /etc/ld.so.cache; do
        [[ ! -e $dir ]] || HOST_PROGRAMS+=(--bind "$dir:$dir:ro")
    done
}
