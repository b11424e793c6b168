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

# with_many_mounts SCRIPT: on a host with so many that launches copy only what they bind, where the kernel can.
with_many_mounts() {
    on_host_with_ranks '
        export XDG_RUNTIME_DIR=$PWD/few
        mkdir -m 700 few many
        "$CORACLE" explain "$IMAGE" true >explained # makes the record of a host with few
        mount -t tmpfs none /mnt
        for i in {1..9}; do mkdir /mnt/$i; mount --rbind /mnt /mnt/$i; done # each doubles them
        mount --make-rshared /
        mkdir -p data/sub locked hidden/below
        echo shown >data/file
        echo hidden >hidden/below/file
        mount -t tmpfs none hidden/below
        mount --bind locked locked && mount -o remount,bind,ro,nosuid locked
        XDG_RUNTIME_DIR=$PWD/many
        if ! "${PROGRAM%/*}/coracle-record" | grep -qx many-mounts=1; then echo cannot; exit; fi
        way="way: the host.s many mounts are not copied"
        binds=(--bind data:/opt/data --bind data/file:/opt/file --bind locked:/opt/locked --bind hidden:/opt/hidden)
        '"$1"
    if [[ $output == cannot ]]; then skip "Linux before 7.0 has no namespaces of a part of the mounts"; fi
}

@test "on a host with many mounts only what is bound is copied, and looks the same" {
    with_many_mounts '
        look=(--share=none "${binds[@]}" "$IMAGE" -- sh -c "cut -d\  -f4- /proc/self/mountinfo; cat /opt/file")
        "$CORACLE" run -vv "${look[@]}" >pieces 2>log
        grep -c "$way" log
        XDG_RUNTIME_DIR=$PWD/few "$CORACLE" run -vv "${look[@]}" >all 2>log
        grep -c "$way" log || true
        grep -c /opt/locked pieces
        tail -n 1 pieces
        sed -i s,/few/coracle-,/many/coracle-, all # the record
        diff all pieces && echo same'
    assert_output '1
0
1
shown
same'
}

@test "on a host with many mounts nothing that it locks or hides is to be had, nor its root" {
    compile_into "$IMAGE/bin/hostile" hostile.c
    with_many_mounts '
        run=("$CORACLE" run --share=none "${binds[@]}" "$IMAGE" --)
        "${run[@]}" ls /opt/hidden/below
        "${run[@]}" hostile write / /opt/locked /opt
        "${run[@]}" hostile reach "$(stat -c %d:%i /)"'
    assert_output '6 tries
11 tries'
}

many_meet() {
    with_many_mounts '
        start a "$CORACLE" run -vv "${binds[@]}" "$IMAGE"
        start b "$CORACLE" run -vv "${binds[@]}" "$IMAGE"
        start c "$CORACLE" run -vv "${binds[@]}" --bind data:/opt/more "$IMAGE"
        echo "$(mountns a) $(mountns b) $(mountns c)"
        grep -c "$way" {a,b,c}.err || true
        mount -t tmpfs none data/sub
        echo new >data/sub/file
        for rank in a b c; do ask $rank cat /opt/data/sub/file; done
        umount data/sub
        ask c ls /opt/data/sub
        echo end'
    assert_same "$(cut -d' ' -f1 <<<"${lines[0]}")" "$(cut -d' ' -f2 <<<"${lines[0]}")" || return
    assert_different "$(cut -d' ' -f1 <<<"${lines[0]}")" "$(cut -d' ' -f3 <<<"${lines[0]}")" || return
    assert_equal "${lines[*]:1}" "a.err:$1 b.err:0 c.err:1 new new new end"
}

@test "on a host with many mounts ranks meet, and see its mounts come and go" { many_meet 1; }

@test "on a host with many mounts ranks meet on a SquashFS: its leader copies all" {
    need_squashfs
    image squashfs
    many_meet 0
}

writable_with_many() {
    with_many_mounts '
        "$CORACLE" run -vv --writable-tmpfs "${binds[@]}" "$IMAGE" -- sh -c "echo there >/etc/x; cat /etc/x" 2>log
        grep -c "$way" log
        "$CORACLE" run -vv --root "${binds[@]}" "$IMAGE" -- id -u 2>log
        grep -c "$way" log || true
        for i in {1..70}; do mkdir -p "$IMAGE/opt/$i"; done
        "$CORACLE" run -vv --bind data:/opt/other "$IMAGE" -- cat /opt/other/file 2>log
        grep -c "$way" log
        grep -c "way: /opt is overlaid" log
        "$CORACLE" run -vv --bind nothing:/opt/other:optional "$IMAGE" -- echo optional 2>log
        "$CORACLE" run --bind nothing:/opt/other "$IMAGE" -- true 2>&1 | grep -o "does not exist on the host"'
    assert_output 'there
1
0
0
shown
1
1
optional
does not exist on the host'
}

@test "on a host with many mounts: a writable root, --root, an overlay, a missing source" { writable_with_many; }

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
