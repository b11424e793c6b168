#!/usr/bin/env bats
# Tars of users: whatever packed them, damaged or hostile.

# Scripts for shells further in stand in single quotes; each test is a subshell.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helpers
load squashfs
load layouts

setup() {
    standard_setup
    need_coracle_image
    export CORACLE_CACHE=$PWD/cache
}

teardown() {
    standard_teardown
}

@test "a tar of a root file system, compressed or not, or through a pipe" {
    need xz bzip2
    tar -C "$IMAGE" --sort=name -cf plain.tar .
    gzip -k plain.tar
    zstd -q plain.tar
    xz -0 -k plain.tar
    { head -c 100000 plain.tar | bzip2 -1 && tail -c +100001 plain.tar | bzip2 -1; } >plain.tar.bz2
    must_convert plain.tar plain.sqfs
    IMAGE=$PWD/plain.sqfs
    capture "$PROGRAM" run "$IMAGE" -- cat /etc/image-release
    assert_output 'image name'
    for file in plain.tar.gz plain.tar.zst plain.tar.xz plain.tar.bz2; do
        must_convert --force "$file" other.sqfs
        cmp plain.sqfs other.sqfs
        capture "$PROGRAM" run "$file" -- cat /etc/image-release
        assert_output 'image name' || report "$file"
    done
    "$PROGRAM" convert tar:- piped.sqfs <plain.tar
    cmp plain.sqfs piped.sqfs
    "$PROGRAM" convert tar:- piped-too.sqfs < <(cat plain.tar.gz)
    cmp plain.sqfs piped-too.sqfs
    "$PROGRAM" convert tar:- piped-xz.sqfs < <(cat plain.tar.xz)
    cmp plain.sqfs piped-xz.sqfs
}

# A layer may not be: what is made of such a tar has gzip.
@test "a tar with xz or bzip2 becomes a layer that all can read; damaged ones do not" {
    local suffix destination
    need skopeo xz bzip2
    tar -C "$IMAGE" --sort=name -cf plain.tar .
    xz -0 -k plain.tar && bzip2 -1 -k plain.tar
    must_convert plain.tar oci:made:plain
    must_convert plain.tar docker-archive:plain.docker
    for suffix in xz bz2; do
        must_convert "plain.tar.$suffix" "oci:made:$suffix"
        cmp <(skopeo inspect --raw oci:made:plain) <(skopeo inspect --raw "oci:made:$suffix")
        must_convert "plain.tar.$suffix" "docker-archive:$suffix.docker"
        cmp plain.docker "$suffix.docker"
        head -c 50000 "plain.tar.$suffix" >"cut.tar.$suffix"
        { head -c 50000 "plain.tar.$suffix" && printf damage && tail -c +50007 "plain.tar.$suffix"; } >"bad.tar.$suffix"
        for destination in out.sqfs oci:out docker-archive:out; do
            convert "cut.tar.$suffix" "$destination"
            refused_with layer 'is cut off' || return
            convert "bad.tar.$suffix" "$destination"
            refused_with layer 'data is damaged' || return
        done
    done
}

@test "a tar without a byte is no image: what should have written it has failed" {
    : >empty.tar
    capture "$PROGRAM" convert tar:empty.tar out
    refused_with image-unknown 'is an empty file'
    capture "$PROGRAM" convert tar:- out <empty.tar
    refused_with image-unreadable 'has the program'
    capture "$PROGRAM" convert tar:- oci:out < <(false)
    refused_with image-unreadable 'has the program'
}

# The last entry is a header and a block of data, and the two blocks that end the tar follow.
make_tar_of_known_end() {
    echo end >"$IMAGE/zz"
    tar -C "$IMAGE" --sort=name -cf whole.tar .
    END=$(python3 -c 'print((len(open("whole.tar", "rb").read().rstrip(b"\0")) + 511) // 512 * 512)')
}

@test "a tar that ends within an entry is no image, whatever is made of it" {
    local cut destination
    need python3
    make_tar_of_known_end
    # Within the padding, the data, at their beginning, within the header, and within an end block.
    for cut in $((END - 100)) $((END - 510)) $((END - 512)) $((END - 924)) $((END + 100)); do
        head -c $cut whole.tar >cut.tar
        gzip -c cut.tar >cut.tar.gz
        for destination in out dir:out oci:out oci-archive:out docker-archive:out; do
            capture "$PROGRAM" convert tar:- "$destination" < <(cat cut.tar)
            refused_with layer Truncated || report "$((cut - END)), $destination" || return
        done
        for source in tar:cut.tar tar:cut.tar.gz; do
            capture "$PROGRAM" convert "$source" oci:out
            refused_with layer Truncated || report "$((cut - END)), $source" || return
        done
    done
}

@test "a tar without the blocks that mark its end is whole, as for GNU tar" {
    local end destination
    need python3
    make_tar_of_known_end
    must_convert tar:whole.tar dir:whole
    for end in $END $((END + 512)); do
        head -c "$end" whole.tar >short.tar
        tar -tf short.tar >list 2>log || report "expected tar to take it: $(<log)" || return
        grep -q '/zz$' list
        for destination in sqfs:short dir:short oci:short oci-archive:short docker-archive:short; do
            "$PROGRAM" convert tar:- "$destination" < <(cat short.tar)
            # What says how a directory was made, and that it is an image of layers, is no part of it.
            must_convert "$destination" dir:again
            diff -r -x .coracle whole again || report "$destination" || return
            rm -r short again
        done
    done
}

# The map of a file's holes is not kept, however large it is: a megabyte of gzip was a gigabyte of memory.
@test "a tar with an endless map of holes is refused" {
    local destination
    need python3
    python3 - <<'END'
import gzip
piece = b'00000000001\0' + b'00000000000\0'
head = bytearray(512)
head[0:4] = b'file'
head[100:148] = b'0000644\0' + b'0000000\0' * 2 + b'00000000000\0' * 2
head[148:157] = b' ' * 8 + b'S'
head[257:265] = b'ustar  \0'
head[386:495] = piece * 4 + b'\1' + b'00000001000\0'
head[148:156] = b'%06o\0 ' % sum(head)
with gzip.open('holes.tar.gz', 'wb') as out:
    out.write(head)
    for i in range(40):
        out.write((piece * 21 + b'\1' + bytes(7)) * 1024)
    out.write(piece * 21 + bytes(8) + bytes(1024))
END
    for destination in out.sqfs oci:out docker-archive:out.tar; do
        convert holes.tar.gz "$destination"
        refused_with layer holes.tar.gz 'map of its holes'
    done
}

# Whoever looks for the next entry must neither go round nor out of what he has read.
@test "a compressed tar whose entries have negative sizes is refused, at once" {
    local size
    echo text >file
    tar -cf plain.tar file
    for size in -1000 -2000; do
        cp plain.tar evil.tar
        printf '%-12s' "$size" | dd of=evil.tar bs=1 seek=124 conv=notrunc status=none
        gzip -c evil.tar >evil.tar.gz
        capture timeout 60 "$PROGRAM" convert evil.tar.gz out.sqfs
        refused_with layer evil.tar.gz
        [[ ! -e out.sqfs ]]
        capture timeout 60 "$PROGRAM" inspect evil.tar.gz
        assert_success
    done
}
