#!/usr/bin/env bats
# Bind targets that the image lacks just work, and the image is never changed.

# Scripts for shells further in stand in single quotes; each test is a subshell.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helpers

# tree_state DIR: everything there that a launch could change.
tree_state() {
    find "$1" -printf '%P\t%y\t%m\t%n\t%s\t%T@\t%C@\t%i\t%l\n' | sort
}

setup() {
    standard_setup
    SOURCE=$BATS_TEST_TMPDIR/source
    mkdir -p "$SOURCE/sub"
    echo 'from the host' >"$SOURCE/file"
    export SOURCE
}

# freeze: what the test has made of the image is what it must stay.
freeze() { tree_state "$IMAGE" >"$BATS_TEST_TMPDIR/state"; }

teardown() {
    local result=0
    if [[ -e $BATS_TEST_TMPDIR/state ]]; then
        tree_state "$BATS_TEST_TMPDIR/image" | diff "$BATS_TEST_TMPDIR/state" - || result=1
    fi
    chmod -R u+rwX "$BATS_TEST_TMPDIR"
    standard_teardown || result=1
    return "$result"
}

# shows DST [OPTION...]: the source bound at DST is seen at DST.
shows() {
    coracle_run --bind "$SOURCE:$1" "${@:2}" -- cat "$1/file"
    assert_output 'from the host' || return
    assert_equal "$stderr" ''
}

@test "a target that the image lacks, at the root" {
    freeze
    shows /scratch
}

@test "a deep target" {
    freeze
    shows /a/b/c/d/e/f/g/h/i/j
    shows /opt/data/x/y/z
}

@test "a file as a target that the image lacks" {
    freeze
    coracle_run --bind "$SOURCE/file:/opt/data/x/file" --bind "$SOURCE/file:/top" -- \
        cat /opt/data/x/file /top
    assert_output 'from the host
from the host'
}

@test "what stood beside a new mount point is still there, of every type" {
    mkdir "$IMAGE/opt/data/dir"
    echo inner >"$IMAGE/opt/data/dir/inner"
    ln -s dir/inner "$IMAGE/opt/data/relative"
    ln -s /opt/data/dir/inner "$IMAGE/opt/data/absolute"
    ln -s nowhere "$IMAGE/opt/data/dangling"
    mkfifo "$IMAGE/opt/data/pipe"
    touch "$IMAGE/opt/data/"$'a b\nc:d,e\\f\xff' "$IMAGE/opt/data/.hidden"
    chmod 0751 "$IMAGE/opt/data/dir"
    freeze
    coracle_run --bind "$SOURCE:/opt/data/new" -- sh -c 'cd /opt/data
        cat new/file dir/inner relative absolute file
        readlink dangling; test -p pipe && stat -c %a dir
        find . -mindepth 1 -maxdepth 1 -print0 | tr -cd "\0" | wc -c
        test -f .hidden && ls | grep -c d,e'
    assert_output 'from the host
inner
inner
inner
from the image
nowhere
751
9
1'
}

@test "in a directory with exactly 64, 65 and with 300 entries" {
    local count
    for count in 64 65 300; do
        mkdir "$IMAGE/opt/many$count"
        (cd "$IMAGE/opt/many$count" && seq -f 'f%03g' "$count" | xargs touch)
        ln -s f001 "$IMAGE/opt/many$count/f002.link"
        rm "$IMAGE/opt/many$count/f002"
    done
    freeze
    for count in 64 65 300; do
        shows "/opt/many$count/new"
        shows "/opt/many$count/new/deep/er"
        coracle_run --bind "$SOURCE:/opt/many$count/new" \
            --bind "$SOURCE/file:/opt/many$count/newfile" -- \
            sh -c 'ls $1 | wc -l; readlink $1/f002.link; cat $1/newfile $1/new/file' sh "/opt/many$count"
        assert_output "$((count + 2))
f001
from the host
from the host"
    done
}

@test "a mount in a directory of many entries stays when a later one is missing there" {
    local count
    for count in 60 300; do
        mkdir -p "$IMAGE/opt/some$count/there"
        (cd "$IMAGE/opt/some$count" && seq -f 'f%03g' "$count" | xargs touch)
    done
    freeze
    for count in 60 300; do
        coracle_run --bind "$SOURCE:/opt/some$count/there" --bind "$SOURCE/file:/opt/some$count/newfile" -- \
            sh -c 'cat $1/newfile $1/there/file' sh "/opt/some$count"
        assert_output 'from the host
from the host'
    done
}

@test "many missing targets in one directory of many entries" {
    local -a binds=()
    local i
    mkdir "$IMAGE/opt/many"
    (cd "$IMAGE/opt/many" && seq -f 'f%g' 100 | xargs touch)
    for i in {1..80}; do
        binds+=(--bind "$SOURCE:/opt/many/new$i" --bind "$SOURCE/file:/lib$i")
    done
    freeze
    coracle_run "${binds[@]}" -- sh -c 'cat /opt/many/new*/file /lib* | sort | uniq -c | tr -s " "
        ls /opt/many | wc -l'
    assert_output ' 160 from the host
180'
}

@test "on a directory without write permission" {
    chmod 555 "$IMAGE" "$IMAGE/opt" "$IMAGE/opt/data"
    freeze
    shows /scratch
    shows /opt/data/x/y
}

@test "on an image that root owns" {
    skip_as_root 'every directory is ours'
    [[ ! -O / ]] || skip 'the root directory is ours'
    IMAGE=/
    shows /coracle-e2e-missing/deep/target
    shows /usr/coracle-e2e-missing
    shows /usr/bin/coracle-e2e-missing
    [[ ! -e /coracle-e2e-missing && ! -e /usr/bin/coracle-e2e-missing ]]
}

@test "on an image of another owner, whose directories only others' bits open" {
    is_root || skip 'only root can make files of another owner'
    need setpriv
    mkdir "$IMAGE/opt/many"
    (cd "$IMAGE/opt/many" && seq -f 'f%g' 100 | xargs touch)
    chmod 711 "$BATS_TEST_TMPDIR" "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" || true
    freeze
    export XDG_RUNTIME_DIR=/nowhere
    image_file >/dev/null # the other user could not pack it
    capture setpriv --reuid 54321 --regid 54321 --clear-groups "$CORACLE" run \
        --no-home --bind "$SOURCE:/opt/many/new" --bind "$SOURCE:/deep/er" "$IMAGE" -- \
        cat /opt/many/new/file /deep/er/file
    assert_output 'from the host
from the host'
}

# --- symlinks in the image -------------------------------------------------

@test "through an absolute symlink, resolved inside the image" {
    ln -s /opt/data "$IMAGE/absolute"
    freeze
    coracle_run --bind "$SOURCE:/absolute/x/y" -- cat /opt/data/x/y/file /absolute/x/y/file
    assert_output 'from the host
from the host'
    coracle_run --bind "$SOURCE:/absolute" -- cat /opt/data/file
    assert_output 'from the host'
}

@test "through a relative symlink and a chain of them" {
    ln -s ../opt/data "$IMAGE/var/relative"
    ln -s /var/relative "$IMAGE/chain"
    freeze
    coracle_run --bind "$SOURCE:/var/relative/x" -- cat /opt/data/x/file
    assert_output 'from the host'
    coracle_run --bind "$SOURCE:/chain/x/y" -- cat /opt/data/x/y/file
    assert_output 'from the host'
}

@test "a symlink that climbs over the root stays inside the image" {
    mkdir outside
    ln -s "../../../../../../../../../../../../$BATS_TEST_TMPDIR/outside" "$IMAGE/climb"
    freeze
    coracle_run --no-default-binds --bind "$SOURCE:/climb/x" -- \
        sh -c 'cat /climb/x/file; cat $1/outside/x/file' sh "$BATS_TEST_TMPDIR"
    assert_output 'from the host
from the host'
    assert_equal "$(ls outside)" ''
}

@test "an absolute symlink to a path that exists on the host only" {
    mkdir outside
    ln -s "$BATS_TEST_TMPDIR/outside" "$IMAGE/to-host"
    freeze
    coracle_run --no-default-binds --bind "$SOURCE:/to-host" -- cat /to-host/file
    assert_output 'from the host'
    assert_equal "$(ls outside)" ''
}

@test "a dangling symlink as a part of the target" {
    ln -s /nowhere/at-all "$IMAGE/dangling"
    freeze
    coracle_run --bind "$SOURCE:/dangling/x" -- cat /dangling/x/file /nowhere/at-all/x/file
    assert_output 'from the host
from the host'
}

@test "a target with .. in it stays inside" {
    freeze
    shows /../../opt/../new/./deep
    coracle_run --bind "$SOURCE:/opt/data/../../../other" -- cat /other/file
    assert_output 'from the host'
}

# The kernel gives up then, as it cannot tell whether .. still leads where it did.
@test "a target with .. in it while something is renamed on the host all the time" {
    local i renamer
    need python3
    make_source
    mkdir from
    python3 -c 'import os
while True:
    os.rename("from", "to")
    os.rename("to", "from")' 2>/dev/null 3>&- &
    renamer=$!
    for i in {1..100}; do
        coracle_run --share=none --bind "$SOURCE:/opt/data/../../../other" -- cat /other/file
        [[ $output == 'from the host' ]] || break
    done
    kill "$renamer"
    wait "$renamer" || true
    assert_output 'from the host'
}

@test "a symlink loop as a target is one clear error" {
    ln -s loop "$IMAGE/loop"
    freeze
    coracle_run --bind "$SOURCE:/loop/x" -- true
    assert_fails 125 /loop
}

@test "a file of the image as a part of the target is one clear error" {
    freeze
    coracle_run --bind "$SOURCE:/etc/hosts/x" -- true
    assert_fails 125 /etc/hosts
}

@test "a directory on a file and a file on a directory are refused" {
    freeze
    coracle_run --bind "$SOURCE:/etc/image-release" -- true
    assert_fails 125 /etc/image-release directory
    coracle_run --bind "$SOURCE/file:/opt" -- true
    assert_fails 125 /opt directory
}

# --- rows above each other -------------------------------------------------

@test "a later row below an earlier bind, where the source has the name" {
    mkdir other
    echo other >other/file
    freeze
    coracle_run --bind "$SOURCE:/scratch" --bind "$PWD/other:/scratch/sub" -- \
        cat /scratch/file /scratch/sub/file
    assert_output 'from the host
other'
}

@test "a later row below an earlier bind, where the source lacks the name" {
    mkdir other
    echo other >other/file
    local before
    before=$(tree_state "$SOURCE")
    freeze
    coracle_run --bind "$SOURCE:/scratch" --bind "$PWD/other:/scratch/new/deep" \
        --bind "$PWD/other/file:/scratch/newfile" -- \
        cat /scratch/file /scratch/new/deep/file /scratch/newfile
    assert_output 'from the host
other
other'
    assert_equal "$(tree_state "$SOURCE")" "$before"
}

@test "a later row in a large directory keeps what earlier rows have mounted there" {
    mkdir "$IMAGE/opt/many"
    (cd "$IMAGE/opt/many" && seq -f 'd%g' 100 | xargs mkdir)
    freeze
    coracle_run --bind "$SOURCE:/opt/many/d7" --bind "$SOURCE:/opt/many/new" \
        --bind "$SOURCE:/opt/many/d9" --tmpfs /opt/many/t --bind "$SOURCE:/opt/many/t/x" -- \
        sh -c 'cd /opt/many && cat d7/file new/file d9/file t/x/file && ls | wc -l'
    assert_output 'from the host
from the host
from the host
from the host
102'
}

@test "the order of rows is the order given: a parent bound later covers" {
    mkdir other
    freeze
    coracle_run --bind "$SOURCE:/opt/new/x" --bind "$PWD/other:/opt/new" -- ls -A /opt/new
    assert_output ''
}

@test "below /tmp, /dev and the home directory" {
    mkdir "$HOME/sub"
    freeze
    local before
    before=$(tree_state "$HOME")
    coracle_run --bind "$SOURCE:$HOME/sub" --bind "$SOURCE:$HOME/.config/new" -- \
        cat "$HOME/sub/file" "$HOME/.config/new/file"
    assert_output 'from the host
from the host'
    assert_equal "$(tree_state "$HOME")" "$before"
}

@test "with mounts of the host inside the image directory" {
    on_host 'mount -t tmpfs none "$IMAGE/opt"
        mkdir "$IMAGE/opt/sub"
        echo mounted >"$IMAGE/opt/file"
        "$CORACLE" run --bind "$SOURCE:/opt/new" "$IMAGE" -- cat /opt/file /opt/new/file'
    assert_output 'mounted
from the host'
}

# --- host mounts that come later -------------------------------------------

# later_mount DIR OPTION...: mounts over DIR/auto on the host after the launch,
# and says what a running command sees of it.
later_mount() {
    capture unshare -Urm --propagation shared bash -c 'set -eu
        dir=$1
        shift
        mkdir -p "$dir/auto"
        "$CORACLE" run "$@" "$IMAGE" -- sh -c "touch $BATS_TEST_TMPDIR/ready
            for i in \$(seq 100); do test -e $dir/auto/file && break; sleep 0.05; done
            cat $dir/auto/file" &
        until [[ -e $BATS_TEST_TMPDIR/ready ]]; do sleep 0.01; done
        mount -t tmpfs none "$dir/auto"
        echo later >"$dir/auto/file"
        wait $!' bash "$@"
    assert_output later
}

@test "a host mount that appears later is seen: below /tmp" {
    case $BATS_TEST_TMPDIR in
    /tmp/*) ;;
    *) skip 'TMPDIR is not below /tmp' ;;
    esac
    later_mount "$BATS_TEST_TMPDIR/some"
}

@test "a host mount that appears later is seen: below a bind" {
    later_mount "$SOURCE" --no-default-binds --bind "$BATS_TEST_TMPDIR"
}

@test "a host mount that appears later is seen: below the home directory" {
    later_mount "$HOME" --home
}

@test "what a command with --root mounts does not appear on the host" {
    capture unshare -Urm --propagation shared bash -c '
        "$CORACLE" run --root --bind "$SOURCE" "$IMAGE" -- sh -c "
            mount -t tmpfs none $SOURCE/sub && touch $SOURCE/sub/inside && ls $SOURCE/sub"
        ls "$SOURCE/sub"'
    assert_output inside
}

@test "the image is unchanged after all kinds of launches" {
    freeze
    coracle_run -- true
    coracle_run --writable-tmpfs -- sh -c 'rm -rf /opt /etc/hosts; mkdir /new'
    coracle_run --root -- sh -c 'mount -t tmpfs none /opt; touch /opt/x'
    coracle_run --tmpfs /a/b --bind "$SOURCE:/etc/x" --home -- true
    assert_success
    capture "$CORACLE" shell "$IMAGE" </dev/null
    coracle_explain --bind "$SOURCE:/x" -- true
    assert_success
}
