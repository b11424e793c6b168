#!/bin/bash
# Images as umoci and buildah make them and skopeo copies them, as layout directories, OCI
# archives and docker-archives: test/images/layout-show finds what skopeo finds. Needs no privilege.
set -euo pipefail
. "${srcdir:-.}/test/lint/tap.bash"

show=test/images/layout-show
for tool in skopeo umoci jq; do
    if ! command -v "$tool" >/dev/null; then
        tap_skip_all "$tool is not installed (Debian: apt-get install skopeo umoci jq)"
    fi
done

# So that nothing of the user's is read or left: policy, storage, blob cache.
export HOME=$scratch/home XDG_RUNTIME_DIR=$scratch/run XDG_DATA_HOME=$scratch/data XDG_CONFIG_HOME=$scratch/config
export XDG_CACHE_HOME=$scratch/cache TMPDIR=$scratch/tmp
mkdir -p "$HOME" "$XDG_RUNTIME_DIR" "$TMPDIR"
chmod 700 "$XDG_RUNTIME_DIR"

quietly() {
    "$@" >"$scratch/log" 2>&1 || {
        echo "Bail out! $*: $(tail -n 1 "$scratch/log")"
        exit 1
    }
}

copy() {
    quietly skopeo --insecure-policy copy "$@"
}

digest_of() {
    sha256sum | sed 's/ .*//; s/^/sha256:/'
}

# add_layer FILE...: a layer on top of the image "image" of $scratch/layout, with these files.
add_layer() {
    local file
    rm -rf "$scratch/bundle"
    quietly umoci unpack --rootless --image "$scratch/layout:image" "$scratch/bundle"
    mkdir -p "$scratch/bundle/rootfs/etc"
    for file; do echo "$file" >"$scratch/bundle/rootfs/etc/$file"; done
    quietly umoci repack --image "$scratch/layout:image" "$scratch/bundle"
    chmod -R u+rwX "$scratch/bundle"
}

make_layout() {
    quietly umoci init --layout "$scratch/layout"
    quietly umoci new --image "$scratch/layout:image"
    quietly umoci tag --image "$scratch/layout:image" empty
    add_layer one two
    add_layer three
    quietly umoci tag --image "$scratch/layout:image" other
    add_layer four
    quietly umoci config --image "$scratch/layout:image" --config.cmd /bin/true --architecture amd64 --os linux
}

# What skopeo says of a reference: manifest (of a docker-archive there is none), config, layers' diff_ids.
expected() {
    local manifest
    manifest=$(skopeo inspect --raw "$1" | digest_of)
    case $1 in docker-archive:*) manifest=- ;; esac
    echo "manifest $manifest"
    echo "config $(skopeo inspect --config --raw "$1" | digest_of)"
    skopeo inspect --config --raw "$1" | jq -r '.rootfs.diff_ids[]?'
}

# The same, as we find it; and what is wrong with the layers' bytes.
found() {
    local number=0 digest diff_id
    "$show" "$1" amd64 | sed -n 's/^\(manifest\|config\) /&/p; s/^layer [^ ]* \([^ ]*\) .*/\1/p'
    while read -r _ digest diff_id _; do
        "$show" "$1" amd64 "$number" >"$scratch/blob"
        [ "$digest" = - ] || [ "$digest" = "$(digest_of <"$scratch/blob")" ] || echo "layer $number: digest"
        [ "$diff_id" = "$(zcat -f <"$scratch/blob" | digest_of)" ] || echo "layer $number: diff_id"
        number=$((number + 1))
    done < <("$show" "$1" amd64 | grep '^layer ')
    [ "$("$show" "$1" amd64 config | digest_of)" = "$("$show" "$1" amd64 | sed -n 's/^config //p')" ] || echo "config"
}

same() {
    tap_result "${1/$scratch\//}" "$(diff <(expected "$1" 2>&1) <(found "$1" 2>&1) || true)"
}

# refused TEXT REFERENCE: an error with TEXT in it, and nothing else.
refused() {
    local output
    output=$("$show" "$2" amd64 2>&1) && output="it was opened"
    tap_result "${2/$scratch\//} is refused: $1" "$(grep -qF -- "$1" <<<"$output" || echo "$output")"
}

make_layout
layout=oci:$scratch/layout
tap_result "three layers were made" "$([ "$("$show" "$layout:image" amd64 | grep -c '^layer ')" = 3 ] || "$show" "$layout:image" amd64 2>&1)"
same "$layout:image"
same "$layout:other"
same "$layout:empty"
refused "it holds several images: name one of empty, other, image" "$layout"
refused "index.json has no image of that name; it has empty, other, image" "$layout:none"

copy "$layout:image" "oci-archive:$scratch/oci.tar:image"
same "oci-archive:$scratch/oci.tar:image"
same "oci-archive:$scratch/oci.tar"
copy "$layout:image" "docker-archive:$scratch/docker.tar:registry.example/group/app:1.0"
same "docker-archive:$scratch/docker.tar"
same "docker-archive:$scratch/docker.tar:registry.example/group/app:1.0"
refused "it holds registry.example/group/app:1.0" "docker-archive:$scratch/docker.tar:app:1.0"
copy "docker-archive:$scratch/docker.tar" "oci:$scratch/again:back"
same "oci:$scratch/again:back"
copy --format v2s2 "$layout:image" "dir:$scratch/dir"
copy --dest-shared-blob-dir "$scratch/shared" "$layout:image" "oci:$scratch/sharing:image"
refused "is missing: the layout is not complete" "oci:$scratch/sharing:image"

# An archive as tar packs a layout by hand; compressed; cut off.
tar -C "$scratch/layout" -cf "$scratch/hand.tar" .
same "oci-archive:$scratch/hand.tar:other"
gzip -k "$scratch/hand.tar"
refused "it is compressed with gzip, so that layers cannot be read in place: gunzip it first" "oci-archive:$scratch/hand.tar.gz:other"
head -c 3000 "$scratch/docker.tar" >"$scratch/cut.tar"
refused "it is cut off" "docker-archive:$scratch/cut.tar"
refused "it has no file oci-layout but a manifest.json: this is a docker-archive:" "oci-archive:$scratch/docker.tar"
refused "it has no manifest.json but an index.json: this is an oci-archive:" "docker-archive:$scratch/oci.tar"

# By buildah, which needs user namespaces of several ids, or root.
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
if ! command -v buildah >/dev/null; then
    tap_skip "an image that buildah made" "buildah is not installed"
elif ! container=$(buildah --root "$scratch/storage" --runroot "$scratch/runroot" from scratch 2>"$scratch/log"); then
    tap_skip "an image that buildah made" "buildah cannot work here: $(tail -n 1 "$scratch/log")"
else
    b=(buildah --root "$scratch/storage" --runroot "$scratch/runroot")
    echo file >"$scratch/file"
    quietly "${b[@]}" copy "$container" "$scratch/file" /etc/file
    quietly "${b[@]}" config --cmd /bin/true --arch amd64 "$container"
    quietly "${b[@]}" commit --format docker "$container" "oci-archive:$scratch/buildah.tar:built"
    same "oci-archive:$scratch/buildah.tar:built"
    quietly "${b[@]}" commit --format docker "$container" "docker-archive:$scratch/buildah-docker.tar:localhost/built:1"
    same "docker-archive:$scratch/buildah-docker.tar:localhost/built:1"
    quietly "${b[@]}" rm "$container"
fi
tap_done
