#!/usr/bin/env bats
# coracle convert, in all directions: nothing of an image is lost on the way.

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

# tree FILE: what is in a SquashFS, but for what is said of the image.
tree() { unsquashfs -lln "$1" | sed -n 's#squashfs-root#.#; /\.\/\.coracle\/config.json$/!p'; }

# Owners, set-id bits, modes, hard links, holes and long names.
make_varied_layout() {
    local long
    printf -v long '%0200d' 0
    mkdir -p "$IMAGE/opt/$long/$long"
    echo deep >"$IMAGE/opt/$long/$long/file"
    cp "$IMAGE/bin/busybox" "$IMAGE/opt/su" && chmod 4755 "$IMAGE/opt/su"
    ln "$IMAGE/opt/data/file" "$IMAGE/opt/other"
    echo secret >"$IMAGE/opt/secret" && chmod 0000 "$IMAGE/opt/secret"
    truncate -s 1M "$IMAGE/opt/hole"
    mkdir -m 0700 "$IMAGE/opt/closed" && echo x >"$IMAGE/opt/closed/x"
    # tar reads it; whoever made it cannot otherwise.
    chmod 0400 "$IMAGE/opt/secret"
    make_layout
}

@test "directory, SquashFS, layout, archives: there and back, nothing is lost" {
    need skopeo
    make_varied_layout
    must_convert oci:layout:small first.sqfs
    capture "$PROGRAM" run first.sqfs -- sh -c 'echo $FROM; cat /etc/image-release; test ! -e /etc/hosts.orig && ls /opt'
    assert_output_has second
    must_convert first.sqfs again.sqfs
    cmp first.sqfs again.sqfs
    must_convert first.sqfs dir:folder
    must_convert folder from-folder.sqfs
    # Its contents come in the order of names; those of layers in theirs.
    diff <(tree first.sqfs) <(tree from-folder.sqfs)
    must_convert from-folder.sqfs dir:folder-too
    must_convert folder-too from-folder-too.sqfs
    cmp from-folder.sqfs from-folder-too.sqfs
    must_convert dir:folder oci:made:one
    must_convert sqfs:first.sqfs docker-archive:made.tar:example.org/made:1
    must_convert ./made oci-archive:made-oci.tar
    must_convert --compression zstd:3 first.sqfs oci:made:two
    for source in oci:made:one docker-archive:made.tar made.tar made-oci.tar oci:made:two; do
        must_convert --force "$source" back.sqfs
        diff <(tree first.sqfs) <(tree back.sqfs) || report "by way of $source"
        capture "$PROGRAM" run "$source"
        assert_output second || report "$source"
    done
    # Configuration, layers and manifest are the same blobs, and the digest stays.
    must_convert oci:layout:small oci:copied:other
    diff -r layout/blobs copied/blobs
    must_convert oci:copied oci-archive:copied.tar
    mkdir unpacked && tar -xf copied.tar -C unpacked && diff -r layout/blobs unpacked/blobs
    must_convert oci-archive:copied.tar oci:copied:back
    diff -r layout/blobs copied/blobs
    # A docker-archive has no manifest, and plain layers: another digest.
    must_convert oci:layout:small docker-archive:copied-docker.tar
    must_convert docker-archive:copied-docker.tar oci:copied:docker
    assert_equal "$(comm -12 <(ls layout/blobs/sha256) <(ls copied/blobs/sha256) | wc -l)" 4
    [[ $(find copied/blobs/sha256 -type f | wc -l) -gt 4 ]]
    # Others read what we write.
    for source in oci:made:one oci:made:two docker-archive:made.tar oci-archive:made-oci.tar oci:copied:other; do
        skopeo copy --quiet --insecure-policy "$source" dir:checked || report "skopeo and $source"
        rm -r checked
    done
}

@test "owners and bits that a directory cannot have are in the SquashFS again" {
    make_varied_layout
    must_convert oci:layout dir:folder
    assert_equal "$(stat -c %a-%u folder/opt/su)" "755-$(id -u)"
    must_convert folder out.sqfs
    unsquashfs -lln out.sqfs >list
    grep -q '^-rwsr-xr-x 0/0 .*/opt/su$' list || report "$(grep opt/su list)"
    grep -q '^-rw-r--r-- 7/8 .*/etc/image-release$' list || report "$(grep image-release list)"
}

# make_capable: capable.tar, with two files that have a capability, one of them with two names.
make_capable() {
    python3 - <<'END'
import io, tarfile
with tarfile.open("capable.tar", "w", format=tarfile.PAX_FORMAT) as tar:
    for name in "one", "two", "three":
        info = tarfile.TarInfo(name)
        info.size = 1
        if name != "three":
            info.pax_headers = {"SCHILY.xattr.security.capability": "\1\0\0\2\0\4" + 14 * "\0"}
        tar.addfile(info, io.BytesIO(b"x"))
    info = tarfile.TarInfo("again")
    info.type, info.linkname = tarfile.LNKTYPE, "two"
    tar.addfile(info)
END
}

@test "capabilities of files, which a directory of a user cannot have, are counted" {
    local source
    need python3
    make_capable
    must_convert capable.tar kept.sqfs
    for source in capable.tar kept.sqfs; do
        convert "$source" "dir:$source.d"
        assert_success
        assert_equal "$stderr" "coracle: warning: 2 files of the image have lost their capabilities \
(security.capability): only root can give such; a SquashFS file keeps them"
    done
    must_convert capable.tar.d lost.sqfs
}

@test "what is there stays, a layout gets one more image" {
    make_layout
    must_convert oci:layout oci:made:one
    convert oci:layout oci:made:one
    assert_status 125
    assert_stderr_has one
    must_convert oci:layout oci:made:two
    must_convert oci:made:one one.sqfs
    must_convert oci:made:two two.sqfs
    cmp one.sqfs two.sqfs
    must_convert --force oci:layout oci:made:one
    mkdir folder && echo precious >folder/file
    for destination in oci:folder dir:folder oci-archive:folder; do
        for option in '' --force; do
            # shellcheck disable=SC2086
            convert $option oci:layout "$destination"
            assert_status 125 || report "$destination"
            assert_equal "$(ls -A folder) $(<folder/file)" 'file precious'
        done
    done
    echo precious >file
    for destination in file oci-archive:file docker-archive:file oci:file; do
        convert oci:layout "$destination"
        assert_status 125 || report "$destination"
        assert_equal "$(<file)" precious
    done
    must_convert --force oci:layout docker-archive:file:a:1
    capture "$PROGRAM" run ./file
    assert_output second
}

@test "what cannot be converted is told, and nothing is left" {
    make_layout
    echo text >text
    convert text out.sqfs
    refused_with image-unknown text
    mkfifo fifo
    convert fifo out.sqfs
    refused_with image-unknown fifo
    convert sqfs:text out.sqfs
    refused_with image-unknown text
    convert nowhere out.sqfs
    refused_with image-missing nowhere
    convert tar:nowhere out.sqfs
    refused_with image-missing nowhere
    convert --compression lz4 oci:layout oci:out
    refused_with usage gzip
    convert oci:layout oci:nowhere/out
    refused_with output nowhere
    mkdir -m 0700 closed && mkdir closed/in && echo x >closed/in/file && chmod 0 closed/in/file
    tar -C "$IMAGE" -cf saved.tar . && head -c 100000 saved.tar >cut.tar
    convert cut.tar out.sqfs
    refused_with layer cut
    tar -C layout -czf archive.tar.gz .
    head -c 3000 archive.tar.gz >cut.tar.gz
    for source in cut.tar.gz oci-archive:cut.tar.gz; do
        convert "$source" out.sqfs
        refused_with layer cut.tar.gz 'is cut off'
        convert "$source" nowhere/out
        refused_with output "$source" nowhere
    done
    convert docker-archive:archive.tar.gz out.sqfs
    refused_with image-unknown archive.tar.gz 'oci-archive:'
    "$PROGRAM" convert docker-archive:- out.sqfs </dev/null 2>error && report 'nothing was enough'
    grep -qF 'image docker-archive:-: nothing comes through the pipe' error
}

# What docker save and podman save give, as people carry it to a cluster.
@test "an archive that is compressed, or comes through a pipe, gives the same image" {
    local source
    need xz zstd jq
    make_layout
    must_convert oci:layout:small docker-archive:saved.tar:mine:1
    must_convert oci:layout:small oci-archive:oci.tar:small
    gzip -k saved.tar && gzip -k oci.tar && xz -0k saved.tar && zstd -qk oci.tar
    must_convert docker-archive:saved.tar docker.sqfs
    must_convert oci-archive:oci.tar oci.sqfs
    rm saved.tar oci.tar
    for source in docker=saved.tar.gz docker=docker-archive:saved.tar.gz:mine:1 docker=saved.tar.xz \
        oci=oci.tar.gz oci=oci-archive:oci.tar.zst:small oci=oci.tar.zst; do
        must_convert --force "${source#*=}" out.sqfs
        cmp out.sqfs "${source%%=*}.sqfs" || report "$source" || return
        capture "$PROGRAM" run "${source#*=}"
        assert_output second || report "$source" || return
        assert_equal "$("$PROGRAM" inspect "${source#*=}" | jq -r .id)" \
            "$("$PROGRAM" inspect oci:layout:small | jq -r .id)" || report "$source" || return
    done
    assert_equal "$(CORACLE_CACHE=$PWD/other "$PROGRAM" inspect oci.tar.gz | jq -r .kind)" oci-archive
    assert_equal "$(CORACLE_CACHE=$PWD/other "$PROGRAM" inspect saved.tar.xz | jq -r .kind)" docker-archive
    "$PROGRAM" convert --force docker-archive:- out.sqfs < <(cat saved.tar.gz)
    cmp out.sqfs docker.sqfs
    "$PROGRAM" convert --force docker-archive:-:mine:1 out.sqfs < <(gunzip -c saved.tar.gz)
    cmp out.sqfs docker.sqfs
    "$PROGRAM" convert oci-archive:- oci:made:piped <oci.tar.zst
    diff -r layout/blobs made/blobs
    # What was unpacked is gone.
    assert_equal "$(find . -name '.*partial*' -o -name '.*archive*')" ''
    assert_equal "$(ls -A cache/layers)" ''
    rm -r cache other
    convert docker-archive:saved.tar.gz:theirs:1 none.sqfs
    assert_fails 125 'theirs:1' '[image-missing]'
}

# Layers of an archive may have no digest but that of their tar, and a directory has none.
@test "what is done is shown of each kind of source, to programs and on a terminal" {
    local source
    need script
    mkdir -m 0755 tree && echo text >tree/file
    tar -C tree -cf tree.tar .
    make_layout
    convert tree docker-archive:made.tar:made:1
    assert_success
    for source in tree tar:tree.tar docker-archive:made.tar oci:layout; do
        convert --json "$source" out.sqfs
        assert_success && assert_output_has '"event":"done","path":"out.sqfs"' || return
        rm out.sqfs
        capture script -qec "$PROGRAM convert $source out.sqfs" /dev/null </dev/null
        assert_success && assert_output_has 'made out.sqfs' || return
        rm out.sqfs
    done
    capture script -qec "$PROGRAM run docker-archive:made.tar -- /no/such" /dev/null </dev/null
    assert_status 127
}

# A destination that is no file's name was meant as something else.
@test "a destination of a kind that is not made, or a slip of one, is refused" {
    local destination
    make_layout
    for destination in sif:out.sif tar:out.tar tar:- docker://example.org/out oci-archve:out.tar squfs:out \
        docker-daemon:out:1 https://example.org/out out.sif out.tar out.tgz ./out.tar -; do
        convert oci:layout "$destination"
        refused_with usage '' || report "$destination" || return
        assert_equal "$(find . -name '*sif:*' -o -name 'tar:*' -o -name '*archve*' -o -name -)" '' || return
    done
    convert oci:layout sif:out.sif
    assert_stderr_has 'source only'
    convert oci:layout docker://example.org/out
    assert_stderr_has 'a registry cannot be'
    convert oci:layout oci-archve:out.tar
    assert_stderr_has 'did you mean oci-archive:?'
    for destination in ./a:b sqfs:oci-archve:c sqfs:c.sif d:e; do
        must_convert oci:layout "$destination" || return
    done
    for destination in a:b oci-archve:c c.sif d:e; do
        assert_equal "$(head -c 4 "$destination")" hsqs || return
    done
    capture "$PROGRAM" pull docker.io/nobody/nothing:1 oci:out
    refused_with usage 'coracle convert makes oci:'
}

# other_machine: an architecture that this machine is not.
other_machine() { if [[ $(uname -m) == aarch64 ]]; then echo amd64; else echo arm64; fi; }

# take_manifest: the file changed becomes the manifest of the layout's image.
take_manifest() {
    local manifest
    read -r -a manifest < <(blob changed)
    jq -c --arg d "${manifest[0]}" --argjson s "${manifest[1]}" '.manifests[0].digest = $d | .manifests[0].size = $s' \
        layout/index.json >changed
    mv changed layout/index.json
}

# is_for ARCHITECTURE: the image of the layout says that it is for that.
is_for() {
    local config
    config=$(jq -r '.config.digest' "layout/blobs/sha256/$(jq -r '.manifests[0].digest' layout/index.json | cut -d : -f 2)")
    jq -c --arg a "$1" 'if $a == "" then del(.architecture) else .architecture = $a end' "layout/blobs/${config/://}" >changed
    read -r -a config < <(blob changed)
    jq -c --arg d "${config[0]}" --argjson s "${config[1]}" '.config.digest = $d | .config.size = $s' \
        "layout/blobs/sha256/$(jq -r '.manifests[0].digest' layout/index.json | cut -d : -f 2)" >changed
    take_manifest
}

# of_layers none|whiteout: the layout's image has no layer, or one that hides what is not there.
of_layers() {
    local -a layer config
    local ids='[]' layers='[]'
    if [[ $1 == whiteout ]]; then
        mkdir hidden && : >hidden/.wh.nothing
        tar -C hidden -cf hidden.tar .
        read -r -a layer < <(blob hidden.tar)
        ids="[\"${layer[0]}\"]"
        layers="[{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"${layer[0]}\",\"size\":${layer[1]}}]"
    fi
    printf '{"architecture":"%s","os":"linux","rootfs":{"type":"layers","diff_ids":%s}}' \
        "$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')" "$ids" >changed
    read -r -a config < <(blob changed)
    printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":
        "application/vnd.oci.image.config.v1+json","digest":"%s","size":%d},"layers":%s}' "${config[@]}" "$layers" >changed
    take_manifest
}

# One that it was not asked for would fail only when it is executed.
@test "an image of one platform is not taken for another" {
    local other
    other=$(other_machine)
    make_layout
    convert --platform "linux/$other" oci:layout out.sqfs
    refused_with image-platform "for linux/$other"
    convert --platform foo/bar oci:layout out.sqfs
    refused_with image-platform foo/bar
    must_convert oci:layout made.sqfs
    convert --platform "linux/$other" made.sqfs out.sqfs
    refused_with image-platform "for linux/$other"
    is_for "$other"
    capture "$PROGRAM" run oci:layout
    refused_with image-platform "is for linux/$other alone"
    assert_equal "$(find cache -name '*.sqfs')" ''
    convert oci:layout out.sqfs
    refused_with image-platform "--platform linux/$other"
    must_convert --platform "linux/$other" oci:layout docker-archive:other.docker
    convert docker-archive:other.docker out.sqfs
    refused_with image-platform "is for linux/$other alone"
    "$PROGRAM" inspect oci:layout | grep -q "$other"
    is_for ''
    must_convert oci:layout says-nothing.sqfs
}

@test "a root file system is for every processor of its architecture" {
    must_convert "$IMAGE" oci:made
    grep -rqs '"architecture"' made/blobs
    run grep -rhos '"variant":"[^"]*"' made/blobs
    case $(uname -m) in arm*) ;; *) assert_equal "$output" '' ;; esac
}

@test "an empty directory is no image" {
    mkdir nothing
    for source in nothing dir:nothing; do
        convert "$source" out.sqfs
        refused_with image-empty nothing || return
    done
}

@test "what has no file in it is no image, whatever it is and whatever is made of it" {
    local source destination
    need mksquashfs
    mkdir nothing bare bare/.coracle
    tar -cf none.tar -T /dev/null
    tar -C nothing -cf root.tar .
    gzip -k root.tar
    mksquashfs nothing nothing.sqfs -quiet -no-progress -all-root
    for source in tar:none.tar root.tar root.tar.gz nothing.sqfs bare; do
        for destination in out.sqfs dir:out oci:out oci-archive:out.tar docker-archive:out.tar; do
            convert "$source" "$destination"
            refused_with image-empty 'there is no file in it' || report "$source to $destination" || return
        done
    done
    "$PROGRAM" convert tar:- out.sqfs <root.tar 2>error || true
    grep -q 'no file in it.*image-empty' error
    for source in tar:none.tar root.tar.gz nothing.sqfs; do
        capture "$PROGRAM" run "$source" -- true
        refused_with image-empty "${source#tar:}" || return
    done
    assert_equal "$(find cache -name '*.sqfs*')" ''
}

# "FROM scratch", with no layer or with one that says nothing.
@test "an OCI image without a file is one, with a warning" {
    local layers
    make_layout
    for layers in none whiteout; do
        of_layers $layers
        convert --force oci:layout made.sqfs
        assert_success
        assert_equal "$stderr" 'coracle: warning: the image has no files: no command can be run in it'
        convert --force made.sqfs made-too.sqfs
        assert_success
        cmp made.sqfs made-too.sqfs
        must_convert oci:layout oci:copied:$layers
    done
}

@test "what is read is shown where nobody knows how much there is" {
    local source
    need script
    dd if=/dev/urandom of="$IMAGE/random" bs=1M count=8 status=none
    must_convert "$IMAGE" made.sqfs
    tar -C "$IMAGE" -cf made.tar .
    for source in "$IMAGE" made.sqfs tar:made.tar; do
        convert --json "$source" out.sqfs
        [[ $output != *'"size":0'* ]] || report "$output" || return
        rm out.sqfs
        capture script -qec "$PROGRAM convert $source out.sqfs" /dev/null </dev/null
        assert_output_has 'flattens ' || return
        assert_output_has ' MiB' || return
        [[ $output != *'of 0 B'* ]] || report "$output" || return
        rm out.sqfs
    done
    convert --json tar:made.tar out.sqfs
    assert_output_has "\"size\":$(stat -c %s made.tar)"
}

@test "options behind the operands are told, and not taken for names" {
    local line
    make_layout
    for line in 'convert oci:layout --force' 'convert oci:layout out --force' 'inspect oci:layout --platform linux/arm64' \
        'pull docker.io/a/b --quiet' 'rm small --all' 'login docker.io -u me' 'logout docker.io --all'; do
        # shellcheck disable=SC2086
        capture "$PROGRAM" $line
        assert_status 125 || return
        assert_stderr_has 'options go before' || return
        assert_equal "$(find . -name '--*' -o -name out)" '' || return
    done
    capture "$PROGRAM" login docker.io -p secret
    assert_stderr_has 'should be changed now'
    must_convert -- oci:layout --force
    [[ -f ./--force ]]
}

@test "inspect takes the archives that run takes; a slip of a file's name is told" {
    local file
    make_layout
    tar -C "$IMAGE" -cf plain.tar .
    must_convert oci:layout docker-archive:saved.tar:made:1
    must_convert oci:layout oci-archive:archive.tar
    for file in saved.tar ./archive.tar layout; do
        assert_equal "$("$PROGRAM" inspect "$file" | jq -r '.config.config.Env[0]')" FROM=image || return
    done
    for file in plain.tar ./plain.tar tar:plain.tar; do
        assert_equal "$("$PROGRAM" inspect "$file" | jq -c '[.kind, .size, .config]')" \
            "[\"tar\",$(stat -c %s plain.tar),null]" || return
    done
    for file in inspect pull; do
        capture env -u CORACLE_REGISTRY "$PROGRAM" $file image.sqsf
        assert_status 125 || return
        assert_stderr_has 'there is no file or directory image.sqsf' || return
    done
    capture env -u CORACLE_REGISTRY "$PROGRAM" pull saved.tar
    assert_stderr_has 'saved.tar is a file'
}

@test "a directory without a layout is told so" {
    mkdir folder
    echo text >file
    capture "$PROGRAM" run oci:folder
    refused_with image-unknown 'no OCI image layout'
    capture "$PROGRAM" run oci:file
    refused_with image-unknown 'no directory'
    capture "$PROGRAM" run oci:nowhere
    refused_with image-missing 'does not exist'
}

@test "rm takes any beginning of an ID that is one image's alone" {
    local id file
    make_layout
    capture "$PROGRAM" run oci:layout
    file=$(find cache/images -name '*.sqfs')
    id=$(basename "$file" .sqfs)
    capture "$PROGRAM" rm "${id:0:3}"
    refused_with image-missing 'coracle images'
    capture "$PROGRAM" rm "${id:0:4}x"
    refused_with image-missing 'coracle images'
    cp "$file" "${file%"${id:4}.sqfs"}$(printf '%060d' 0).sqfs"
    capture "$PROGRAM" rm "${id:0:4}"
    refused_with image-ambiguous 'several images'
    assert_equal "$(find cache/images -name '*.sqfs' | wc -l)" 2
    rm "${file%"${id:4}.sqfs"}$(printf '%060d' 0).sqfs"
    capture "$PROGRAM" rm "${id:0:4}"
    assert_success
    assert_equal "$(find cache -name '*.sqfs')" ''
}
