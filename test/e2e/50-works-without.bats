#!/usr/bin/env bats
# What a launch must not need.

# Scripts for shells further in stand in single quotes; each test is a subshell.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helpers

# works: the image's command runs, silently.
works() {
    inside 'cat /etc/image-release && test -d /proc/self && test -c /dev/null'
    assert_output 'image name' || return
    assert_equal "$stderr" ''
}

# --- variables and files of the user ---------------------------------------

@test "without USER and LOGNAME" {
    unset USER LOGNAME
    works
    coracle_run -- sh -c 'id -un >/dev/null && echo ${USER-unset}'
    assert_output unset
}

@test "without HOME" {
    unset HOME
    works
}

@test "with an empty environment" {
    capture env -i "$CORACLE" run "$IMAGE" -- /bin/cat /etc/image-release
    assert_output 'image name'
    assert_equal "$stderr" ''
}

@test "with HOME of /" {
    export HOME=/
    works
    inside 'ls /opt/data; echo $HOME'
    assert_output 'file
/'
}

@test "with a HOME that is empty, relative, missing or a file" {
    local home
    touch file
    for home in '' relative /nowhere/home "$PWD/file" /../.. /proc/self/cwd "$PWD/"; do
        HOME=$home works
    done
}

@test "with a HOME that cannot be read or entered" {
    skip_as_root 'root reads everything'
    on_host 'mount -t tmpfs none /mnt
        mkdir -m 000 /mnt/zoe
        mkdir -p /mnt/closed/zoe
        chmod 000 /mnt/closed
        for home in /mnt/zoe /mnt/closed/zoe; do
            HOME=$home as 1000 "$CORACLE" run "$IMAGE" -- cat /etc/image-release
        done'
    assert_output 'image name
image name'
}

@test "with a HOME below another directory that is bound" {
    export HOME=/tmp/../tmp
    works
}

@test "without a passwd entry, and without any /etc/passwd on the host" {
    make_host_etc
    on_host 'rm "$HOST_ETC"/passwd "$HOST_ETC"/group "$HOST_ETC"/nsswitch.conf
        mount --bind "$HOST_ETC" /etc
        unset HOME USER
        as 987654 "$CORACLE" run "$IMAGE" -- sh -c "cat /etc/image-release; id -un >/dev/null"'
    assert_output 'image name'
    assert_equal "$stderr" ''
}

@test "without a runtime directory, and with one that is not ours, missing or read-only" {
    unset XDG_RUNTIME_DIR
    works
    local place
    mkdir -m 777 open
    mkdir -m 500 closed
    for place in '' relative /nowhere / /proc "$PWD/open" "$PWD/closed"; do
        XDG_RUNTIME_DIR=$place works
    done
}

@test "without any place for a file of ours" {
    make_host_etc
    on_host 'mount -t tmpfs -o ro none /dev/shm
        mkdir "$HOST_ETC/tmp"
        for place in /var/tmp /run; do mount -t tmpfs -o ro none "$place" 2>/dev/null || true; done
        mount -t tmpfs none /mnt
        cp -a "$1" /mnt/image
        cp "$(dirname "$PROGRAM")"/coracle* /mnt/ 2>/dev/null || true
        mount -t tmpfs -o ro none /tmp
        unset XDG_RUNTIME_DIR TMPDIR
        export HOME=/
        cd /
        as 4321 /mnt/coracle run /mnt/image -- sh -c "cat /etc/image-release; id -un >/dev/null"' "$(image_file)"
    assert_output 'image name'
    assert_equal "$stderr" ''
}

# --- a poor host -----------------------------------------------------------

# on_poor_host SCRIPT: sh executes SCRIPT in a root file system that has only
# /bin of busybox and a static coracle, /proc, /dev, and /image.
on_poor_host() {
    need_static
    local host=$BATS_TEST_TMPDIR/poor
    mkdir -p "$host"/{bin,proc,dev}
    cp -a "$BASE_IMAGE/bin" "$host/" && cp -al "$TOOLS/applets/." "$host/bin"
    copy_program "$host/bin"
    cp -a "$(image_file)" "$host/image"
    capture unshare -Urm bash -c '
        mount --bind "$1" "$1" && mount --rbind /proc "$1/proc" && mount --rbind /dev "$1/dev" &&
            cd "$1" && pivot_root . . && umount -l . &&
            exec /bin/env -i PATH=/bin /bin/sh -c "$2"' bash "$host" "$1"
}

@test "without /srv, /var/tmp, /tmp, /sys, /etc, /home and /usr on the host" {
    on_poor_host 'cd /image 2>/dev/null; coracle run /image -- cat /etc/image-release'
    assert_output 'image name'
}

@test "without anything to bind but the kernel's file systems, a bind still works" {
    on_poor_host 'mkdir /data && echo x >/data/file
        coracle run --bind /data:/deep/er /image -- cat /deep/er/file'
    assert_output x
}

@test "without a terminal and without a session" {
    capture setsid --wait "$CORACLE" run "$IMAGE" -- cat /etc/image-release </dev/null
    assert_output 'image name'
    capture setsid --wait "$CORACLE" run "$IMAGE" -- cat /etc/image-release <&-
    assert_output 'image name'
}

@test "without a network" {
    capture unshare -Urn "$CORACLE" run "$IMAGE" -- cat /etc/image-release
    assert_output 'image name'
}

@test "as root" {
    is_root || skip 'not root here; test/run as root runs it'
    works
    coracle_run -- grep ^CapEff /proc/self/status
    assert_output 'CapEff:	0000000000000000'
}

@test "with 1,000 host mounts" {
    on_host 'mount -t tmpfs none /mnt
        mkdir /mnt/{1..10} /mnt/all
        for i in {1..8}; do mount -t tmpfs none /mnt/$i; done
        mkdir /mnt/1/x /mnt/1/{a..p}
        for i in {a..p}; do mount -t tmpfs none /mnt/1/$i; done
        for i in {1..6}; do
            mkdir -p /mnt/all/$i
            mount --rbind /mnt/1 /mnt/all/$i
        done
        for i in {7..12}; do
            mkdir -p /mnt/all/$i /mnt/2/$i
            mount --rbind /mnt/all /mnt/2/$i
        done
        test "$(wc -l </proc/self/mountinfo)" -ge 700
        for i in {1..3}; do mkdir -p /mnt/3/$i; mount --rbind /mnt/all /mnt/3/$i; done
        echo deep >/mnt/1/p/file
        test "$(wc -l </proc/self/mountinfo)" -ge 1000
        as 1000 "$CORACLE" run --bind /mnt "$IMAGE" -- cat /etc/image-release /mnt/3/3/6/p/file'
    assert_output 'image name
deep'
}

# --- nested ----------------------------------------------------------------

@test "under unshare -Urm, as in a CI runner" {
    capture unshare -Urm "$CORACLE" run "$IMAGE" -- sh -c 'cat /etc/image-release; test -d /proc/self'
    assert_output 'image name'
}

@test "where the kernel refuses a fresh /proc" {
    # Something lies over a part of /proc, as in every container.
    on_host 'mount --bind /dev/null /proc/uptime
        ! unshare -Urmpf mount -t proc none /mnt 2>/dev/null
        as 1000 "$CORACLE" run "$IMAGE" -- cat /etc/image-release'
    assert_output 'image name'
}

@test "inside itself, twice" {
    skip_as_root 'Linux lets nobody map uid 0 who lacks CAP_SETFCAP, as all without --root do'
    need_static
    copy_program "$IMAGE/bin"
    local image
    image=$(image_file)
    coracle_run -- coracle run "$image" -- coracle run "$image" -- cat /etc/image-release
    assert_output 'image name'
}

@test "inside itself, with binds and missing mount points at each level" {
    skip_as_root 'Linux lets nobody map uid 0 who lacks CAP_SETFCAP, as all without --root do'
    need_static
    mkdir source
    echo x >source/file
    copy_program "$IMAGE/bin"
    local image
    image=$(image_file)
    coracle_run --bind "$PWD/source:/a/b" -- \
        coracle run --bind /a/b:/c/d "$image" -- \
        coracle run --bind /c/d:/opt/new --writable-tmpfs "$image" -- cat /opt/new/file
    assert_output x
}

@test "inside itself with --root, and in that as an ordinary user" {
    need_static
    copy_program "$IMAGE/bin"
    coracle_run --root -- coracle run --uid 1000 "$(image_file)" -- payload id
    assert_output 'uid 1000 1000 1000
gid 0 0 0'
}

# --- names and places ------------------------------------------------------

@test "image paths with blanks, colons, newlines, non-UTF-8 and more" {
    local name
    mkdir source
    echo x >source/file
    for name in 'two words' 'a:b' $'new\nline' $'\xff\xfe\x80' 'com,ma' 'back\slash' 'per%cent%s' \
        "quo'te\"" '-dash' '$(echo)' '*?[x]' ' ' 'lowerdir=x,upperdir=y'; do
        mv "$IMAGE" "$BATS_TEST_TMPDIR/$name"
        IMAGE=$BATS_TEST_TMPDIR/$name
        works
        coracle_run --writable-tmpfs --bind source:/bin/new --bind source:/new -- \
            sh -c 'cat /bin/new/file /new/file && touch /opt/x'
        assert_output 'x
x'
        capture "$CORACLE" explain "$IMAGE" -- true
        assert_success
    done
}

@test "an image named relatively, with .., with a slash at the end, by a link, and /proc/self/cwd" {
    local image
    ln -s image link
    ln -s image.sqfs link.sqfs
    for image in image ./image image/ image/../image link link/ /proc/self/cwd/image; do
        IMAGE=$image works
    done
    cd image
    IMAGE=. works
}

@test "an image path of 3,000 bytes" {
    local part
    printf -v part '%0200d' 0
    for _ in {1..15}; do
        mkdir "$part"
        cd "$part"
    done
    mv "$IMAGE" .
    IMAGE=$PWD/image works
}

@test "from a working directory that has been removed" {
    mkdir gone
    cd gone
    rmdir ../gone
    works
    inside pwd
    assert_output /
}

@test "from a working directory that cannot be entered again" {
    skip_as_root 'root enters everything'
    mkdir -p closed/inner
    cd closed/inner
    chmod 000 ..
    works
    chmod 755 ..
}

@test "from a working directory with a newline and non-UTF-8 in its name" {
    mkdir $'new\nline \xff'
    cd $'new\nline \xff'
    works
    coracle_run -- sh -c 'touch here'
    assert_success
    [[ -e here ]]
}

# --- numbers ---------------------------------------------------------------

@test "for a uid above 2^31" {
    local id
    for id in 2147483648 3000000000 4294967294; do
            on_host 'as "$1" "$CORACLE" run "$IMAGE" -- sh -c "payload id; id -u; id -un >/dev/null"' "$id"
        assert_output "uid $id $id $id
gid $id $id $id
$id"
        assert_equal "$stderr" ''
    done
}

@test "for a primary group that is not the user's first" {
    make_host_etc
    echo 'project:x:7777:' >>"$HOST_ETC/group"
    on_host 'mount --bind "$HOST_ETC" /etc
        unshare -U --map-user=4242 --map-group=7777 "$CORACLE" run "$IMAGE" -- \
            sh -c "payload id; id -un; id -gn; touch $BATS_TEST_TMPDIR/made && stat -c %g $BATS_TEST_TMPDIR/made"'
    assert_output 'uid 4242 4242 4242
gid 7777 7777 7777
zoe
project
7777'
}

@test "where the record of another identity already lies" {
    make_host_etc
    on_host 'mount --bind "$HOST_ETC" /etc
        for id in 4242 987654 4242 0 4242; do
            as $id "$CORACLE" run "$IMAGE" -- id -u
        done
        as 4242 "$CORACLE" run "$IMAGE" -- id -un'
    assert_output '4242
987654
4242
0
4242
zoe'
}

# Another identity than the user's: no record of it can lie elsewhere.
@test "a damaged record is made anew" {
    mkdir -m 700 own
    export XDG_RUNTIME_DIR=$PWD/own
    local damage record
    local -a named=(stranger
        "$CORACLE" run "$IMAGE" -- sh -c 'id -un >/dev/null && cat /etc/image-release')
    capture "${named[@]}"
    assert_output 'image name'
    record=$(find own -name record)
    [[ -n $record ]]
    for damage in ': >' 'head -c 200 /dev/urandom >' 'rm -f' 'chmod 000' 'chmod 777' \
        'ln -sf /etc/passwd' 'rm -f "$record"; mkdir'; do
        chmod u+w "$record" 2>/dev/null || true
        eval "$damage \"\$record\""
        capture "${named[@]}"
        assert_output 'image name'
        assert_equal "$stderr" ''
    done
}

# passwd_source: which file of the host is bound as passwd.
passwd_source() {
    capture stranger "$CORACLE" explain "$IMAGE" -- true
    assert_success
    sed -n 's|^bind  */etc/passwd from \([^ ]*\).*|\1|p' <<<"$output"
}

@test "a record that has ended is made anew in its place, with another in the next as well" {
    local place=own/coracle-$STRANGER
    mkdir -m 700 own "$place"
    unset XDG_RUNTIME_DIR
    assert_equal "$(passwd_source)" "/tmp/coracle-$STRANGER/passwd"
    export XDG_RUNTIME_DIR=$PWD/own
    assert_equal "$(passwd_source)" "/tmp/coracle-$STRANGER/passwd"
    echo ended >"$place/record"
    assert_equal "$(passwd_source)" "$PWD/$place/passwd"
    # What cannot be made anew does not keep the next place from being used.
    rm "$place"/{record,group}
    mkdir "$place/group"
    echo ended >"$place/record"
    assert_equal "$(passwd_source)" "/tmp/coracle-$STRANGER/passwd"
    [[ ! -e $place/record ]] || report 'expected what has ended to be gone'
}

@test "a half of a record is made anew" {
    mkdir -m 700 own
    export XDG_RUNTIME_DIR=$PWD/own
    local size record whole
    local -a named=(stranger
        "$CORACLE" run "$IMAGE" -- sh -c 'id -un >/dev/null && cat /etc/image-release')
    capture "${named[@]}"
    assert_output 'image name'
    record=$(find own -name record)
    whole=$(<"$record")
    for ((size = 0; size < ${#whole}; size += 7)); do
        rm -f "$record"
        printf '%s' "${whole:0:size}" >"$record"
        chmod 444 "$record"
        capture "${named[@]}"
        assert_output 'image name'
        assert_equal "$stderr" ''
    done
}
