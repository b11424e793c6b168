#!/usr/bin/env bats
# coracle pull and convert where room ends: at each stage one error that says where and what
# helps, and nothing is left but what the next pull goes on from.
# Nothing is launched here: the kind of image makes no difference.

# Scripts for shells further in stand in single quotes; each test is a subshell.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helpers
load layouts

setup() {
    standard_setup
    need_coracle_image
    # What does not compress is on its way to the file while layers are still read.
    head -c 6000000 /dev/urandom | split -b 400000 - "$IMAGE/etc/random-"
    make_layout
    mkdir disk
    : >stages
}

teardown() {
    registry_ends
    standard_teardown
}

STEPS=$([[ ${CORACLE_TEST_LONG-} ]] && echo 16 || echo 3)

# on_disk BYTES FILES COMMAND...: where a tmpfs at disk has room for so much, then COMMAND again
# with room enough. Leaves what COMMAND says, and what was on the disk in between and at the end.
on_disk() {
    rm -rf result
    mkdir result
    on_host 'mount -t tmpfs -o size=32m,nr_inodes=2000 none disk
        mkdir disk/full
        fallocate -l $((32 * 1024 * 1024 - $1)) disk/full/bytes
        (cd disk/full && seq $((1997 - $2)) | xargs touch)
        status=0
        "${@:3}" 2>result/stderr || status=$?
        echo $status >result/status
        rm -r disk/full
        ls -A disk >result/between
        if [[ ! -e disk/out ]]; then "${@:3}" 2>result/stderr-again || echo $? >result/again; fi
        ls -A disk >result/end
        tar -C disk -cf - out | tar -C result -xf -' "$@"
    [[ $status -eq 0 ]] || report 'expected a disk to fill' || return
    status=$(<result/status) stderr=$(<result/stderr) output=''
    [[ ! -e result/again ]] || report "with room: $(<result/stderr-again)" || return
    assert_equal "$(<result/end)" out
}

# no_room STAGE-PREFIX: one error, and nothing half; notes the stage it was in.
no_room() {
    local stage
    [[ $stderr == 'coracle: error: '*'['@(output|limit)']' && $stderr != *$'\n'* ]] ||
        report 'expected one error [output] or [limit]' || return
    [[ $status -eq 125 && $stderr == *@('no space left'|'file too large'|'disk quota exceeded')* ]] ||
        report 'expected the reason' || return
    case $stderr in
        *'cannot make'*download*) stage="$1 folder of downloads" ;;
        *'[limit]') stage="$1 download" ;;
        *': layer '*'a file cannot be'*) stage="$1 contents" ;;
        *': layer '*) stage="$1 contents" ;;
        *'cannot be made in the directory'* | *'cannot make the directory'*) stage="$1 names" ;;
        *'cannot write'*) stage="$1 its name" ;;
        *) stage="$1 end" ;;
    esac
    echo "$stage" >>stages
    [[ $stderr == *@(out:|.download:)* && $stderr == *@('make room'|'ulimit -f')* ]] ||
        report 'expected the place and the way out'
}

stages_were() {
    sort stages | uniq -c | sed 's/^ */# /' >&3
    assert_equal "$(sort -u stages)" "$(printf '%s\n' "$@" | sort)"
}

size_of() { stat -c %s "$@" | awk '{sum += $1} END {print sum}'; }

@test "a pull to a SquashFS on a disk of many sizes" {
    local down whole size sizes=(0) i
    start_registry
    convert oci:layout whole
    down=$(size_of layout/blobs/sha256/*) whole=$(size_of whole)
    for ((i = 1; i <= STEPS; i++)); do
        sizes+=($((down * i / (STEPS + 1))) $((down + whole * i / (STEPS + 1))))
    done
    sizes+=($((down + whole - 16384)) $((down + whole - 8192)))
    for size in "${sizes[@]}"; do
        on_disk "$size" 1000 "$PROGRAM" pull --plain-http "$REGISTRY/small:1.0" disk/out || return
        no_room pull || report "with $size bytes" || return
        [[ $(<result/between) == @(|.out.download) ]] || report "left: $(<result/between)" || return
        cmp result/out whole || return
    done
    on_disk 30000000 0 "$PROGRAM" pull --plain-http "$REGISTRY/small:1.0" disk/out
    no_room pull
    on_disk 30000000 1 "$PROGRAM" pull --plain-http "$REGISTRY/small:1.0" disk/out
    no_room pull
    on_disk 30000000 1000 "$PROGRAM" pull --plain-http "$REGISTRY/small:1.0" disk/out
    assert_success
    stages_were 'pull folder of downloads' 'pull download' 'pull contents' 'pull end'
}

# bats test_tags=long
@test "a conversion to a SquashFS on a disk of many sizes" {
    local whole i
    convert oci:layout whole
    whole=$(size_of whole)
    for i in $(seq 0 $((whole / STEPS)) $((whole - 8192))) $((whole - 4096)) $((whole - 1)); do
        on_disk "$i" 1000 "$PROGRAM" convert oci:layout disk/out || return
        no_room file || report "with $i bytes" || return
        assert_equal "$(<result/between)" '' || return
        cmp result/out whole || return
    done
    on_disk 30000000 0 "$PROGRAM" convert oci:layout disk/out
    no_room file
    stages_were 'file contents' 'file end' 'file its name'
}

# bats test_tags=long
@test "a conversion to a directory on a disk of many sizes, and of few files" {
    local whole files i
    convert oci:layout dir:whole
    whole=$(du -s --apparent-size -B 1 whole | cut -f 1) files=$(find whole | wc -l)
    for ((i = 0; i < STEPS; i++)); do
        on_disk $((whole * i / STEPS / 2)) 1000 "$PROGRAM" convert oci:layout dir:disk/out || return
        no_room directory || return
        assert_equal "$(<result/between)" '' || return
        diff -r whole result/out || return
    done
    for i in 0 1 2 3 5 $((files / 2)) $((files - 2)); do
        on_disk 30000000 "$i" "$PROGRAM" convert oci:layout dir:disk/out || return
        no_room directory || report "with $i files" || return
        assert_equal "$(<result/between)" '' || return
        diff -r whole result/out || return
    done
    stages_were 'directory contents' 'directory names'
}

@test "a conversion of an archive that is compressed, with no room to unpack it" {
    convert oci:layout whole
    "$PROGRAM" convert oci:layout oci-archive:archive.tar && gzip archive.tar
    for i in 0 4000000; do
        on_disk "$i" 1000 "$PROGRAM" convert archive.tar.gz disk/out || return
        assert_fails 125 'image archive.tar.gz' 'unpacked in disk before' 'no space left' 'make room' '[output]' || return
        assert_equal "$(<result/between)" '' || return
        cmp result/out whole || return
    done
}

@test "a limit on the size of files" {
    local whole i
    need prlimit
    start_registry
    convert oci:layout whole
    whole=$(size_of whole)
    for i in $(seq 4096 $((whole / STEPS)) $((whole - 8192))) $((whole - 4096)) $((whole - 1)); do
        capture prlimit "--fsize=$i" "$PROGRAM" convert oci:layout out
        no_room file || report "at $i bytes" || return
        capture prlimit "--fsize=$i" "$PROGRAM" convert oci:layout dir:out
        [[ $status -eq 0 ]] || no_room directory || report "at $i bytes" || return
        rm -rf out
        capture prlimit "--fsize=$i" "$PROGRAM" pull --plain-http "$REGISTRY/small:1.0" out
        no_room pull || report "at $i bytes" || return
        assert_equal "$(find . -maxdepth 1 -name '*out*' ! -name layout ! -name .out.download)" '' || return
    done
    stages_were 'file contents' 'file end' 'directory contents' \
        'pull download' 'pull end'
}

# failing CALL ERROR COMMAND...: each of its calls in turn fails, or some of them.
failing() {
    local call=$1 error=$2 count i
    shift 2
    strace -f -o trace "$@" 2>log || report "$(<log)" || return
    rm -rf out
    count=$(grep -cE "^[0-9]+ +$call\(" trace) || report "no $call in it" || return
    for ((i = 0; i < STEPS && i < count; i++)); do
        capture strace -f -o /dev/null -e "trace=$call" -e "inject=$call:error=$error:when=$((1 + i * count / STEPS))+" "$@"
        no_room "$call" || report "$call $i" || return
        assert_equal "$(find . -maxdepth 1 -name '*out*' ! -name layout)" '' || return
    done
}

@test "what a file system may refuse only at the end: names, sizes" {
    need strace
    export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0
    failing linkat EDQUOT "$PROGRAM" convert oci:layout out
    failing ftruncate ENOSPC "$PROGRAM" convert oci:layout out
    failing pwrite64 EDQUOT "$PROGRAM" convert oci:layout out
    failing renameat2 ENOSPC "$PROGRAM" convert oci:layout dir:out
    failing mkdirat EDQUOT "$PROGRAM" convert oci:layout dir:out
    failing utimensat ENOSPC "$PROGRAM" convert oci:layout dir:out
    touch out
    capture strace -f -o /dev/null -e trace=renameat -e inject=renameat:error=ENOSPC "$PROGRAM" convert --force oci:layout out
    no_room renameat
    assert_equal "$(find . -maxdepth 1 -name '*out*' ! -name layout -printf '%p %s')" './out 0'
    sort stages | uniq -c | sed 's/^ */# /' >&3
}
