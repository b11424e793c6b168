#!/usr/bin/env bats
# Servers that do not serve: one that was stopped is killed, one that waits for
# storage is left alone, and what happened is said.

load helpers
load squashfs
load ranks

setup() {
    ranks_setup || return
    need_squashfs
    export CORACLE_LOG=$PWD/log
    : >log
}

teardown() {
    [[ -z ${STORAGE-} ]] || kill -CONT "$STORAGE" 2>/dev/null
    [[ ! -d storage ]] || fusermount3 -u storage 2>/dev/null || fusermount3 -uz storage 2>/dev/null || true
    ranks_teardown
}

@test "a server that was stopped is killed, whoever waits gets an error, and the next launch says so" {
    local began
    head -c 3000000 /dev/urandom >"$TREE/unread"
    image squashfs
    start one "$CORACLE" run "$IMAGE" || return
    one_server
    kill -STOP "$SERVER"
    began=$SECONDS
    "$CORACLE" run "$IMAGE" -- md5sum /unread >waits 2>&1 &
    within 250 has_ended "$SERVER"
    [[ $((SECONDS - began)) -ge 4 ]] || report 'it was killed before it could have been seen twice'
    wait "$!" && report 'a file that nobody can serve was read'
    grep -q "$SERVER, which serves .*stopped" log
    coracle_run -- md5sum /unread
    assert_success
    assert_stderr_has 'was stopped, and killed for that'
    assert_output_has "$(md5sum <"$TREE/unread" | cut -d ' ' -f 1)"
    coracle_run -- true
    assert_success
    assert_equal "$stderr" ''
}

@test "a server that was killed: the next launch says so" {
    image squashfs
    start one "$CORACLE" run "$IMAGE" || return
    one_server
    kill -9 "$SERVER"
    within 100 has_ended "$SERVER"
    coracle_run -- true
    assert_success
    assert_stderr_has 'coracle-fuse, which served this image, has ended'
    grep -q "$SERVER, which served .*has ended" log
}

# It mounts on the host: ranks of other tests that come later would not enter what was there before.
# bats test_tags=alone
@test "a server that waits for storage is left alone until the storage is back" {
    need squashfuse_ll
    need fusermount3
    mkdir outer storage
    head -c 3000000 /dev/urandom >"$TREE/unread"
    image squashfs
    mv "$IMAGE" outer/inner.sqfs
    mksquashfs outer outer.sqfs -noappend -no-progress -noI -noD -noF >/dev/null
    squashfuse_ll -f outer.sqfs storage &
    STORAGE=$!
    within 100 test -e storage/inner.sqfs
    IMAGE=$PWD/storage/inner.sqfs
    start one "$CORACLE" run "$IMAGE" || return
    one_server
    kill -STOP "$STORAGE"
    "$CORACLE" run "$IMAGE" -- md5sum /unread >waits 2>&1 &
    sleep 14
    has_ended "$SERVER" && report 'the server was killed'
    has_ended "$!" && report "the reader has ended: $(cat waits)"
    kill -CONT "$STORAGE"
    wait "$!"
    grep -q "$(md5sum <"$TREE/unread" | cut -d ' ' -f 1)" waits
    assert_equal "$(cat log)" ''
}
