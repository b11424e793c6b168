#!/usr/bin/env bats
# Damaged images: each is refused, works, or gives input/output errors that
# the log tells of. None hangs, kills coracle or leaves a server.

# Scripts for shells further in stand in single quotes; each test is a subshell.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helpers
load refusals
load squashfs

# What reads the image is not in it: whatever is damaged, it is our reading that fails.
setup() {
    squashfs_setup
    compile_into mutate ../fuzz/mutate.c
    mkdir tools
    cp "$(find_busybox)" tools/busybox
    make_tree
    export CORACLE_LOG=$BATS_TEST_TMPDIR/log
    : >"$CORACLE_LOG"
}

make_tree() {
    local i
    rm -r "${TREE:?}"/{bin,usr/bin}
    mkdir -p "$TREE/data/deeper/still" "$TREE/data/many"
    seq 20000 >"$TREE/data/text"
    seq 60000 | gzip -n >"$TREE/data/noise"
    truncate -s 700000 "$TREE/data/hole"
    for i in {1..150}; do seq "$i" >"$TREE/data/many/a-rather-long-name-$i"; done
    ln -s ../text "$TREE/data/deeper/link"
    ln "$TREE/data/text" "$TREE/data/deeper/still/hard"
}

# Names and attributes of all, texts of links, contents; then whether any failed.
WALK='
b=/tools/busybox
failed=
$b find / -xdev ! -path "/tools/*" -exec $b ls -ldn {} + >/dev/null || failed=yes
$b find / -xdev -type l -exec $b readlink {} + >/dev/null || failed=yes
$b find / -xdev -type f ! -path "/tools/*" -exec $b cat {} + >/dev/null || failed=yes
[ -z "$failed" ] || exit 3
echo all read
'

# walk: everything of IMAGE is read.
walk() {
    : >"$CORACLE_LOG"
    capture timeout -k 1 20 "$CORACLE" run --no-home --no-default-binds --workdir / \
        --bind "$PWD/tools:/tools:ro" "$IMAGE" -- /tools/busybox sh -c "$WALK"
}

is_one_error() { [[ $stderr =~ ^coracle:\ error:\ [^$'\n']*\ \[[a-z-]+\]$ ]]; }

# kind: of what walk has met: one of those in KINDS, or what must not be.
KINDS='refused whole errors missing'
kind() {
    case $status in
    0) [[ $output == 'all read' && -z $stderr ]] && echo whole || echo 'success with messages' ;;
    125) is_one_error && echo refused || echo 'status 125 without its line' ;;
    3)
        if [[ $stderr == *'Transport endpoint'* ]]; then
            echo 'a server that ended'
        elif [[ $stderr == *'/output error'* || $stderr == *'I/O error'* ]]; then
            [[ -s $CORACLE_LOG ]] && echo errors || echo 'errors that the log does not tell'
        else
            echo missing # a name that the order of names hides
        fi
        ;;
    *) echo "status $status" ;;
    esac
}

@test "damaged images are refused, or read, or give errors that are told" {
    local number base what
    local -A counts=([refused]=0 [whole]=0 [errors]=0 [missing]=0)
    local -a same=(-b 4K -all-root -all-time 0 -mkfs-time 0 -processors 1)
    pack compressed -comp zstd "${same[@]}"
    walk
    assert_equal "$(kind)" whole
    pack plain -comp zstd "${same[@]}" -noI -noD -noF -noX
    walk
    assert_equal "$(kind)" whole
    IMAGE=$PWD/damaged
    rounds 1000
    for ((number = 0; number < ROUNDS; number++)); do
        base=compressed
        ((number % 2)) || base=plain
        cp "$base" "$IMAGE"
        ./mutate "$IMAGE" "$number"
        walk
        what=$(kind)
        [[ " $KINDS " == *" $what "* ]] || report "number $number, $base: $what"
        counts[$what]=$((counts[$what] + 1))
    done
    echo "# ${counts[refused]} refused, ${counts[whole]} read, ${counts[errors]} with errors," \
        "${counts[missing]} with names that are not found" >&3
    [[ ${counts[refused]} -gt 0 && ${counts[errors]} -gt 0 && ${counts[whole]} -gt 0 ]] ||
        report 'one kind was never met'
    assert_nothing_left 20
    ! pgrep -u "$(id -u)" -f "^coracle-fuse $IMAGE " || report 'a server is left'
}
