#!/usr/bin/env bats
# The root that a SquashFS file gives: changes for one run, mount points that it
# lacks; where the file may be, and containers within containers.

# Scripts for shells further in stand in single quotes; each test is a subshell.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helpers
load squashfs

setup() { squashfs_setup; }

# --- writing -------------------------------------------------------------------

@test "--write is refused" {
    pack image.file
    local sum
    sum=$(sha256sum image.file)
    coracle_run --write -- true
    assert_fails 125 --write --writable-tmpfs '[root-writable]'
    CORACLE_WRITE=1 coracle_run -- true
    assert_fails 125 CORACLE_WRITE '[root-writable]'
    assert_equal "$(sha256sum image.file)" "$sum"
    assert_nothing_left
}

@test "the root is read-only" {
    pack image.file
    inside 'touch /new; rm /etc/hosts.not /etc/image-release; echo x >>/etc/image-release; mkdir /opt/x; chmod 777 /opt; ln -s x /y'
    assert_equal "$(grep -c 'Read-only file system' <<<"$stderr")" 6
    coracle_run --root -- sh -c 'touch /new; mount -o remount,bind,rw / ; mount -o remount,rw /; touch /new2'
    assert_status 1
    assert_stderr_has 'Read-only file system'
    works
}

@test "--writable-tmpfs: write, append, make, rename a directory of the image, change modes, delete" {
    mkdir -p "$TREE/opt/tree/deep"
    echo deep >"$TREE/opt/tree/deep/file"
    echo target >"$TREE/opt/tree/target"
    ln -s tree/target "$TREE/opt/link"
    ln "$TREE/opt/tree/target" "$TREE/opt/tree/hard"
    pack image.file
    local sum
    sum=$(sha256sum image.file)
    coracle_run --writable-tmpfs -- sh -ec '
        echo new >/new; mkdir -p /made/below; echo more >>/etc/image-release
        mv /opt/tree /opt/moved; cat /opt/moved/deep/file
        chmod 600 /opt/data/file; touch -d @5 /opt/data/file; stat -c "%a %Y" /opt/data/file
        rm /opt/link; rm -r /usr; ! test -e /usr; ln /opt/moved/hard /opt/third
        mkdir /usr; ls -A /usr; cat /etc/image-release /new; stat -c %U /opt/moved /new'
    assert_output "deep
600 5
image name
more
new
$(id -un)
$(id -un)"
    inside 'ls -d /new /made /opt/moved; cat /etc/image-release; ls /usr'
    assert_equal "$output" 'image name
bin
share'
    assert_equal "$(sha256sum image.file)" "$sum"
    assert_nothing_left
}

@test "--writable-tmpfs of a size, of an image of another owner, and with --root" {
    pack image.file -force-uid 12345 -force-gid 12345
    coracle_run --writable-tmpfs=1M -- sh -c 'dd if=/dev/zero of=/full bs=64k count=100 2>&1; mv /opt /opt2 && ls /opt2'
    assert_output_has 'No space left'
    coracle_run --root --writable-tmpfs -- sh -c 'touch /new && mv /opt /opt2 && ls /opt2; stat -c %u /new'
    assert_output 'data
0'
}

# --- mount points that it lacks -----------------------------------------------------

@test "300 missing bind targets, deep and shallow, are there, are listed, and the file is unchanged" {
    make_source
    mkdir "$TREE/opt/full"
    touch "$TREE/opt/full"/{1..50}
    pack image.file
    local -a binds=()
    local i before
    before=$(sha256sum image.file && stat -c '%y %z %s' image.file)
    for ((i = 0; i < 100; i++)); do
        binds+=(--bind "$SOURCE:/opt/full/new$i" --bind "$SOURCE:/new/a$i/b/c/d/e/f"
            --bind "$SOURCE/file:/opt/full/file$i")
    done
    coracle_run "${binds[@]}" -- sh -c 'cat /opt/full/new99/file /new/a99/b/c/d/e/f/file /opt/full/file99
        ls /opt/full | wc -l; ls /new | wc -l; ls /new/a7/b/c/d/e; find /new -name f | wc -l; stat -c "%F %U" /new /new/a5
        test -e /new/a100 || echo none; touch /new/x 2>/dev/null || echo closed'
    assert_output "from the host
from the host
from the host
250
100
f
100
directory $(id -un)
directory $(id -un)
none
closed"
    assert_equal "$(sha256sum image.file && stat -c '%y %z %s' image.file)" "$before"
    assert_nothing_left
}

@test "a bind target in a directory of the image is listed with its entries" {
    make_source
    pack image.file
    coracle_run --bind "$SOURCE:/opt/new" --bind "$SOURCE/file:/etc/new" --tmpfs /opt/t -- sh -c 'ls /opt; ls -A /etc | grep new; ls /opt'
    assert_output 'data
new
t
new
data
new
t'
}

@test "a bind target through links of the image" {
    make_source
    ln -s opt/data "$TREE/relative"
    ln -s /opt/data "$TREE/absolute"
    ln -s ../../../../opt "$TREE/opt/data/up"
    ln -s /nowhere/yet "$TREE/dangling"
    ln -s loop "$TREE/loop"
    pack image.file
    coracle_run --bind "$SOURCE:/relative/r" --bind "$SOURCE:/absolute/a/b" --bind "$SOURCE:/opt/data/up/u" \
        -- sh -c 'ls /opt /opt/data; cat /opt/data/r/file /opt/data/a/b/file /opt/u/file; ls /'
    assert_success
    assert_output_has 'from the host
from the host
from the host'
    assert_output_has 'data
u'
    local options
    for options in "$SOURCE:/loop/x" "$SOURCE:/etc/image-release/x"; do
        coracle_run --bind "$options" -- true
        assert_fails 125 '[bind-target]' || return
    done
    # As a directory: what a dangling link promises is made.
    IMAGE=$TREE coracle_run --bind "$SOURCE:/dangling" -- cat /dangling/file
    local plain=$status
    coracle_run --bind "$SOURCE:/dangling" -- cat /dangling/file
    assert_status "$plain"
    assert_nothing_left
}

@test "binds on what is there, over one another, of files on files" {
    make_source
    pack image.file
    coracle_run --bind "$SOURCE:/opt" --bind "$SOURCE/file:/etc/image-release" -- sh -c 'cat /opt/file /etc/image-release'
    assert_output 'from the host
from the host'
    coracle_run --bind "$SOURCE/file:/opt" -- true
    assert_fails 125 '[bind-target]'
    coracle_run --bind "$SOURCE:/etc/image-release" -- true
    assert_fails 125 '[bind-target]'
    coracle_run --tmpfs /a --bind "$SOURCE:/a/b/c" -- cat /a/b/c/file
    assert_output 'from the host'
}

@test "explain names the server, and starts none that stays" {
    pack image.file
    coracle_explain -- true
    assert_output_has 'image.file served by coracle-fuse'
    assert_nothing_left
    capture "$CORACLE" run --dry-run "$IMAGE" -- true
    assert_output_has 'served by coracle-fuse'
    assert_nothing_left
}

# --- where the file is -----------------------------------------------------------------

@test "its path: relative, with blanks, a line end, no UTF-8, through links" {
    local name
    pack packed
    mkdir sub ' d i r '
    for name in ./packed sub/../packed sub/' a b ' $'line\nend' $'\xff\xfe' ' d i r /x' "$PWD/packed" 'q"uo'\''te' 'co:lon' 'com,ma' '%s\n'; do
        [[ $name == *packed ]] || cp packed "$name"
        IMAGE=$name works || return
        IMAGE=$name assert_nothing_left
    done
    ln -s packed link
    ln -s "$PWD/link" second
    IMAGE=second works
    cd sub
    IMAGE=../packed works
}

@test "a link to a directory is a directory image" {
    ln -s "$TREE" link
    IMAGE=./link works
    IMAGE=link/ works
    pack packed
    IMAGE=packed/ coracle_run -- true
    assert_fails 125 '[image-missing]'
}

@test "what is no file is refused at once" {
    mkfifo fifo
    capture timeout 10 "$CORACLE" run fifo -- true
    assert_fails 125 fifo 'neither a directory nor a file' '[image-unknown]'
    capture timeout 10 "$CORACLE" run /dev/zero -- true
    assert_fails 125 /dev/zero '[image-unknown]'
    pack packed
    capture timeout 10 bash -c '"$CORACLE" run /dev/fd/5 -- cat /etc/image-release 5<packed'
    assert_output 'image name'
    capture timeout 10 bash -c 'cat packed | "$CORACLE" run /dev/stdin -- true'
    assert_fails 125 '[image-unknown]'
    : >empty
    IMAGE=empty coracle_run -- true
    assert_fails 125 'empty file' '[image-unknown]'
}

@test "a file that one may not read is refused" {
    skip_as_root 'root reads everything'
    pack packed
    chmod 000 packed
    coracle_run -- true
    assert_fails 125 packed 'ermission denied' '[image-unreadable]'
    chmod 644 packed
    mkdir closed
    cp packed closed/
    chmod 000 closed
    IMAGE=closed/packed coracle_run -- true
    chmod 755 closed
    assert_fails 125 '[image-unreadable]'
}

@test "a file that one may read and not write, in a folder that is closed to writing" {
    mkdir shut
    pack packed
    cp packed shut/
    chmod 400 shut/packed
    chmod 500 shut
    IMAGE=shut/packed works
    chmod 700 shut
}

# --- within containers --------------------------------------------------------------------

# tools_inside: options with which coracle itself runs in a container, as /tools/coracle. Leaves TOOLS_INSIDE.
tools_inside() {
    local dir
    dir=$(dirname "$(server_program)")
    TOOLS_INSIDE=(--bind "$(dirname "$PROGRAM"):/tools:ro")
    [[ $dir -ef $(dirname "$PROGRAM") ]] || TOOLS_INSIDE+=(--bind "$dir:/libexec/coracle:ro")
    ! readelf -l "$PROGRAM" | grep -q INTERP || { show_host_programs && TOOLS_INSIDE+=("${HOST_PROGRAMS[@]}"); }
}

nested_setup() {
    skip_as_root 'the kernel lets no container of root map root once more'
    tools_inside
}

@test "a SquashFS in a container of a directory" {
    nested_setup
    pack packed
    IMAGE=$TREE coracle_run "${TOOLS_INSIDE[@]}" -- /tools/coracle run "$PWD/packed" -- \
        sh -c 'cat /etc/image-release; grep " / fuse.coracle" /proc/mounts | wc -l'
    assert_output 'image name
1'
    IMAGE=$PWD/packed assert_nothing_left
}

@test "a SquashFS in a container of a SquashFS, the file outside or within it" {
    nested_setup
    pack inner
    cp inner "$TREE/opt/within"
    pack outer
    local file
    for file in "$PWD/inner" /opt/within; do
        coracle_run "${TOOLS_INSIDE[@]}" -- /tools/coracle run "$file" -- \
            sh -c 'cat /etc/image-release; ls /opt; sleep 0.1; md5sum </bin/busybox'
        assert_output "image name
data
$(md5sum <"$TREE/bin/busybox")" || return
        IMAGE=$file assert_nothing_left
    done
    assert_nothing_left
}

@test "three containers deep, and a directory in a SquashFS as image" {
    nested_setup
    pack inner
    mkdir -p "$TREE/opt/image"
    cp -a "$TREE"/{bin,etc,proc,sys,dev,tmp} "$TREE/opt/image/"
    pack outer
    coracle_run "${TOOLS_INSIDE[@]}" -- /tools/coracle run "${TOOLS_INSIDE[@]/#*:\/tools/\/tools:/tools}" "$PWD/inner" -- \
        /tools/coracle run "$PWD/outer" -- cat /etc/image-release
    assert_output 'image name'
    coracle_run "${TOOLS_INSIDE[@]}" -- /tools/coracle run /opt/image -- cat /etc/image-release
    assert_output 'image name'
    assert_nothing_left
}
