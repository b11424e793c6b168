#!/usr/bin/env bats
# SquashFS files of unusual size, files around one (SIF), and those that other tools make.

# Scripts for shells further in stand in single quotes; each test is a subshell.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154

load helpers
load squashfs

setup() { squashfs_setup; }

# bats test_tags=long
@test "a sparse file beyond 4 GiB is read at its end and in its hole" {
    truncate -s 4500000000 "$TREE/opt/huge"
    echo 'the end' >>"$TREE/opt/huge"
    pack image.file -comp lz4 -b 1M
    inside 'stat -c %s /opt/huge; tail -c 8 /opt/huge; dd if=/opt/huge bs=4096 skip=1050000 count=1 2>/dev/null | tr -d "\0" | wc -c
        dd if=/opt/huge bs=1M skip=4291 2>/dev/null | wc -c'
    assert_output '4500000008
the end
0
560392'
}

# bats test_tags=long
@test "100,000 entries in a directory" {
    # In memory: to make and to remove so many files takes a file system long.
    mkdir "$TREE/many"
    TREE=$TREE on_host 'mount -t tmpfs none "$TREE/many"
        (cd "$TREE/many" && for i in {1..100000}; do : >"a-name-of-some-length-$i"; done)
        mksquashfs "$TREE" image.file -noappend -no-progress -comp lz4'
    assert_success
    IMAGE=image.file
    inside 'ls /many | wc -l; ls /many | uniq -d | wc -l; stat -c %n /many/a-name-of-some-length-77777
        test -e /many/a-name-of-some-length-100001 || echo none'
    assert_output '100000
0
/many/a-name-of-some-length-77777
none'
}

# --- SIF, and what others make ------------------------------------------------------

@test "a SIF file with a SquashFS runs, whatever is beside it" {
    add_data
    pack packed
    make_sif image.sif packed
    IMAGE=image.sif
    works
    assert_same_content
    head -c 4097 /dev/urandom >>image.sif
    works
    cp image.sif no-suffix
    IMAGE=no-suffix works
    # An overlay partition before it, and a slot that is free, are not it.
    sif_descriptor image.sif 0 $((0x4004)) 32768 19 2 3
    sif_descriptor image.sif 1 $((0x4004)) 32768 19 1 2
    number 1 0 | put image.sif $((4096 + 585 + 4))
    works
}

@test "a SIF file with something else is refused by name" {
    pack packed
    IMAGE=image.sif
    make_sif image.sif packed 2
    coracle_run -- true
    assert_fails 125 image.sif ext3 '--sandbox' '[image-unknown]'
    make_sif image.sif packed 5
    coracle_run -- true
    assert_fails 125 image.sif encrypted '[image-unknown]'
    make_sif image.sif packed 4
    coracle_run -- true
    assert_fails 125 image.sif 'not a SquashFS' '[image-unknown]'
    make_sif image.sif packed 1 3
    coracle_run -- true
    assert_fails 125 image.sif 'without a system partition' '[image-unknown]'
    sif_header image.sif 0
    coracle_run -- true
    assert_fails 125 image.sif 'without a system partition' '[image-unknown]'
    make_sif image.sif packed
    truncate -s 40000 image.sif
    coracle_run -- true
    assert_fails 125 image.sif 'cut off' '[image-damaged]'
    make_sif image.sif packed
    number 8 1000000 | put image.sif 88
    coracle_run -- true
    assert_fails 125 image.sif '[image-damaged]'
    make_sif image.sif packed
    number 8 $((1 << 40)) | put image.sif 96
    coracle_run -- true
    assert_fails 125 image.sif '[image-damaged]'
    # A partition that says it is a SquashFS and is none.
    make_sif image.sif "$PAYLOAD"
    coracle_run -- true
    assert_fails 125 image.sif '[image-unknown]'
    assert_nothing_left
}

@test "a file as enroot makes it" {
    mkdir "$TREE/.enroot"
    printf 'PATH=/bin\n' >"$TREE/etc/environment"
    printf 'exec "$@"\n' >"$TREE/etc/rc"
    pack image.sqsh -all-root -comp lzo -noD -exit-on-error
    works
}

@test "a file as Charliecloud makes it" {
    mkdir -p "$TREE/ch" "$TREE"/mnt/{0..9} "$TREE/home"
    printf 'PATH=/bin\n' >"$TREE/ch/environment"
    pack image.sqfs -comp gzip -no-xattrs -p '/ch/made d 755 0 0'
    works
    command -v ch-convert >/dev/null || return 0
    # ch-image's storage is made where this says.
    CH_IMAGE_STORAGE=$PWD/storage capture ch-convert -i dir -o squash "$TREE" converted.sqfs
    assert_success
    IMAGE=converted.sqfs works
}
