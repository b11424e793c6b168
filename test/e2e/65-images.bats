#!/usr/bin/env bats
# coracle convert and pull: images of layers become one file, or a directory, that runs.

# Scripts for shells further in stand in single quotes; each test is a subshell.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helpers
load squashfs

setup() {
    standard_setup
    [[ -x $(dirname "$PROGRAM")/coracle-image || -x $(dirname "$PROGRAM")/../libexec/coracle/coracle-image ]] ||
        skip 'coracle-image was not built: configure found no libraries for it'
    make_layout
}

teardown() {
    if [[ ${REGISTRY_PROCESS-} ]]; then kill "$REGISTRY_PROCESS" 2>/dev/null || true; fi
    standard_teardown
}

# blob FILE: moves it to its place in the layout; prints its digest and size.
blob() {
    local digest size
    digest=$(sha256sum "$1") && digest=${digest%% *}
    size=$(stat -c %s "$1")
    mv "$1" "layout/blobs/sha256/$digest"
    echo "sha256:$digest $size"
}

# make_layout: the OCI layout `layout` with the image :small of two layers, the second of
# which hides a file and a directory of the first and replaces another.
make_layout() {
    local lower upper lower_id upper_id config manifest platform
    platform=$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')
    mkdir -p layout/blobs/sha256 upper/etc upper/opt
    tar -C "$IMAGE" --sort=name --mtime=@1700000000 --owner=0 --group=0 --numeric-owner -cf lower.tar .
    echo second >upper/etc/image-release
    : >upper/etc/.wh.hosts
    : >upper/opt/.wh.data
    tar -C upper --sort=name --mtime=@1700000000 --owner=7 --group=8 --numeric-owner -cf upper.tar .
    lower_id=sha256:$(sha256sum lower.tar | cut -d ' ' -f 1)
    upper_id=sha256:$(sha256sum upper.tar | cut -d ' ' -f 1)
    gzip -n lower.tar
    read -r -a lower < <(blob lower.tar.gz)
    read -r -a upper < <(blob upper.tar)
    printf '{"architecture":"%s","os":"linux","config":{"Env":["FROM=image"],"Cmd":["cat","/etc/image-release"]},
        "rootfs":{"type":"layers","diff_ids":["%s","%s"]}}' "$platform" "$lower_id" "$upper_id" >config
    read -r -a config < <(blob config)
    printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
        "config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"%s","size":%d},
        "layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"%s","size":%d},
            {"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"%s","size":%d}]}' \
        "${config[@]}" "${lower[@]}" "${upper[@]}" >manifest
    read -r -a manifest < <(blob manifest)
    printf '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"%s",
        "size":%d,"annotations":{"org.opencontainers.image.ref.name":"small"}}]}' "${manifest[@]}" >layout/index.json
    echo '{"imageLayoutVersion":"1.0.0"}' >layout/oci-layout
    LOWER=layout/blobs/sha256/${lower#sha256:}
}

convert() { capture "$PROGRAM" convert "$@"; }

# refused IDENTIFIER TEXT: one error, and nothing of the output is left.
refused_with() {
    assert_status 125 || return
    assert_stderr_has "$2" || return
    [[ $stderr == 'coracle: error: '*"[$1]" && $stderr != *$'\n'* ]] || report "expected one error [$1]" || return
    assert_equal "$(find . -maxdepth 1 -name '*out*' ! -name layout)" ''
}

# runs: what is in IMAGE is the two layers with the configuration.
runs() {
    capture "$PROGRAM" run "$IMAGE"
    assert_output second || return
    capture "$PROGRAM" run "$IMAGE" -- sh -c 'echo $FROM; ls /opt; ls /bin/busybox; test -s /etc/hosts && echo hosts'
    assert_output $'image\n/bin/busybox\nhosts'
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
    refused_with usage 'oci:DIRECTORY'
    convert oci:layout
    refused_with usage 'coracle convert --help'
    convert oci:layout /nowhere/out.sqfs
    refused_with output /nowhere/out.sqfs
}

@test "an interrupt: nothing is left" {
    local hit=0 i
    # What does not compress takes long.
    mkdir -p slow/opt && head -c 60000000 /dev/urandom >slow/opt/random
    IMAGE=slow make_layout
    for i in 1 2 3; do
        "$PROGRAM" convert --compression xz oci:layout out.sqfs 2>log 3>&- &
        in_tenths 50 compgen -G '.out.sqfs.partial-*' >/dev/null || { wait $! && report 'too quick to be interrupted'; }
        kill -TERM $! && hit=$((hit + 1))
        wait $! || true
        assert_equal "$(find . -maxdepth 1 -name '*out*' ! -name layout)" ''
    done
    [[ $hit -eq 3 ]]
}

# in_tenths N COMMAND...: waits so long at most for it to succeed.
in_tenths() {
    local i
    for ((i = 0; i < $1 * CORACLE_TEST_SLOWNESS; i++)); do
        ! "${@:2}" || return 0
        sleep 0.1
    done
    return 1
}

# --- from a registry -----------------------------------------------------------------

# start_registry: one without TLS at REGISTRY, which has the image as small:1.0.
start_registry() {
    local port
    need docker-registry skopeo curl
    port=$((20000 + RANDOM % 10000))
    REGISTRY=127.0.0.1:$port
    mkdir storage
    printf 'version: 0.1\nstorage: {filesystem: {rootdirectory: "%s/storage"}}\nhttp: {addr: "%s"}\n' "$PWD" "$REGISTRY" \
        >registry.yml
    docker-registry serve registry.yml >registry.log 2>&1 3>&- &
    REGISTRY_PROCESS=$!
    in_tenths 100 curl -fs "http://$REGISTRY/v2/" -o /dev/null
    skopeo copy --quiet --insecure-policy --dest-tls-verify=false oci:layout:small "docker://$REGISTRY/small:1.0"
}

pull() { capture "$PROGRAM" pull --plain-http "$@"; }

@test "pull: what convert would make of it, named by the repository where no name is given" {
    start_registry
    pull "$REGISTRY/small:1.0"
    assert_success
    IMAGE=$PWD/small_1.0.sqfs
    runs
    convert oci:layout out.sqfs
    cmp out.sqfs small_1.0.sqfs
    pull "$REGISTRY/small:1.0" dir:out
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
