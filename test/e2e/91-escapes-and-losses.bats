#!/usr/bin/env bats
# What a reviewer found: ways out, things silently lost, flags undone.

load helpers

# --- ways out ----------------------------------------------------------------

@test "a link of the image to / does not put a mount on the root" {
    rmdir "$IMAGE/proc"
    ln -s / "$IMAGE/proc"
    coracle_run --root --no-home --no-default-binds --workdir / -- sh -c 'ls /..'
    assert_fails 125 /proc 'root directory of the container' '[bind-target]'
    coracle_run -- true
    assert_fails 125 '[bind-target]'
}

@test "a target whose .. leads to / is refused" {
    make_source
    coracle_run --bind "$SOURCE:/.." -- true
    assert_fails 125 '[bind-target]'
    coracle_run --bind "$SOURCE:/opt/../." -- true
    assert_status 125
}

@test "with --root nothing of the old root is left, whatever lies on the root" {
    make_source
    coracle_run --root --bind "$SOURCE:/one" --bind "$SOURCE:/two/deep" --tmpfs /three -- sh -c 'ls /..; ls /'
    assert_success
    assert_equal "$(head -n $((${#lines[@]} / 2)) <<<"$output")" "$(tail -n $((${#lines[@]} / 2)) <<<"$output")"
    assert_output_lacks boot
}

# It removes the user's records, which other tests make.
# bats test_tags=alone
@test "links that a container left in the record's place are not followed" {
    local secret=$HOME/secret
    mkdir "$secret"
    echo key >"$secret/key"
    # One that other tests have left elsewhere would be taken.
    rm -rf {/tmp,/dev/shm}/coracle-"$UID"
    coracle_run -- true
    assert_success
    rm -f "$XDG_RUNTIME_DIR/coracle-$UID"/{passwd,group}
    ln -s "$secret" "$XDG_RUNTIME_DIR/coracle-$UID/passwd"
    ln -s / "$XDG_RUNTIME_DIR/coracle-$UID/group"
    coracle_run --no-home -- sh -c 'cat /etc/passwd/key; ls /etc/group; cat /etc/passwd'
    assert_output_lacks key
    assert_output_lacks usr
    assert_stderr_has "not a regular file of yours"
    rm -rf "$XDG_RUNTIME_DIR/coracle-$UID"
}

@test "the user's entry in /etc/passwd cannot be changed for later containers" {
    coracle_run -- sh -c 'chmod 644 /etc/passwd; echo evil:x:0:0::/:/bin/sh >>/etc/passwd'
    assert_stderr_has 'Read-only file system'
    coracle_run -- cat /etc/passwd
    assert_output_lacks evil
}

@test "with --root a read-only bind and the image stay read-only" {
    make_source
    coracle_run --root --bind "$SOURCE:/kept:ro" -- sh -c '
        mount -o remount,bind,rw /kept; echo changed >/kept/file
        mount -o remount,bind,rw,nosuid,nodev /; touch /bin/written
        umount /kept; mount -t tmpfs none /opt && echo mounts; cat /kept/file'
    assert_output_has 'from the host'
    assert_output_has mounts
    assert_equal "$(cat "$SOURCE/file")" 'from the host'
    [[ ! -e $IMAGE/bin/written ]]
}

@test "with --write no link that appears meanwhile leads a mount point out of the image" {
    directory_only 'nobody can change it while it is run'
    local outside=$BATS_TEST_TMPDIR/outside swapper i hit=0
    make_source
    mkdir "$outside"
    (
        set +e
        while :; do
            ln -sn "$outside" "$IMAGE/a" && rm -f "$IMAGE/a"
            rm -rf "${IMAGE:?}/a"
        done
    ) 2>/dev/null 3>&- &
    swapper=$!
    rounds 500
    for ((i = 0; i < ROUNDS; i++)); do
        coracle_run --write --no-home --bind "$SOURCE:/a/b/c" -- true
        [[ $status -ne 0 ]] || hit=$((hit + 1))
        [[ -z $(ls -A "$outside") ]] || break
    done
    kill "$swapper"
    wait "$swapper" || true
    assert_equal "$(ls -A "$outside")" ''
    [[ $hit -gt 0 ]] || report "no launch got through between the links"
}

# --- silently lost -----------------------------------------------------------

@test "a directory that changes while it is assembled is shown whole" {
    local busy=$BATS_TEST_TMPDIR/busy churner i go
    local -A others=()
    make_source
    mkdir "$busy"
    mkdir "$busy"/keep{1..40}
    (
        set +e
        while :; do
            touch "$busy"/go{1..9}
            rm -f "$busy"/go*
        done
    ) 2>/dev/null 3>&- &
    churner=$!
    rounds 500
    for ((i = 0; i < ROUNDS; i++)); do
        coracle_run --bind "$busy:/busy" --bind "$SOURCE:/busy/new" -- sh -c 'set -- /busy/keep*; echo $#; ls /busy'
        [[ $status -eq 0 && ${lines[0]} == 40 ]] || break
        go=$(grep -c ^go <<<"$output") || true
        others[$go]=met
    done
    kill "$churner"
    wait "$churner" || true
    assert_success
    assert_equal "${lines[0]}" 40
    # It was changing: launches met more and less in it.
    [[ ${#others[@]} -gt 1 ]] || report 'no change was met'
}

@test "600 binds in a directory with 100 entries" {
    local -a binds=()
    local i
    make_source
    mkdir -p "$IMAGE/data"
    touch "$IMAGE"/data/{1..100}
    for ((i = 0; i < 600; i++)); do binds+=(--bind "$SOURCE:/data/new$i"); done
    coracle_run "${binds[@]}" -- sh -c 'ls /data | wc -l; cat /data/new599/file'
    assert_success
    assert_equal "${lines[0]}" 700
    assert_equal "${lines[1]}" 'from the host'
}

@test "a mount point that a directory of the host lacks is warned of" {
    make_source
    coracle_run --bind "$SOURCE:$HOME/new" -- sh -c 'ls "$HOME"; touch "$HOME/x"'
    assert_stderr_has 'no new names can be made in'
    assert_stderr_has 'make it on the host'
    mkdir "$HOME/new"
    coracle_run --bind "$SOURCE:$HOME/new" -- sh -c 'touch "$HOME/x"'
    assert_output ''
    assert_equal "$stderr" ''
}
