#!/usr/bin/env bats
# coracle convert and pull: images of layers become one file, or a directory, that runs.

# Scripts for shells further in stand in single quotes; each test is a subshell.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helpers
load squashfs
load layouts

setup() {
    standard_setup
    need_coracle_image
    make_layout
}

teardown() {
    registry_ends
    standard_teardown
}

# refused IDENTIFIER TEXT: one error, and nothing of the output is left.
refused_with() {
    assert_status 125 || return
    assert_stderr_has "$2" || return
    [[ $stderr == 'coracle: error: '*"[$1]" && $stderr != *$'\n'* ]] || report "expected one error [$1]" || return
    assert_equal "$(find . -maxdepth 1 -name '*out*' ! -name layout)" ''
}

@test "an OCI layout becomes a SquashFS file that runs, with what the image says of itself" {
    need mksquashfs
    convert oci:layout:small out.sqfs
    assert_success
    assert_equal "$output$stderr" ''
    IMAGE=$PWD/out.sqfs
    runs
    # What the upper layer hides is not in the file; ids are those of the layers.
    unsquashfs -lln out.sqfs >list
    grep -q ' 7/8 .*squashfs-root/etc/image-release$' list || report "expected the ids of the layer: $(grep image-release list)"
    ! grep -q -e /opt/data -e /etc/hosts list || report 'expected hidden files to be left out'
}

@test "and a directory" {
    convert oci:layout dir:out
    assert_success
    IMAGE=$PWD/out
    runs
    assert_equal "$(stat -c %u out/etc/image-release)" "$(id -u)"
}

@test "an archive of it is the same image, to the byte" {
    tar -C layout -cf layout.tar .
    convert oci:layout out.sqfs
    convert oci-archive:layout.tar other-out.sqfs
    assert_success
    cmp out.sqfs other-out.sqfs
}

@test "methods, block sizes and numbers of processors: the same image" {
    local method
    for method in zstd:3 lz4 gzip:1 xz; do
        convert --force --compression "$method" --block-size 64K oci:layout out.sqfs
        assert_success
        IMAGE=$PWD/out.sqfs
        runs || report "with $method"
        cp out.sqfs first
        capture taskset -c "$(taskset -cp $$ | sed 's/.*[ ,-]//')" "$PROGRAM" convert --force --compression "$method" \
            --block-size 64K oci:layout out.sqfs
        cmp first out.sqfs || report "other bytes on one processor with $method"
    done
    rm out.sqfs
    convert --compression lzo oci:layout x.out
    refused_with usage lzo
    convert --block-size 100K oci:layout x.out
    [[ $status -eq 125 && $stderr == *'power of two'* ]] || report 'expected a refusal'
}

@test "what is there is not replaced, or only with --force, and a directory never" {
    echo precious >file
    mkdir folder
    echo precious >folder/file
    convert oci:layout file
    assert_status 125
    assert_stderr_has '--force'
    assert_equal "$(<file)" precious
    for option in '' --force; do
        # shellcheck disable=SC2086 # none, or one
        convert $option oci:layout folder
        assert_status 125
        # shellcheck disable=SC2086
        convert $option oci:layout dir:folder
        assert_status 125
        assert_equal "$(ls folder) $(<folder/file)" 'file precious'
    done
    convert --force oci:layout file
    assert_success
    IMAGE=$PWD/file
    runs
}

@test "a layer that is damaged, cut off or another: one error that names it, nothing is left" {
    cp "$LOWER" whole
    printf X | dd of="$LOWER" bs=1 seek=5000 conv=notrunc status=none
    convert oci:layout out.sqfs
    [[ $stderr == *'[layer]' || $stderr == *'[digest]' ]] || report 'expected the damage to be found'
    assert_equal "$(find . -maxdepth 1 -name '*out*' ! -name layout)" ''
    head -c 5000 whole >"$LOWER"
    convert oci:layout out.sqfs
    refused_with image-damaged "${LOWER##*/}"
    convert oci:layout dir:out
    refused_with image-damaged "${LOWER##*/}"
    rm "$LOWER"
    convert oci:layout out.sqfs
    refused_with image-damaged "${LOWER##*/}"
}

@test "no such layout, image or platform: what there is instead" {
    convert oci:nowhere out.sqfs
    refused_with image-missing nowhere
    convert oci:layout:large out.sqfs
    refused_with image-missing small
    convert app.sqfs out.sqfs
    refused_with image-missing 'docker.io/app.sqfs'
    convert oci:layout
    refused_with usage 'coracle convert --help'
    convert oci:layout /nowhere/out.sqfs
    refused_with output /nowhere/out.sqfs
}

# --- from a registry -----------------------------------------------------------------

pull() { capture "$PROGRAM" pull --plain-http "$@"; }

@test "pull: what convert would make of it" {
    start_registry
    pull "$REGISTRY/small:1.0" small.sqfs
    assert_success
    IMAGE=$PWD/small.sqfs
    runs
    convert oci:layout out.sqfs
    cmp out.sqfs small.sqfs
    pull "$REGISTRY/small:1.0" dir:out/
    assert_success
    IMAGE=$PWD/out
    runs
    assert_equal "$(find . -maxdepth 1 -name '.*download*')" ''
}

@test "pull: by digest; a name, tag or registry that is not there" {
    start_registry
    digest=$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$REGISTRY/small:1.0")
    pull "$REGISTRY/small@$digest" out.sqfs
    assert_success
    rm out.sqfs
    pull "$REGISTRY/small@sha256:$(printf x | sha256sum | cut -d ' ' -f 1)" out.sqfs
    refused_with image-missing "$REGISTRY"
    pull "$REGISTRY/small:2.0" out.sqfs
    refused_with image-missing 'small:2.0'
    pull "$REGISTRY/large:1.0" out.sqfs
    refused_with image-missing 'large:1.0'
    pull --platform linux/riscv64 "$REGISTRY/small:1.0" out.sqfs
    refused_with image-platform 'not for linux/riscv64'
    pull small:1.0 out.sqfs
    refused_with usage 'docker.io/small:1.0'
    capture "$PROGRAM" pull "$REGISTRY/small:1.0" out.sqfs
    refused_with registry TLS
    kill "$REGISTRY_PROCESS" && wait "$REGISTRY_PROCESS" || true
    pull "$REGISTRY/small:1.0" out.sqfs
    refused_with registry "$REGISTRY"
}

@test "pull: not by way of a folder that others can change" {
    start_registry
    mkdir -m 770 .out.sqfs.download
    pull "$REGISTRY/small:1.0" out.sqfs
    assert_status 125
    assert_stderr_has '[output]'
    [[ ! -e out.sqfs ]]
    chmod 700 .out.sqfs.download
    pull "$REGISTRY/small:1.0" out.sqfs
    assert_success
}

@test "pull: killed at any time, the next one goes on and the result is the same" {
    local hit=0 i
    start_registry
    pull "$REGISTRY/small:1.0" whole
    assert_success
    for i in 1 2 3 4 5 6 7 8; do
        "$PROGRAM" pull --plain-http "$REGISTRY/small:1.0" killed.sqfs 2>log 3>&- &
        sleep "0.0$i"
        ! kill -9 $! 2>/dev/null || hit=$((hit + 1))
        wait $! 2>/dev/null || true
        [[ ! -e killed.sqfs ]] || cmp whole killed.sqfs || report 'expected nothing half'
        rm -f killed.sqfs
    done
    [[ $hit -gt 0 ]] || report 'expected to hit some'
    pull "$REGISTRY/small:1.0" killed.sqfs
    assert_success
    cmp whole killed.sqfs
    assert_equal "$(find . -maxdepth 1 -name '.killed*download*')" ''
}
