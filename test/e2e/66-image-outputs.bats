#!/usr/bin/env bats
# What coracle pull and convert make is whole or not there, and nothing else is left beside
# it: killed at any system call, interrupted, twice at once, on top of what is there.
# Nothing is launched here: the kind of image makes no difference.

# Scripts for shells further in stand in single quotes; each test is a subshell.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helpers
load layouts

setup() {
    standard_setup
    need_coracle_image
    make_layout
}

teardown() {
    registry_ends
    standard_teardown
}

# How often each call is hit in a run of the tests.
HITS=$([[ ${CORACLE_TEST_LONG-} ]] && echo 12 || echo 1)

# content FILE-OR-DIRECTORY: prints what it is, to the last bit; a layout's files have the times when
# they were made.
content() {
    if [[ -e $1/oci-layout ]]; then
        tar -C "$1" --sort=name --mtime=@0 --format=gnu -cf - . | sha256sum
    elif [[ -d $1 ]]; then
        tar -C "$1" --sort=name --format=gnu -cf - . | sha256sum
    else
        sha256sum <"$1"
    fi
}

# beside: what lies around the output but what is meant to.
beside() { find . -maxdepth 1 -name '*out*' ! -name layout ! -name out ! -name .out.download; }

# fresh: nothing is in the place, or the layout BEFORE.
fresh() {
    rm -rf out
    [[ -z ${BEFORE-} ]] || cp -a "$BEFORE" out
}

# is_whole: out is WHOLE; or BEFORE, with more blobs, each of which is whole.
is_whole() {
    local blob
    if [[ -z ${BEFORE-} ]]; then
        content out | cmp - expected
        return
    fi
    cmp -s out/index.json "$BEFORE/index.json" || cmp -s out/index.json "$WHOLE/index.json" || return
    for blob in out/blobs/sha256/*; do
        [[ $(sha256sum <"$blob") == "${blob##*/}  -" ]] || return
    done
}

# killed_at CALLS COMMAND...: makes DESTINATION by COMMAND, killed at some of each of CALLS, and
# again in peace; WHOLE is what it has to be. Says what was hit.
killed_at() {
    local calls=$1 call count place i hit=0 missed=0 where=()
    shift
    content "$WHOLE" >expected
    # LeakSanitizer cannot be traced.
    export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0
    fresh
    strace -f -o trace "$@" 2>log || report "$(<log)" || return
    fresh
    for call in $calls; do
        count=$(grep -cE "^[0-9]+ +$call\(" trace) || continue
        for ((i = 0; i < HITS && i < count; i++)); do
            place=$((1 + (2 * i + 1) * count / (2 * HITS)))
            status=0
            strace -f -o /dev/null -e "trace=$call" -e "inject=$call:signal=KILL:when=$place" "$@" 2>log || status=$?
            if [[ $status -eq 137 ]]; then
                hit=$((hit + 1))
                where+=("$call")
            elif [[ $status -eq 0 ]]; then
                missed=$((missed + 1))
            else
                report "$call $place: expected it to be killed, got status $status: $(<log)" || return
            fi
            if [[ -e out ]]; then
                is_whole || report "$call $place: half an image" || return
                [[ ${BEFORE-} ]] || rm -rf out
            fi
            capture "$@"
            assert_success || report "after $call $place" || return
            content out | cmp - expected || report "after $call $place: another image" || return
            assert_equal "$(beside)" '' || report "after $call $place" || return
            [[ ! -e .out.download ]] || report "after $call $place: the downloads are left" || return
            fresh
        done
    done
    echo "# $hit killed, $missed not hit: $(printf '%s\n' "${where[@]}" | uniq -c | awk '{printf "%s %d ", $2, $1}')" >&3
    ((hit >= $(wc -w <<<"$calls") / 2 && hit > missed)) || report 'expected to hit more'
}

MAKING='openat pread64 pwrite64 write ftruncate close futex munmap'

# named COMMAND...: as on a file system without files that have no name.
named() {
    compile_into forbid forbid.c
    case $(uname -m) in x86_64) NAMED=(./forbid 257:2:0x400000 95) ;; *) NAMED=(./forbid 56:2:0x400000 95) ;; esac
}

@test "a conversion to a SquashFS, killed at any time: the name holds nothing or all of it" {
    need strace
    convert oci:layout whole
    assert_success
    WHOLE=whole killed_at "$MAKING linkat" "$PROGRAM" convert oci:layout out
}

@test "the same where every file has to have a name, and over one that is there" {
    need strace
    named
    convert oci:layout whole
    WHOLE=whole killed_at "$MAKING flock renameat2 link linkat" "${NAMED[@]}" "$PROGRAM" convert oci:layout out
    WHOLE=whole killed_at 'linkat flock rename renameat' "$PROGRAM" convert --force oci:layout out
}

# bats test_tags=long
@test "a conversion to a directory, killed at any time: the name holds nothing or all of it" {
    need strace
    convert oci:layout dir:whole
    assert_success
    WHOLE=whole killed_at "openat pread64 write mkdirat flock renameat renameat2 linkat fchmodat utimensat unlinkat close" \
        "$PROGRAM" convert oci:layout dir:out
}

# bats test_tags=long
@test "a conversion to a layout or an archive, killed at any time: the name holds nothing or all of it" {
    local kind
    need strace
    named
    for kind in oci oci-archive docker-archive; do
        convert oci:layout "$kind:whole"
        assert_success
        WHOLE=whole killed_at "openat pread64 pwrite64 mkdirat flock renameat renameat2 ftruncate linkat close unlinkat" \
            "$PROGRAM" convert oci:layout "$kind:out"
        rm -r whole
    done
    convert oci:layout oci-archive:whole
    WHOLE=whole killed_at "openat pwrite64 flock renameat renameat2 close" \
        "${NAMED[@]}" "$PROGRAM" convert oci:layout oci-archive:out
    WHOLE=whole killed_at 'linkat flock rename renameat' "$PROGRAM" convert --force oci:layout oci-archive:out
}

# bats test_tags=long
@test "an image that is added to a layout, killed at any time: the others are there, and it is or is not" {
    need strace
    convert "$IMAGE" oci:before:first
    assert_success
    cp -a before whole
    convert oci:layout oci:whole:second
    assert_success
    BEFORE=before WHOLE=whole killed_at "openat pwrite64 mkdirat flock renameat unlinkat close" \
        "$PROGRAM" convert --force oci:layout oci:out:second
}

@test "a pull, killed at any time: the next one makes the same of what is there" {
    need strace
    start_registry
    convert oci:layout whole
    convert oci:layout dir:whole-tree
    WHOLE=whole killed_at "mkdir socket connect sendto recvfrom openat flock pwrite64 rename renameat pread64 ftruncate linkat unlinkat rmdir" \
        "$PROGRAM" pull --plain-http "$REGISTRY/small:1.0" out
    WHOLE=whole-tree killed_at "recvfrom pwrite64 write renameat renameat2 unlinkat rmdir" \
        "$PROGRAM" pull --plain-http "$REGISTRY/small:1.0" dir:out
}

# make_slow: a layer that does not compress, so that what is made of it takes long.
make_slow() {
    mkdir -p slow/opt && head -c 60000000 /dev/urandom >slow/opt/random
    IMAGE=slow make_layout
}

# is_writing PID: it has opened what it makes.
is_writing() {
    find "/proc/$1/fd" -lname "$PWD/*(deleted)" 2>/dev/null | grep -q . || compgen -G '.out.partial-*' >/dev/null ||
        compgen -G 'out/.image.partial-*' >/dev/null
}

# until_writing DESTINATION: makes that in the background, until it is met at work: a directory is
# quickly made, and a busy machine looks too late.
until_writing() {
    local convert=() job=(--compression xz oci:layout)
    [[ $1 != named* ]] || convert=("${NAMED[@]}")
    # Layers are taken as they are; a tree has to be compressed.
    [[ $1 != *:* || $1 == dir:* ]] || job=(--compression gzip slow)
    for _ in {1..20}; do
        fresh
        "${convert[@]}" "$PROGRAM" convert "${job[@]}" "$(sed 's/^named$/out/; s/^named-//' <<<"$1")" 2>log 3>&- &
        while kill -0 $! 2>/dev/null; do
            ! is_writing $! || return 0
        done
        wait $! || return
    done
    return 1
}

# interrupted DESTINATION SIGNAL: making that is interrupted, which counts as a `hit`, and leaves nothing.
interrupted() {
    local signal=$2
    until_writing "$1" || report 'always too quick to be interrupted' || return
    # bash has its jobs ignore SIGINT, and so do we then.
    [[ $signal != INT ]] || { kill -INT $! && signal=TERM; }
    ! kill -s "$signal" $! || hit=$((hit + 1))
    status=0
    wait $! || status=$?
    assert_equal "$(beside)" ''
}

@test "an interrupt: nothing is left" {
    local hit=0 signal destination
    make_slow
    named
    for destination in out dir:out named; do
        for signal in TERM INT HUP; do
            interrupted "$destination" "$signal"
            [[ ! -e out ]] || rm -r out # it was complete when the signal came
        done
    done
    [[ $hit -eq 9 ]]
}

@test "an interrupt while a layout or an archive is made: nothing is left" {
    local hit=0 signal destination
    make_slow
    named
    convert oci:layout oci:small:first
    for destination in oci:out oci:out:second oci-archive:out docker-archive:out named-oci-archive:out; do
        BEFORE=
        [[ $destination != oci:out:second ]] || BEFORE=small
        for signal in TERM INT HUP; do
            interrupted "$destination" "$signal"
            if [[ $status -eq 0 ]]; then # it was complete when the signal came
                assert_equal "$(find out -name '.*')" ''
            elif [[ $BEFORE ]]; then
                diff -r out small
            else
                [[ ! -e out ]]
            fi
        done
    done
    [[ $hit -eq 15 ]]
}

has_ended() { [[ ! -e /proc/$1 || $(ps -o state= -p "$1") == Z* ]]; }

@test "an interrupt while a pipe is silent: nothing is left" {
    local destination hit=0
    named
    tar -C "$IMAGE" -cf image.tar .
    for destination in out dir:out oci:out named-docker-archive:out; do
        mkfifo pipe
        exec {silent}<>pipe
        head -c 20000 image.tar >&"$silent" &
        convert=()
        [[ $destination != named* ]] || convert=("${NAMED[@]}")
        "${convert[@]}" "$PROGRAM" convert tar:- "${destination#named-}" <pipe 2>log 3>&- {silent}>&- &
        in_tenths 50 is_writing $! || report "expected it to begin: $(<log)" || return
        kill -TERM $! && hit=$((hit + 1))
        in_tenths 50 has_ended $! || kill -KILL $!
        status=0
        wait $! || status=$?
        exec {silent}>&-
        assert_equal "$status $(beside)" '143 ' || report "$destination" || return
        [[ ! -e out ]]
        rm pipe
    done
    [[ $hit -eq 4 ]]
}

@test "what a killed one left goes, what a living one makes stays, others' names are not touched" {
    local living
    make_slow
    named
    "${NAMED[@]}" "$PROGRAM" convert --compression xz oci:layout out 2>log 3>&- &
    living=$!
    in_tenths 50 is_writing $living
    mine=$(compgen -G '.out.partial-*')
    dead=.out.partial-$(uname -n)-00000001
    mkdir -p ".out.partial-$(uname -n)-0000000d/root/closed" .out.partial-dir
    chmod 0 ".out.partial-$(uname -n)-0000000d/root/closed"
    ln -s /etc/passwd ".out.partial-$(uname -n)-0000000l"
    touch "$dead" .out.partial-elsewhere-00000001 .other.partial-x
    touch -d '3 days ago' .out.partial-elsewhere-00000002
    convert --compression lz4 oci:layout dir:out
    assert_success
    # A link is none of ours, and another node's may still be at work.
    assert_equal "$(printf '%s\n' .o* | sort)" "$(printf '%s\n' .other.partial-x ".out.partial-$(uname -n)-0000000l" \
        .out.partial-dir .out.partial-elsewhere-00000001 "$mine" | sort)" || return
    kill $living
    wait $living || true
    [[ ! -e $mine ]] || report 'expected it to take its own away'
}

# names LAYOUT: of the images in it.
names() {
    python3 -c 'import json, sys
for entry in json.load(open(sys.argv[1]))["manifests"]: print(entry["annotations"]["org.opencontainers.image.ref.name"])' \
        "$1/index.json" | sort | xargs
}

is_locked() { ! flock -n out/oci-layout true; }

# adds_slowly DESTINATION: in the background, until it has the layout locked.
adds_slowly() {
    strace -f -o /dev/null -e trace=renameat -e inject=renameat:delay_enter=300000 \
        "$PROGRAM" convert oci:layout "$1" 2>log 3>&- &
    in_tenths 100 is_locked
}

@test "two that add to a layout at once: both images are there" {
    local i first hit=0
    need strace flock python3
    export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0
    convert "$IMAGE" oci:out:0
    for ((i = 1; i <= HITS; i++)); do
        adds_slowly "oci:out:a$i" || report 'expected it to lock the layout' || return
        first=$!
        ! is_locked || hit=$((hit + 1))
        convert oci:layout "oci:out:b$i"
        assert_success || return
        wait $first || report "$(<log)" || return
        [[ " $(names out) " == *" a$i "* && " $(names out) " == *" b$i "* ]] ||
            report "expected both a$i and b$i: $(names out)" || return
    done
    echo "# $hit met" >&3
    ((hit == HITS)) || report 'expected them to meet'
    # Of one name and two images the second is refused, as it is when it comes later.
    adds_slowly oci:out:same
    first=$!
    convert "$IMAGE" oci:out:same
    assert_status 125
    assert_stderr_has already
    wait $first
    assert_equal "$(find out -name '.*')" ''
    for i in $(names out); do
        convert --force "oci:out:$i" check
        assert_success || return
    done
}

@test "many that make and add to a layout at once: each image is there, or told to be not" {
    local i jobs=() made=0 refused=0
    for i in {1..8}; do
        "$PROGRAM" convert oci:layout "oci:out:$i" 2>"log-$i" 3>&- &
        jobs+=($!)
    done
    for i in {1..8}; do
        if wait "${jobs[i - 1]}"; then
            made=$((made + 1))
            convert --force "oci:out:$i" check
            assert_success || return
        else
            # It was new for both of them.
            [[ $(<"log-$i") == 'coracle: error: '*'[output]' ]] || report "$(<"log-$i")" || return
            refused=$((refused + 1))
        fi
    done
    echo "# $made made, $refused refused" >&3
    ((made > 0)) && assert_equal "$(beside)$(find out -name '.*')" ''
}

@test "two pulls at once to one name: one image, and nothing is lost" {
    local i first second alone=0 both=0 left=0
    start_registry
    convert oci:layout whole
    for ((i = 0; i < 4 * HITS; i++)); do
        for kind in '' dir:; do
            "$PROGRAM" pull --plain-http "$REGISTRY/small:1.0" ${kind}out 2>log-1 3>&- & first=$!
            "$PROGRAM" pull --plain-http "$REGISTRY/small:1.0" ${kind}out 2>log-2 3>&- & second=$!
            local result_1=0 result_2=0
            wait $first || result_1=$?
            wait $second || result_2=$?
            [[ $kind ]] || cmp out whole || return
            case $result_1,$result_2 in
                0,125 | 125,0) both=$((both + 1)) ;;
                0,0) alone=$((alone + 1)) ;;
                *) report "expected one to succeed: $(cat log-1 log-2)" || return ;;
            esac
            if [[ $result_1$result_2 != 00 ]]; then
                [[ $(cat log-1 log-2) == 'coracle: error: '*'[output]' && $(cat log-1 log-2 | wc -l) -eq 1 ]] ||
                    report "expected one error [output]: $(cat log-1 log-2)" || return
            fi
            assert_equal "$(beside)" '' || return
            [[ ! -e .out.download ]] || left=$((left + 1))
            rm -rf out .out.download
        done
    done
    echo "# $both met, $alone one after the other; downloads left $left times" >&3
    ((both > 0)) || report 'expected them to meet'
}

# What another does that has ended.
@test "the folder of a pull is taken away before anything is in it: it is made again" {
    need strace
    local try pull taken=0
    start_registry
    convert oci:layout whole
    export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0
    strace -f -o /dev/null -e 'trace=/^mkdir' -e "inject=/^mkdir:delay_exit=$((500000 * CORACLE_TEST_SLOWNESS)):when=1" \
        "$PROGRAM" pull --plain-http "$REGISTRY/small:1.0" out 2>log 3>&- & pull=$!
    for ((try = 0; try < 3000; try++)); do
        if rmdir .out.download 2>/dev/null; then
            taken=1
            break
        fi
        sleep 0.01
    done
    wait "$pull" || report "$(<log)" || return
    [[ $taken -eq 1 ]] || report 'expected to take away the folder'
    cmp out whole
    [[ ! -e .out.download ]]
}

what_is_there() { find . -path ./home -prune -o ! -name before -printf '%p %y %l %i %m\n' | sort && cat file folder/file; }

@test "an output that is a folder, a link, or a link to nothing is refused and stays" {
    local option
    mkdir folder && echo precious >folder/file
    echo precious >file
    ln -s file link
    ln -s folder folder-link
    ln -s nothing dangling
    mkfifo fifo
    what_is_there >before
    for option in '' --force; do
        for destination in folder folder/ . .. / link folder-link folder-link/ dangling fifo '' missing/ \
            dir:folder dir:. dir:.. dir:/ dir:link dir:folder-link dir:dangling dir:file dir:fifo dir: missing/out dir:missing/out; do
            # shellcheck disable=SC2086 # none, or one
            convert $option oci:layout "$destination"
            assert_status 125 || report "to \"$destination\"" || return
            [[ $stderr == 'coracle: error: '*'[output]' || $stderr == *'[usage]' ]] && [[ $stderr != *$'\n'* ]] ||
                report "to \"$destination\"" || return
            diff before <(what_is_there) || report "to \"$destination\"" || return
        done
    done
    # In a folder behind a link there is room, and what appears meanwhile is not replaced.
    convert oci:layout folder-link/out
    assert_success
    assert_equal "$(echo folder/*)" 'folder/file folder/out'
}

is_tracing() {
    local pid
    pid=$(pgrep -P "$1") && is_writing "$pid"
}

@test "what appears while an image is made is not replaced" {
    local kind
    need strace pgrep
    export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0
    for kind in '' dir:; do
        strace -f -o /dev/null -e trace=linkat,renameat2 -e inject=linkat,renameat2:delay_enter=1500000:when=1 \
            "$PROGRAM" convert oci:layout "${kind}out" 2>log 3>&- &
        in_tenths 50 is_tracing $! || { wait $! && report 'too quick to be met'; }
        echo precious >out
        status=0
        wait $! || status=$?
        assert_equal "$status $(<out)" '125 precious' || report "$(<log)" || return
        [[ $(<log) == *'[output]' ]] || report "$(<log)" || return
        assert_equal "$(beside)" '' || return
        rm out
    done
}
