#!/usr/bin/env bats
# Names of the image change while launches are set up in it. A mount goes
# where the kernel resolved it within the new root, or the launch is refused.

load helpers

setup() {
    directory_only 'nobody can change it while it is run'
    standard_setup
    compile_into "$BATS_TEST_TMPDIR/hostile" hostile.c
    make_source
    OUTSIDE=$BATS_TEST_TMPDIR/outside
    mkdir -p "$OUTSIDE/x"
    BEFORE=$(find "$OUTSIDE" -printf '%P %y\n' | sort)
}

# race NAME COUNT OPTION...: COUNT launches while NAME of the image is now a directory with x, now a
# link to the host's OUTSIDE. Prints what each saw of its bind on NAME/x.
race() {
    local name=$1 count=$2 swapper i
    mkdir -p "$IMAGE$name/x"
    rm -rf "$IMAGE$name-other"
    ln -s "$OUTSIDE" "$IMAGE$name-other"
    "$BATS_TEST_TMPDIR/hostile" swap "$IMAGE$name" "$IMAGE$name-other" &
    swapper=$!
    for ((i = 0; i < count; i++)); do
        "$CORACLE" run "${@:3}" --bind "$SOURCE:$name/x" "$IMAGE" sh -c '
            kind=directory
            if [ -L "$1" ]; then kind=link; fi
            echo "$kind $(cat "$1/x/file" 2>/dev/null || echo nothing)"' sh "$name" 2>/dev/null || echo refused
    done >"$BATS_TEST_TMPDIR/seen"
    kill "$swapper"
    wait "$swapper" || true
    sort "$BATS_TEST_TMPDIR/seen" | uniq -c
}

count_of() { grep -c "^$1" "$BATS_TEST_TMPDIR/seen" || true; }

assert_race() {
    assert_equal "$(find "$OUTSIDE" -printf '%P %y\n' | sort)" "$BEFORE" || return
    if grep -F "$OUTSIDE" /proc/self/mountinfo; then return 1; fi
    # The race was one: launches met both.
    [[ $(count_of directory) -gt 0 && $(count_of link) -gt 0 ]] ||
        { echo "only one side was met" >&2; return 1; }
}

@test "a directory on the way to a bind is swapped with a link that leads outside" {
    rounds 1000
    race /opt/swapped "$ROUNDS"
    assert_race
}

@test "the same where the host's /tmp, in which the link ends, is shown" {
    rounds 500
    race /swapped "$ROUNDS" --tmpfs /mnt
    assert_race
}
