# Images of layers and a registry for them, for .bats files that load this after helpers.
# shellcheck shell=bash
# shellcheck disable=SC2016,SC2034,SC2154 # scripts for shells further in; LOWER: tests; PROGRAM, IMAGE: helpers

need_coracle_image() {
    [[ -x $(dirname "$PROGRAM")/coracle-image || -x $(dirname "$PROGRAM")/../libexec/coracle/coracle-image ]] ||
        skip 'coracle-image was not built: configure found no libraries for it'
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

# cache_setup: the setup of tests of the cache: images come into `cache`, and CORACLE is the program itself.
cache_setup() {
    standard_setup
    need_coracle_image
    # Without FUSE an image is unpacked, which is told.
    [[ -r /dev/fuse && -w /dev/fuse ]] || skip 'the cache has SquashFS files, and /dev/fuse is closed here'
    make_layout
    export CORACLE_CACHE=$PWD/cache
    CORACLE=$PROGRAM
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

registry_ends() {
    if [[ ${REGISTRY_PROCESS-} ]]; then kill "$REGISTRY_PROCESS" 2>/dev/null || true; fi
}

convert() { capture "$PROGRAM" convert "$@"; }

# runs: what is in IMAGE is the two layers with the configuration.
runs() {
    capture "$PROGRAM" run "$IMAGE"
    assert_output second || return
    capture "$PROGRAM" run "$IMAGE" -- sh -c 'echo $FROM; ls /opt; ls /bin/busybox; test -s /etc/hosts && echo hosts'
    assert_output $'image\n/bin/busybox\nhosts'
}

# must_convert ARG...: without a word.
must_convert() {
    convert "$@"
    assert_success || return
    assert_equal "$output$stderr" ''
}

# refused_with IDENTIFIER TEXT: one error, and nothing of out is left.
refused_with() {
    assert_status 125 || return
    assert_stderr_has "$2" || return
    [[ $stderr == 'coracle: error: '*"[$1]" && $stderr != *$'\n'* ]] || report "expected one error [$1]" || return
    assert_equal "$(find . -maxdepth 1 -name '*out*' ! -name layout)" ''
}
