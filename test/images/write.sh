#!/bin/bash
# Layouts and archives that lib/layout writes: skopeo, umoci and buildah take them, and our own
# reader does; after a failure nothing is left. Needs no privilege.
set -euo pipefail
. "${srcdir:-.}/test/lint/tap.bash"

for tool in skopeo umoci python3; do
    if ! command -v "$tool" >/dev/null; then
        tap_skip_all "$tool is not installed (Debian: apt-get install skopeo umoci python3)"
    fi
done
export HOME=$scratch/home TMPDIR=$scratch XDG_RUNTIME_DIR=$scratch/run
mkdir -m 700 "$HOME" "$XDG_RUNTIME_DIR"
trap 'chmod -R u+rwX "$scratch"; rm -rf "$scratch"' EXIT

write=test/images/layout-write
show=test/images/layout-show
stream=test/images/stream-image

# works NAME COMMAND...: its output is in $scratch/out.
works() {
    local name=$1
    shift
    tap_result "$name" "$("$@" >"$scratch/out" 2>"$scratch/log" || cat "$scratch/log")"
}

# refused NAME ID TEXT COMMAND...
refused() {
    local name=$1 id=$2 text=$3 details=
    shift 3
    if "$@" >"$scratch/out" 2>"$scratch/log"; then details="it was done"; fi
    grep -qF "[$id]" "$scratch/log" && grep -qF -- "$text" "$scratch/log" || details="$details $(cat "$scratch/log")"
    tap_result "$name" "$details"
}

# What a directory has, for comparisons.
look() {
    (cd "$1" && find . -type f -exec sha256sum {} + | sort -k 2)
}

tree=$scratch/tree
mkdir -p "$tree"/{bin,etc,usr/lib}
head -c 400000 /dev/urandom >"$tree/bin/tool"
ln "$tree/bin/tool" "$tree/bin/other"
ln -s ../etc "$tree/usr/etc"
for ((i = 0; i < 60; i++)); do head -c $((i * 999)) /dev/urandom >"$tree/usr/lib/$i"; done
truncate -s 3M "$tree/sparse"
echo end >>"$tree/sparse"
echo x >"$tree/é"
echo y >"$tree/$(printf 'n%.0s' {1..200})"

# A tree as one new layer.
works "a directory to oci:" "$write" "oci:$scratch/layout:one" "$tree"
works "skopeo reads it" skopeo inspect "oci:$scratch/layout:one"
works "umoci unpacks it" umoci unpack --rootless --image "$scratch/layout:one" "$scratch/bundle"
tap_result "umoci finds the same tree" "$(diff -r "$tree" "$scratch/bundle/rootfs" 2>&1 | head -3)"
works "our reader finds it" "$show" "oci:$scratch/layout:one" linux/amd64
works "its layer" "$show" "oci:$scratch/layout:one" linux/amd64 0
"$stream" "$tree" - >"$scratch/tree.tar" 2>/dev/null
tap_result "the layer is the tar of the tree" "$(zcat "$scratch/out" | cmp - "$scratch/tree.tar" 2>&1)"
works "again, elsewhere" "$write" "oci:$scratch/layout-2:one" "$tree"
tap_result "the same tree gives the same bytes" "$(diff -r "$scratch"/layout{,-2} 2>&1)"

# More images in one layout.
before=$(look "$scratch/layout")
refused "a name that is there" output "already" "$write" "oci:$scratch/layout:one" "$tree/bin"
tap_result "nothing has changed" "$(diff <(echo "$before") <(look "$scratch/layout"))"
works "a second image, zstd" "$write" -z "oci:$scratch/layout:two" "$tree"
works "skopeo reads both" skopeo inspect "oci:$scratch/layout:one"
tap_result "there are two" "$(python3 -c '
import json, sys
index = json.load(open(sys.argv[1]))
names = [m["annotations"]["org.opencontainers.image.ref.name"] for m in index["manifests"]]
if sorted(names) != ["one", "two"]: print(names)' "$scratch/layout/index.json")"
works "skopeo reads zstd" skopeo copy -q "oci:$scratch/layout:two" "dir:$scratch/zstd"
works "--force" "$write" -f "oci:$scratch/layout:one" "$tree/bin"
works "umoci unpacks what is there now" umoci unpack --rootless --image "$scratch/layout:one" "$scratch/bundle-2"
tap_result "it was replaced" "$(diff -r "$tree/bin" "$scratch/bundle-2/rootfs" 2>&1 | head -3)"
mkdir "$scratch/folder"
refused "a directory that is no layout" output "no OCI image layout" "$write" "oci:$scratch/folder:x" "$tree"
tap_result "nothing was put into it" "$(ls -A "$scratch/folder")"
: >"$scratch/file"
refused "a file in the place" output "there already" "$write" "oci:$scratch/file:x" "$tree"
refused "an archive that is there" output "there already" "$write" "oci-archive:$scratch/file" "$tree"
tap_result "the file is as before" "$([ -f "$scratch/file" ] && [ ! -s "$scratch/file" ] || echo changed)"

# Archives.
works "to oci-archive:" "$write" "oci-archive:$scratch/oci.tar:one" "$tree"
works "skopeo reads it" skopeo inspect "oci-archive:$scratch/oci.tar:one"
works "our reader finds it" "$show" "oci-archive:$scratch/oci.tar:one" linux/amd64
works "to docker-archive:" "$write" "docker-archive:$scratch/docker.tar:reg.example/x/y:1" "$tree"
works "skopeo reads it" skopeo inspect "docker-archive:$scratch/docker.tar:reg.example/x/y:1"
works "our reader finds it" "$show" "docker-archive:$scratch/docker.tar" linux/amd64 0
tap_result "its layer is the tar" "$(cmp "$scratch/out" "$scratch/tree.tar" 2>&1)"
works "skopeo makes a layout of it" skopeo copy -q "docker-archive:$scratch/docker.tar" "oci:$scratch/from-docker:z"
works "umoci unpacks that" umoci unpack --rootless --image "$scratch/from-docker:z" "$scratch/bundle-3"
tap_result "it is the same tree" "$(diff -r "$tree" "$scratch/bundle-3/rootfs" 2>&1 | head -3)"
if command -v buildah >/dev/null; then
    for archive in "oci-archive:$scratch/oci.tar:one" "docker-archive:$scratch/docker.tar"; do
        if buildah --storage-driver vfs --root "$scratch/storage" --runroot "$scratch/storage-run" \
            pull -q "$archive" >"$scratch/out" 2>"$scratch/log"; then
            tap_result "buildah pulls ${archive%%:*}" ""
        elif grep -qE 'newuidmap|user namespace|/etc/subuid' "$scratch/log"; then
            tap_skip "buildah pulls ${archive%%:*}" "it cannot work as this user: $(head -n 1 "$scratch/log")"
        else
            tap_result "buildah pulls ${archive%%:*}" "$(cat "$scratch/log")"
        fi
    done
    buildah --storage-driver vfs --root "$scratch/storage" --runroot "$scratch/storage-run" rmi -af >"$scratch/log" 2>&1 || true
    buildah unshare rm -rf "$scratch/storage" >"$scratch/log" 2>&1 || true
else
    tap_skip "buildah pulls it" "buildah is not installed (Debian: apt-get install buildah)"
fi

# Layers as they are.
works "an image of two layers" skopeo copy -q "oci:$scratch/from-docker:z" "oci:$scratch/source:s"
works "umoci adds a layer" umoci insert --rootless --image "$scratch/source:s" "$tree/bin" /added
works "umoci sets what it says" umoci config --image "$scratch/source:s" --config.env "A=\"\\\\ é" --config.cmd /bin/tool
"$show" "oci:$scratch/source:s" linux/amd64 >"$scratch/source.txt"
works "oci: to oci:" "$write" "oci:$scratch/same:s" "oci:$scratch/source:s"
"$show" "oci:$scratch/same:s" linux/amd64 >"$scratch/same.txt"
tap_result "manifest, configuration and layers are the same" "$(diff "$scratch/source.txt" "$scratch/same.txt")"
works "to oci-archive:" "$write" "oci-archive:$scratch/same-oci.tar:s" "oci:$scratch/source:s"
works "our reader finds it" "$show" "oci-archive:$scratch/same-oci.tar:s" linux/amd64
tap_result "they are the same" "$(diff "$scratch/source.txt" "$scratch/out"; grep -q ^manifest "$scratch/out" || echo "no manifest")"
works "skopeo finds the manifest by its digest" skopeo inspect --raw "oci-archive:$scratch/same-oci.tar:s"
tap_result "byte for byte" "$(cmp "$scratch/out" <(skopeo inspect --raw "oci:$scratch/source:s") 2>&1)"
works "to docker-archive: and back" "$write" "docker-archive:$scratch/same.tar" "oci:$scratch/source:s"
works "skopeo reads it" skopeo inspect "docker-archive:$scratch/same.tar"
works "back" "$write" "oci:$scratch/back:s" "docker-archive:$scratch/same.tar"
works "our reader finds it" "$show" "oci:$scratch/back:s" linux/amd64
tap_result "configuration and diffIDs are the same" \
    "$(diff <(awk '/^config/ || /^layer/ { print $1, $1 == "layer" ? $3 : $2 }' "$scratch/source.txt") \
        <(awk '/^config/ || /^layer/ { print $1, $1 == "layer" ? $3 : $2 }' "$scratch/out"))"

# A new layer under the configuration of another image.
"$show" "oci:$scratch/source:s" linux/amd64 config >"$scratch/config.json"
works "a tree with a configuration" "$write" -C "$scratch/config.json" "oci:$scratch/new:n" "$tree"
works "umoci unpacks it" umoci unpack --rootless --image "$scratch/new:n" "$scratch/bundle-4"
"$show" "oci:$scratch/new:n" linux/amd64 config >"$scratch/new.json"
tap_result "only rootfs and history differ" "$(python3 - "$scratch/config.json" "$scratch/new.json" <<'END'
import json, sys
old, new = (json.load(open(name)) for name in sys.argv[1:])
if len(new["rootfs"]["diff_ids"]) != 1 or len(new["history"]) != 1: print(new)
if new["history"][0].get("created") != old.get("created"): print("time", new["history"], old.get("created"))
for config in old, new: del config["rootfs"], config["history"]
if old != new: print(old, new)
END
)"
echo '{"rootfs":' >"$scratch/bad.json"
refused "a configuration that is broken" image-config "image configuration" \
    "$write" -C "$scratch/bad.json" "oci:$scratch/bad:n" "$tree"

# tar: files, and one that comes through a pipe.
gzip -nc "$scratch/tree.tar" >"$scratch/tree.tar.gz"
works "a compressed tar" "$write" "oci:$scratch/tar:gz" "$scratch/tree.tar.gz"
"$show" "oci:$scratch/tar:gz" linux/amd64 0 >"$scratch/out"
tap_result "is a layer as it is" "$(cmp "$scratch/out" "$scratch/tree.tar.gz" 2>&1)"
works "a tar" "$write" "oci:$scratch/tar:plain" "$scratch/tree.tar"
tap_result "through a pipe" "$("$write" "oci:$scratch/tar:pipe" - <"$scratch/tree.tar.gz" 2>&1)"
tap_result "the pipe's is the file's" "$(diff <("$show" "oci:$scratch/tar:pipe" amd64) <("$show" "oci:$scratch/tar:gz" amd64))"
for suffix in xz bz2; do
    case $suffix in xz) xz -c "$scratch/tree.tar" ;; *) bzip2 -c "$scratch/tree.tar" ;; esac >"$scratch/tree.tar.$suffix"
    refused "a tar that is compressed with $suffix" layer "compressed with" "$write" "oci:$scratch/tar:$suffix" "$scratch/tree.tar.$suffix"
done

# What is not what its digest says: nothing is left.
cp -r "$scratch/source" "$scratch/damaged"
blob=$(awk '/^layer/ { sub("sha256:", "", $2); print $2; exit }' "$scratch/source.txt")
python3 -c '
import sys
with open(sys.argv[1], "r+b") as f:
    f.seek(1000); b = f.read(1); f.seek(1000); f.write(bytes([b[0] ^ 1]))' "$scratch/damaged/blobs/sha256/$blob"
for destination in oci oci-archive docker-archive; do
    if "$write" "$destination:$scratch/from-damaged" "oci:$scratch/damaged:s" >"$scratch/out" 2>"$scratch/log"; then
        echo "it was written" >"$scratch/log"
    fi
    tap_result "a damaged blob to $destination:" "$(grep -vE '\[(digest|layer)\]' "$scratch/log")"
    tap_result "nothing is left of it" "$(cd "$scratch" && ls -d from-damaged .coracle-* 2>/dev/null)"
done
before=$(look "$scratch/same")
refused "a damaged blob to a layout that is there" layer "layer 1 of 2" "$write" "oci:$scratch/same:t" "oci:$scratch/damaged:s"
tap_result "that is as before" "$(diff <(echo "$before") <(look "$scratch/same"); find "$scratch/same" -name '.coracle*')"

# A full disk, at several places of what is written.
# full SIZE DESTINATION: writes to a disk of SIZE, which is mounted over $scratch/small; what is left
# there goes to $scratch/left.
full() {
    # shellcheck disable=SC2016
    unshare -Urm bash -c '
        mount -t tmpfs -o size="$1" none "$2" || exit
        if [ -d "$7" ]; then cp -r "$7" "$2/image"; fi
        cd "$2" && find . -type f -exec sha256sum {} + | sort -k 2 >"$6.before"
        cd "$OLDPWD" && "$3" "$4" "$5" 2>"$6"
        cd "$2" && find . -type f -exec sha256sum {} + | sort -k 2 >"$6.after"' \
        - "$1" "$scratch/small" "$write" "$2" "$tree" "$scratch/log" "${3-}" || true
}
if unshare -Urm true 2>/dev/null; then
    mkdir "$scratch/small"
    hits=0
    for size in 16k 128k 600k 900k; do
        for destination in oci oci-archive docker-archive; do
            full "$size" "$destination:$scratch/small/image"
            if ! grep -q 'no space left \[output\]' "$scratch/log"; then continue; fi
            hits=$((hits + 1))
            tap_result "a disk of $size that is full: nothing of $destination: is left" "$(cat "$scratch/log.after")"
        done
    done
    tap_result "disks were full" "$([ "$hits" -ge 9 ] || echo "$hits times")"
    works "a small layout" "$write" "oci:$scratch/little:x" "$tree/etc"
    hits=0
    for size in 32k 128k 700k; do
        full "$size" "oci:$scratch/small/image:y" "$scratch/little"
        if ! grep -q 'no space left \[output\]' "$scratch/log"; then continue; fi
        hits=$((hits + 1))
        tap_result "a disk of $size that is full: the layout is as before" \
            "$(diff "$scratch"/log.{before,after}; [ -s "$scratch/log.before" ] || echo "it was empty")"
    done
    tap_result "disks were full" "$([ "$hits" -ge 2 ] || echo "$hits times")"
else
    tap_skip "a full disk" "no user namespaces here"
fi
tap_done
