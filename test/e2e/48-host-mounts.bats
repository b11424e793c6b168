#!/usr/bin/env bats
# What is mounted on the host, for whom and when, is part of what a rank sees: who
# would see other mounts does not enter the view of another.

# Scripts for shells further in stand in single quotes; each test is a subshell.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154,SC2317

load helpers
load squashfs
load ranks

setup() {
    ranks_setup
    make_source
}
teardown() { ranks_teardown; }

# The scripts of these tests are root of a user namespace, so that they can mount: what they start meets
# there. They print a line for each question.

# on_host_with_ranks SCRIPT: with the functions of ranks.bash.
on_host_with_ranks() {
    on_host 'declare -A PID_OF=(); . "$RANKS"
        trap "finish \"\${!PID_OF[@]}\"" EXIT
        '"$1"
}

# Each has a /tmp of its own; of the one around it what this test needs, if it is there.
private_tmps() {
    on_host_with_ranks '
        rank() {
            unshare -m bash -c "
                mkdir -p tmp.$1
                mount -t tmpfs none tmp.$1
                echo $1 >tmp.$1/who
                for dir in $BATS_RUN_TMPDIR ${PROGRAM%/*}; do
                    [[ \$dir == /tmp/* ]] || continue
                    mkdir -p tmp.$1/\${dir#/tmp/}
                    mount --rbind \$dir tmp.$1/\${dir#/tmp/}
                done
                mount --rbind tmp.$1 /tmp
                cd $PWD && exec \"\$@\"" bash "${@:2}"
        }
        start a rank one "$CORACLE" run "$IMAGE"
        start b rank two "$CORACLE" run "$IMAGE"
        for rank in a b; do ask $rank cat /tmp/who; done
        for rank in a b; do ask $rank "echo \$1 >/tmp/mine"; done
        for rank in a b; do ask $rank cat /tmp/mine; done
        echo "$(userns a) $(userns b) $(mountns a) $(mountns b)"'
    assert_success || return
    assert_equal "${lines[*]::4}" "one two $PWD/a $PWD/b" || return
    local -a namespace
    read -ra namespace <<<"${lines[4]}"
    assert_same "${namespace[0]}" "${namespace[1]}" || return
    assert_different "${namespace[2]}" "${namespace[3]}"
}

@test "two runs in one user namespace, each with a private /tmp" { each_kind private_tmps; }

private_mounts() {
    on_host_with_ranks '
        mkdir -p data
        rank() {
            unshare -m bash -c "mount -t tmpfs none data && echo $1 >data/file && exec \"\$@\"" bash "${@:2}"
        }
        start a rank one "$CORACLE" run --bind "$PWD/data:/opt/data" "$IMAGE"
        start b rank two "$CORACLE" run --bind "$PWD/data:/opt/data" "$IMAGE"
        ask a cat /opt/data/file
        ask b cat /opt/data/file
        echo "$(userns a) $(userns b) $(mountns a) $(mountns b)"'
    assert_success || return
    assert_equal "${lines[0]} ${lines[1]}" 'one two' || return
    local -a namespace
    read -ra namespace <<<"${lines[2]}"
    assert_same "${namespace[0]}" "${namespace[1]}" || return
    assert_different "${namespace[2]}" "${namespace[3]}"
}

@test "two runs in one user namespace, each with other mounts on a directory that both bind" { each_kind private_mounts; }

mounted_between() {
    on_host_with_ranks '
        mkdir -p data/sub
        echo old >data/file
        echo old >data/sub/file
        start a "$CORACLE" run --bind "$PWD/data:/opt/data" "$IMAGE"
        start b "$CORACLE" run --bind "$PWD/data:/opt/data" "$IMAGE"
        mount -t tmpfs none data/sub
        echo new >data/sub/file
        start c "$CORACLE" run --bind "$PWD/data:/opt/data" "$IMAGE"
        mount -t tmpfs none data
        echo new >data/file
        start d "$CORACLE" run --bind "$PWD/data:/opt/data" "$IMAGE"
        umount data
        start e "$CORACLE" run --bind "$PWD/data:/opt/data" "$IMAGE"
        echo "$(mountns a) $(mountns b)"
        for rank in a c e; do ask $rank cat /opt/data/file /opt/data/sub/file | tr "\n" " "; done
        ask d cat /opt/data/file
        for rank in a b c d e; do userns $rank; done | sort -u | wc -l'
    assert_success || return
    local -a namespace
    read -ra namespace <<<"${lines[0]}"
    assert_same "${namespace[0]}" "${namespace[1]}" || return
    assert_equal "${lines[1]}" 'old old old new old new new' || return
    assert_equal "${lines[2]}" 1
}

@test "a file system is mounted on the host, and another unmounted, between two ranks" { each_kind mounted_between; }

mounted_in_shared() {
    on_host_with_ranks '
        mount --make-rshared /
        mkdir -p data/sub
        start a "$CORACLE" run --bind "$PWD/data:/opt/data" "$IMAGE"
        mount -t tmpfs none data/sub
        echo new >data/sub/file
        start b "$CORACLE" run --bind "$PWD/data:/opt/data" "$IMAGE"
        ask a cat /opt/data/sub/file
        ask b cat /opt/data/sub/file
        umount data/sub
        ask a ls /opt/data/sub
        start c "$CORACLE" run --bind "$PWD/data:/opt/data" "$IMAGE"
        ask c ls /opt/data/sub
        echo end'
    assert_output 'new
new
end'
}

@test "where the host's mounts are shared, who has started sees them come and go too" { each_kind mounted_in_shared; }

image_mounted_over() {
    on_host_with_ranks '
        start a "$CORACLE" run "$IMAGE"
        mount --bind other "$IMAGE"
        start b "$CORACLE" run "$IMAGE"
        umount -l "$IMAGE" # its server is still at work
        start c "$CORACLE" run "$IMAGE"
        for rank in a b c; do ask $rank cat /etc/image-release; done'
    assert_output 'image name
other name
image name'
}

@test "another directory is mounted over the image between two ranks" {
    cp -a "$TREE" other
    echo 'other name' >other/etc/image-release
    image directory
    image_mounted_over
}

@test "another file is mounted over the image between two ranks" {
    need_squashfs
    image squashfs
    local name=$IMAGE
    echo 'other name' >"$TREE/etc/image-release"
    pack "$PWD/other"
    IMAGE=$name
    image_mounted_over
}

proc_and_dev() {
    on_host_with_ranks '
        start a "$CORACLE" run "$IMAGE"
        mkdir -p dev
        mount -t tmpfs -o mode=755 none dev
        touch dev/null dev/fuse dev/mine
        mount --bind /dev/null dev/null
        [ ! -c /dev/fuse ] || mount --bind /dev/fuse dev/fuse
        mount --rbind dev /dev
        start b "$CORACLE" run "$IMAGE"
        ask a "test -e /dev/mine || echo not there"
        ask b "ls /dev/mine"'
    assert_output 'not there
/dev/mine'
}

@test "another /dev between two ranks" { each_kind proc_and_dev; }

# A view that nobody is in must not keep a file system busy.
unmounted_after() {
    on_host_with_ranks '
        mkdir -p data
        mount -t tmpfs none data
        CORACLE_LINGER=300 "$CORACLE" run --bind "$PWD/data:/opt/data" "$IMAGE" -- true
        sleep 1
        umount data
        start a "$CORACLE" run --bind "$PWD/data:/opt/data" "$IMAGE"
        ask a ls /opt/data
        echo end'
    assert_output end
}

@test "when all have gone, what was bound can be unmounted" { each_kind unmounted_after; }
