#!/usr/bin/env bats
# A SquashFS image that is unpacked: because it was asked for, or because nobody may use FUSE.
# Works on a directory of its own on the host, so that what is left would be seen.

load helpers
load squashfs
load ranks

setup() {
    ranks_setup || return
    need_squashfs
    image squashfs
    mkdir place
    export CORACLE_UNPACK=$PWD/place
}

teardown() { ranks_teardown; }

unpacked() { find place -mindepth 1 -maxdepth 1; }
nothing_unpacked() { [[ -z $(unpacked) ]]; }

@test "--unpack: the image is seen, read-only, and taken away in the end" {
    coracle_run -- sh -c 'cat /etc/image-release; echo x >/etc/new || echo read-only'
    assert_success
    assert_output_has "$(cat "$TREE/etc/image-release")"
    assert_output_has read-only
    within 100 nothing_unpacked
}

@test "ranks unpack an image once, whatever they mount besides" {
    local i
    mkdir more
    for i in 1 2 3 4 5 6; do launch "r$i" "$CORACLE" run "$IMAGE"; done
    launch other "$CORACLE" run --bind "$PWD/more:/more" "$IMAGE"
    for i in r1 r2 r3 r4 r5 r6 other; do is_there "$i" || return; done
    assert_equal "$(unpacked | wc -l)" 1
    assert_same "$(userns r1)" "$(userns other)"
    assert_same "$(mountns r1)" "$(mountns r6)"
    assert_different "$(mountns r1)" "$(mountns other)"
    assert_equal "$(servers "$IMAGE" | wc -l)" 0
    finish r1 r2 r3 r4 r5 r6
    assert_equal "$(unpacked | wc -l)" 1
    assert_equal "$(ask other 'cat /etc/image-release')" "$(cat "$TREE/etc/image-release")"
    finish other
    within 100 nothing_unpacked
}

@test "an unpacked image and a mounted one are two" {
    start one "$CORACLE" run "$IMAGE" || return
    start two env -u CORACLE_UNPACK "$CORACLE" run "$IMAGE" || return
    assert_same "$(userns one)" "$(userns two)"
    assert_equal "$(unpacked | wc -l)" 1
    assert_equal "$(servers "$IMAGE" | wc -l)" 1
}

@test "others can neither look into it nor enter it, whatever the modes in the image" {
    start one "$CORACLE" run "$IMAGE" || return
    assert_equal "$(stat -c %a "$(unpacked)")" 700
}

# taken_away OPTION
taken_away() {
    coracle_run "$1" -- cat /etc/image-release
    assert_output "$(cat "$TREE/etc/image-release")" || return
    within 100 nothing_unpacked || report "left after $1"
}

@test "--share=none, --root: taken away as well" {
    taken_away --share=none
    taken_away --root
}

@test "--writable-tmpfs: taken away as well" { taken_away --writable-tmpfs; }

is_unpacking() { [[ -e $(echo place/*/root/large) ]]; }

@test "a launch that is killed while it unpacks leaves nothing" {
    local hit=0 round blocks
    head -c 60000000 /dev/urandom >"$TREE/large"
    pack "$PWD/large.sqfs" -noI -noD -noF
    for round in {1..50}; do
        "$CORACLE" run "$IMAGE" -- true 2>/dev/null &
        until is_unpacking || has_ended "$!"; do :; done
        # Stopped, it can be looked at: when it is killed, what it made goes at once.
        kill -STOP "$!" 2>/dev/null || true
        # Its length is set at once, its blocks of 512 bytes as they are written.
        blocks=$(stat -c %b place/*/root/large 2>/dev/null) || blocks=none
        [[ $blocks == none || $((blocks * 512)) -ge 60000000 ]] || hit=$((hit + 1))
        kill -9 "$!" 2>/dev/null || true
        wait "$!" || true
        within 100 nothing_unpacked || report "something is left in round $round" || return
        [[ $hit -lt 3 ]] || break
    done
    [[ $hit -gt 0 ]] || report 'no launch was hit'
}

@test "what a broker that was killed has left the next one takes away" {
    start one "$CORACLE" run "$IMAGE" || return
    one_broker
    kill -9 "$BROKER"
    finish one
    assert_equal "$(unpacked | wc -l)" 1
    coracle_run -- true
    assert_success
    within 100 nothing_unpacked
}

@test "closed directories of an image are taken away too" {
    mkdir -p "$TREE/a/b/c"
    touch "$TREE/a/b/c/file"
    pack "$PWD/closed.sqfs" -p '/a/b/c m 000 0 0' -p '/a/b m 500 0 0' || return
    coracle_run -- test -d /a/b/c
    assert_success
    within 100 nothing_unpacked
}

@test "no room: refused with the way out, and nothing is left" {
    head -c 3000000 /dev/urandom >"$TREE/large"
    pack "$PWD/large.sqfs"
    on_host 'mount -t tmpfs -o size=1m,mode=1777 none place
        as 1000 "$CORACLE" run "$IMAGE" -- true || echo $?; sleep 1; ls -A place'
    assert_output 125
    assert_stderr_has '[limit]'
    assert_stderr_has --unpack=DIRECTORY
}

@test "a place that does not exist, is closed, or cannot be executed from: refused" {
    mkdir closed
    chmod 500 closed
    local place
    for place in "$PWD/missing" "$PWD/closed"; do
        [[ $place != */closed ]] || ! is_root || continue
        CORACLE_UNPACK=$place coracle_run -- true
        assert_fails 125 "$place" '[limit]' || return
    done
    CORACLE_UNPACK=relative coracle_run -- true
    assert_fails 125 CORACLE_UNPACK '[config]'
}

@test "CORACLE_UNPACK=no mounts it, TMPDIR is where the job's scratch is" {
    export CORACLE_UNPACK=no
    start one "$CORACLE" run "$IMAGE" || return
    assert_equal "$(servers "$IMAGE" | wc -l)" 1
    CORACLE_UNPACK=yes TMPDIR=$PWD/place start two "$CORACLE" run "$IMAGE" || return
    assert_equal "$(unpacked | wc -l)" 1
}

@test "a directory of the host on the same file system that had to be assembled is what it is now" {
    make_source
    mkdir beside
    touch beside/old
    sleep 0.15
    start one "$CORACLE" run --bind "$PWD/beside:/beside" --bind "$SOURCE:/beside/new" "$IMAGE" || return
    assert_equal "$(ask one 'ls /beside' | xargs)" 'new old'
    touch beside/later
    start two "$CORACLE" run --bind "$PWD/beside:/beside" --bind "$SOURCE:/beside/new" "$IMAGE" || return
    assert_equal "$(ask two 'ls /beside' | xargs)" 'later new old'
    assert_same "$(userns one)" "$(userns two)"
}
