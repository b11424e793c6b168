#!/usr/bin/env bats
# What is special to an image that is a SquashFS file, or a SIF file around one.

# Scripts for shells further in stand in single quotes; each test is a subshell.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helpers
load squashfs

setup() { squashfs_setup; }

# --- which files -------------------------------------------------------------

@test "a SquashFS is recognised by its content, whatever its name" {
    local name
    pack packed.sqsh
    for name in image image.sqfs image.squashfs image.sif image.tar x.tar.gz image.ext3 .hidden -v 'a:b' 'x,y=z'; do
        ln "$PWD/packed.sqsh" "$PWD/$name"
        IMAGE=$PWD/$name works || return
    done
    capture "$CORACLE" run -- -v cat /etc/image-release
    assert_output 'image name'
}

@test "a name that promises an image does not make one" {
    local name
    for name in x.sqfs x.squashfs x.sif; do
        echo 'no image' >"$name"
        IMAGE=$name coracle_run -- true
        assert_fails 125 "$name" '[image-unknown]'
    done
}

# bats test_tags=long
@test "any block size" {
    local size
    add_data
    for size in 4K 8K 16K 32K 64K 128K 256K 512K 1M; do
        pack "image.$size" -b "$size" -comp gzip -Xcompression-level 1
        assert_same_content || return
    done
}

@test "any compressor but lzma, with its options" {
    local options
    add_data
    for options in gzip 'gzip -Xwindow-size 8' zstd 'zstd -Xcompression-level 1' lz4 'lz4 -Xhc' lzo \
        'lzo -Xalgorithm lzo1x_1' 'xz -Xdict-size 8K -b 64K' 'xz -Xbcj x86'; do
        # Without test/run --long each of them once.
        [[ ${CORACLE_TEST_LONG-} || $options != *' -X'* || $options == *8K* ]] || continue
        # shellcheck disable=SC2086 # words
        pack image.file -comp $options
        assert_same_content || return
    done
    pack image.file -comp lzma
    coracle_run -- true
    assert_fails 125 image.file lzma mksquashfs '[image-unknown]'
    assert_nothing_left
}

# bats test_tags=long
@test "parts that are not compressed, in all ways to leave them so" {
    local options
    add_data
    for options in -noI -noD -noF -noX '-noI -noD -noF -noX -noId'; do
        # shellcheck disable=SC2086 # words
        pack image.file $options
        assert_same_content || return
    done
}

# bats test_tags=long
@test "without export table, without fragments, with all tails packed, without shared duplicates" {
    local options
    add_data
    for options in -no-exports -no-fragments -always-use-fragments -no-duplicates \
        '-no-exports -no-fragments -no-xattrs -no-sparse'; do
        # shellcheck disable=SC2086 # words
        pack image.file $options
        assert_same_content || return
    done
}

@test "padded, not padded, and with garbage behind" {
    add_data
    pack image.file -nopad
    assert_same_content
    head -c 5000 /dev/urandom >>image.file
    assert_same_content
    pack image.file
    head -c 1000001 /dev/urandom >>image.file
    assert_same_content
}

@test "a file that is cut off is refused before anything runs" {
    local length
    pack image.file
    length=$(stat -c %s image.file)
    for size in 5 95 96 4096 $((length / 2)); do
        head -c "$size" image.file >./cut
        IMAGE=./cut coracle_run -- true
        assert_status 125 || return
        [[ $stderr == *'[image-damaged]' || $size -lt 32 ]] || report "$size bytes"
    done
    IMAGE=./cut assert_nothing_left
}

# --- what a file system shows ----------------------------------------------------

@test "extended attributes are those of the files, trusted ones aside" {
    need getfattr setfattr
    local file at
    mkdir "$TREE/opt/dir"
    ln -s data/file "$TREE/opt/link"
    echo plain >"$TREE/opt/plain"
    setfattr -n user.one -v first "$TREE/opt/data/file" 2>/dev/null ||
        skip 'the file system of the temporary directory keeps no user.* attributes'
    setfattr -n user.two -v 0x00ff00 "$TREE/opt/data/file"
    setfattr -n user.empty "$TREE/opt/dir"
    setfattr -n user.long -v "$(printf '%03000d' 7)" "$TREE/opt/dir"
    setfattr -n user.coracle-mark -v secret "$TREE/opt/plain"
    show_host_programs
    for options in -xattrs '-xattrs -noX' -no-xattrs; do
        # shellcheck disable=SC2086 # words
        pack image.file $options
        for file in opt/data/file opt/dir opt/plain opt/link etc; do
            coracle_run "${HOST_PROGRAMS[@]}" -- getfattr -h -d -m - -e hex "/$file"
            [[ $options == -no-xattrs ]] || assert_output "$(cd "$TREE" && getfattr -h -d -m '^user' -e hex "$file")" || return
            [[ $options != -no-xattrs ]] || assert_equal "$output" '' || return
        done
        coracle_run "${HOST_PROGRAMS[@]}" -- getfattr -n user.none /opt/plain
        assert_status 1 || return
        [[ $stderr == *'No such attribute'* || $stderr == *'not supported'* ]] || report 'another error'
    done
    # The kind of an attribute is a number before its name.
    pack image.file -xattrs -noX
    at=$(grep -abo coracle-mark image.file | cut -d: -f1)
    number 2 1 | put image.file $((at - 4))
    coracle_run "${HOST_PROGRAMS[@]}" -- getfattr -m - /opt/plain
    assert_output ''
    number 2 2 | put image.file $((at - 4))
    coracle_run "${HOST_PROGRAMS[@]}" -- getfattr -d -m - /opt/plain
    assert_output_has 'security.coracle-mark="secret"'
}

@test "trusted attributes that a packer as root found are not shown" {
    is_root || skip 'only root can give a file such an attribute'
    need getfattr setfattr
    setfattr -n trusted.mark -v secret "$TREE/opt/data/file" || skip 'this file system keeps none'
    pack image.file -xattrs
    show_host_programs
    coracle_run "${HOST_PROGRAMS[@]}" -- getfattr -m - /opt/data/file
    assert_success
    assert_output_lacks mark
}

@test "hard links are one file, duplicates are two" {
    ln "$TREE/opt/data/file" "$TREE/opt/data/hard"
    ln "$TREE/opt/data/file" "$TREE/hard"
    cp "$TREE/opt/data/file" "$TREE/opt/data/copy"
    pack image.file
    inside 'stat -c "%i %h" /opt/data/file /opt/data/hard /hard; stat -c "%i %h" /opt/data/copy'
    assert_success
    assert_equal "${lines[0]}" "${lines[1]}"
    assert_equal "${lines[0]}" "${lines[2]}"
    [[ ${lines[0]} == *' 3' && ${lines[3]} == *' 1' && ${lines[3]% *} != "${lines[0]% *}" ]] || report 'links'
    local inode=${lines[0]% *}
    coracle_run -- ls -i /opt/data
    [[ ${#lines[@]} == 3 && $(grep -cw "$inode" <<<"$output") == 2 ]] || report 'links'
}

@test "device nodes are shown and cannot be used" {
    pack image.file -p 'opt/null c 666 0 0 1 3' -p 'opt/disk b 666 0 0 259 77777'
    inside 'stat -c "%F %t %T" /opt/null /opt/disk; cat /opt/null; echo x >/opt/null; cat /opt/disk'
    assert_equal "$output" 'character special file 1 3
block special file 103 12fd1'
    assert_equal "$(grep -c 'Permission denied' <<<"$stderr")" 3
}

@test "fifos work" {
    mkfifo "$TREE/opt/fifo"
    pack image.file
    inside 'test -p /opt/fifo && (echo through >/opt/fifo &) && cat /opt/fifo'
    assert_output through
}

@test "setuid and setgid bits are shown and have no effect" {
    cp "$PAYLOAD" "$TREE/bin/other"
    pack image.file -p 'bin/other m 6755 0 0' -p 'opt m 1777 0 0'
    coracle_run -- stat -c %a /bin/other /opt
    assert_output '6755
1777'
    coracle_run -- payload id
    local plain=$output
    coracle_run -- other id
    assert_output "$plain"
    coracle_run -- payload mount-flags /
    assert_output 'ro nosuid nodev'
    coracle_run --writable-tmpfs -- payload mount-flags /
    assert_output 'rw nosuid nodev'
}

@test "times, modes, sizes and kinds are kept" {
    local mode format='%n %a %s %Y %F %N'
    mkdir "$TREE/kept"
    touch -d @0 "$TREE/kept/epoch"
    touch -d @4294967295 "$TREE/kept/last"
    touch -d '1999-12-31 23:59:59.5 UTC' "$TREE/kept/fraction"
    for mode in 400 444 555 600 644 700 711 755 777 1755; do
        echo "$mode" >"$TREE/kept/$mode"
        chmod "$mode" "$TREE/kept/$mode"
        mkdir "$TREE/kept/d$mode"
        [[ $mode == 400 || $mode == 600 || $mode == 444 ]] || chmod "$mode" "$TREE/kept/d$mode"
    done
    ln -s nowhere "$TREE/kept/link"
    ln -s "$(printf '%01500d' 1)" "$TREE/kept/long"
    touch -h -d @86400 "$TREE/kept/link"
    touch -d @1000000000 "$TREE/kept"
    pack image.file
    coracle_run -- sh -c 'cd / && find kept ! -type d -exec stat -c "$1" {} + | sort' sh "$format"
    assert_output "$(cd "$TREE" && find kept ! -type d -exec "$TREE/bin/busybox" stat -c "$format" {} + | sort)"
    format='%n %a %Y %F'
    coracle_run -- sh -c 'cd / && find kept -type d -exec stat -c "$1" {} + | sort' sh "$format"
    assert_output "$(cd "$TREE" && find kept -type d -exec stat -c "$format" {} + | sort)"
}

@test "every file belongs to the user, whoever packed it" {
    local options
    for options in '' '-all-root' '-force-uid 12345 -force-gid 54321'; do
        # shellcheck disable=SC2086 # words
        pack image.file $options
        inside 'find /bin /opt /usr -xdev \( ! -user "$1" -o ! -group "$2" \) | head -n 3; stat -c "%U %u:%g" / /opt' \
            "$(id -u)" "$(id -g)"
        assert_output "$(id -un) $(id -u):$(id -g)
$(id -un) $(id -u):$(id -g)" || return
    done
    coracle_run --uid 4242 --gid 4343 -- stat -c %u:%g /opt
    assert_output 4242:4343
    coracle_run --root -- stat -c %u:%g /opt
    assert_output 0:0
}

@test "names with blanks, line ends, bytes that are no UTF-8, and of 255 bytes" {
    local name
    mkdir "$TREE/names"
    for name in ' a b ' $'line\nend' $'\xff\xfe' $'\xc3\xa4' '*' 'back\slash' '-rf' $'\x01\x7f' "$(printf '%0255d' 1)" ...; do
        mkdir "$TREE/names/$name"
        echo "$name" >"$TREE/names/$name/$name"
        ln -s "$name" "$TREE/names/$name/.link"
    done
    pack image.file
    find "$TREE/names" -printf '%P %y %l\0' | sort -z >expected
    show_host_programs
    "$CORACLE" run "${HOST_PROGRAMS[@]}" "$IMAGE" -- find /names -printf '%P %y %l\0' | sort -z >got
    cmp expected got
    coracle_run -- sh -c 'cat "$1/$1" "$1/.link/../$1"' sh $'names/../names/\xff\xfe/../\xff\xfe'
    assert_status 1
    coracle_run --workdir /names -- sh -c 'cat "$1/$1"' sh $'\xff\xfe'
    assert_output $'\xff\xfe'
    coracle_run -- sh -c 'cat "/names/$1"' sh "$(printf '%0256d' 1)"
    assert_stderr_has 'File name too long'
}

# --- its configuration -------------------------------------------------------------

# configure JSON: the member "config" of the image's configuration.
configure() {
    mkdir -p "$TREE/.coracle"
    printf '{"architecture":"amd64","os":"linux","config":%s,"rootfs":{"type":"layers","diff_ids":[]}}' \
        "$1" >"$TREE/.coracle/config.json"
}

@test "ENV, ENTRYPOINT, CMD and WORKDIR of the configuration inside are honoured" {
    configure '{"Env":["FROM_IMAGE=yes"],"Entrypoint":["payload","args"],"Cmd":["from CMD"],"WorkingDir":"/opt/data"}'
    pack image.file
    coracle_run
    assert_output '[from CMD]'
    coracle_run -- given
    assert_output '[given]'
    cd /
    IMAGE=$BATS_TEST_TMPDIR/image.file coracle_run --no-entrypoint --workdir /opt/data -- sh -c 'echo "$FROM_IMAGE $PWD"'
    assert_output 'yes /opt/data'
    capture "$CORACLE" explain "$IMAGE"
    make_sif "$BATS_TEST_TMPDIR/image.sif" "$BATS_TEST_TMPDIR/image.file"
    IMAGE=$BATS_TEST_TMPDIR/image.sif coracle_run
    assert_output '[from CMD]'
}

@test "WORKDIR is where the command starts, as with a directory" {
    configure '{"WorkingDir":"/opt/data"}'
    local directory
    for directory in "$BATS_TEST_TMPDIR" /; do
        cd "$directory"
        IMAGE=$TREE inside pwd
        local plain=$output
        pack "$BATS_TEST_TMPDIR/image.file"
        inside pwd
        assert_output "$plain"
    done
}

@test "a configuration that is broken, huge or no file is refused" {
    mkdir "$TREE/.coracle"
    local config=$TREE/.coracle/config.json
    echo '{"config":' >"$config"
    pack image.file
    coracle_run -- true
    assert_fails 125 image.file '.coracle/config.json' '[image-config]'
    : >"$config"
    pack image.file
    coracle_run -- true
    assert_fails 125 '[image-config]'
    truncate -s 5M "$config"
    pack image.file
    coracle_run -- true
    assert_fails 125 image.file 'too large' '[image-config]'
    rm "$config"
    mkdir "$config"
    pack image.file
    coracle_run -- true
    assert_fails 125 'not a regular file' '[image-config]'
    assert_nothing_left
}

@test "a configuration is not found through links" {
    configure '{"Env":["FROM_IMAGE=yes"]}'
    mv "$TREE/.coracle" "$TREE/elsewhere"
    ln -s elsewhere "$TREE/.coracle"
    pack image.file
    inside 'echo "${FROM_IMAGE-no}"'
    assert_output no
}
