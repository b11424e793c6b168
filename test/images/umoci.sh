#!/bin/bash
# Entry by entry, our SquashFS of an image is the tree that `umoci unpack` makes as root: names,
# types, modes, owners, times, links, extended attributes and contents. The images are made by
# umoci and buildah. Run as root, or by a user with subordinate ids, who is root among those; there
# nobody can make devices.
set -euo pipefail

for tool in umoci buildah skopeo unsquashfs setfattr getfattr setcap zstd jq; do
    if ! PATH=$PATH:/usr/sbin:/sbin command -v "$tool" >/dev/null; then
        echo "1..0 # SKIP $tool is not installed (Debian: umoci buildah skopeo squashfs-tools attr libcap2-bin zstd jq)"
        exit 0
    fi
done
if [ "$(id -u)" -ne 0 ]; then
    if ! unshare --map-auto --map-root-user -- true 2>/dev/null; then
        echo "1..0 # SKIP neither root nor a user with subordinate ids (subuid(5)) whom newuidmap serves"
        exit 0
    fi
    exec unshare --map-auto --map-root-user -- bash "$0" "$@"
fi
export PATH=$PATH:/usr/sbin:/sbin
# shellcheck source=test/lint/tap.bash
. "${srcdir:-.}/test/lint/tap.bash"

# So that nothing of the user's is read or left: policy, storage, blob cache.
export HOME=$scratch/home XDG_RUNTIME_DIR=$scratch/run XDG_DATA_HOME=$scratch/data XDG_CONFIG_HOME=$scratch/config
export XDG_CACHE_HOME=$scratch/cache TMPDIR=$scratch/tmp _CONTAINERS_USERNS_CONFIGURED="done"
unset _CONTAINERS_ROOTLESS_UID STORAGE_DRIVER CONTAINERS_STORAGE_CONF
mkdir -p "$HOME" "$XDG_RUNTIME_DIR" "$TMPDIR"
umask 022
program=$PWD/bin/coracle
cd "$scratch"

quietly() {
    "$@" >log 2>&1 || {
        echo "Bail out! $*: $(tail -n 3 log | xargs)"
        exit 1
    }
}

# --- what is in the images -----------------------------------------------------------

can_make_devices() { mknod null-test c 1 3 2>/dev/null && rm null-test; }

# fill DIRECTORY: one of each kind.
fill() {
    mkdir -p "$1"/{bin,etc,lib,srv/closed,opt/app,tmp,var/cache/old,replaced-by-file/below,opaque/inner}
    (
        cd "$1"
        head -c 300000 /dev/urandom >lib/random
        head -c 200000 /dev/urandom >lib/other
        truncate -s 3000000 lib/hole
        echo end >>lib/hole
        echo one | tee etc/kept etc/hidden etc/changed etc/mode-only replaced-by-file/below/x file-to-directory opaque/a \
            opaque/inner/b var/cache/old/c opt/app/linked >/dev/null
        : >etc/empty
        ln opt/app/linked opt/app/link-of-it
        ln opt/app/linked bin/and-elsewhere
        ln -s ../etc/kept bin/link
        ln -s /nowhere bin/dangling
        ln bin/dangling bin/link-of-a-link
        mkfifo srv/fifo
        printf x >"etc/$(printf 'n%.0s' {1..240})"
        mkdir -p "$(printf 'deep-directory-of-a-long-name/%.0s' {1..12})"
        printf x >$'etc/\xc3\xa4 name\twith "all"'
        cp lib/other bin/su && cp lib/other bin/cap && cp lib/other bin/group
        chown 1000:1001 etc/kept bin/link && chown 65000:65000 srv && chown -h 12:34 bin/dangling
        chmod 4755 bin/su && chmod 2755 bin/group && chmod 1777 tmp && chmod 2770 srv/closed && chmod 0 etc/hidden && chmod 700 opt
        setfattr -n user.color -v blue etc/kept
        setfattr -n user.binary -v 0x00ff00 lib/random
        setfattr -n user.directory -v yes opt/app
        setcap cap_net_raw+ep bin/cap
        if can_make_devices; then
            mknod srv/null c 1 3
            mknod srv/disk b 8 0
        fi
        touch -h -d '1999-12-31 23:59:59' bin/link etc/changed
        touch -d '2001-02-03 04:05:06.789' lib/random
        touch -d '1970-01-01 00:00:00 UTC' etc/empty opt/app
    )
}

# change DIRECTORY: as another layer would.
change() {
    (
        cd "$1"
        rm etc/hidden bin/link-of-a-link
        rm -r replaced-by-file var/cache/old
        echo now a file >replaced-by-file
        rm file-to-directory && mkdir file-to-directory && echo x >file-to-directory/x
        echo two >etc/changed
        chmod 4711 etc/mode-only
        ln opt/app/linked opt/app/third-link
        ln lib/random lib/link-of-lower
        setfattr -x user.color etc/kept
        setfattr -n user.color -v red etc/empty
        setcap -r bin/cap
        chown 7:8 tmp
        ln -sfn /etc bin/link
        rm -r opaque && mkdir opaque && echo new >opaque/new
    )
}

# --- images --------------------------------------------------------------------------

umoci_layer() { # COMMAND: changes the rootfs, which becomes a layer
    rm -rf bundle
    quietly umoci unpack --image by-umoci:image bundle
    "$1" bundle/rootfs
    quietly umoci repack --image by-umoci:image bundle
    rm -rf bundle
}

make_by_umoci() {
    quietly umoci init --layout by-umoci
    quietly umoci new --image by-umoci:image
    umoci_layer fill
    umoci_layer change
    # The tar that 0.4.7 writes then has no padding behind its last file, and no end.
    echo inserted >inserted
    quietly umoci insert --image by-umoci:image inserted /etc/inserted
    quietly umoci insert --image by-umoci:image --whiteout /etc/kept
}

buildah_layer() { # IMAGE COMMAND NAME
    local container mounted
    container=$("${buildah[@]}" from "$1" 2>log) || quietly "${buildah[@]}" from "$1"
    mounted=$("${buildah[@]}" mount "$container")
    "$2" "$mounted"
    quietly "${buildah[@]}" commit --format oci "$container" "$3"
    quietly "${buildah[@]}" rm "$container"
}


make_by_buildah() {
    local container
    buildah=(buildah --storage-driver vfs --root "$scratch/graph" --runroot "$scratch/run/graph")
    buildah_layer scratch fill localhost/one
    buildah_layer localhost/one change localhost/two
    quietly "${buildah[@]}" push localhost/two oci:by-buildah:image
    # An index with this architecture and another, which has one layer less.
    container=$("${buildah[@]}" from localhost/one)
    quietly "${buildah[@]}" config --arch s390x "$container"
    quietly "${buildah[@]}" commit --format oci "$container" localhost/other
    quietly "${buildah[@]}" manifest create localhost/both
    quietly "${buildah[@]}" manifest add localhost/both localhost/other
    quietly "${buildah[@]}" manifest add localhost/both localhost/two
    quietly "${buildah[@]}" manifest push --all localhost/both oci:index:both
}

# with_zstd FROM TO: the same layers compressed with zstd, which umoci 0.4.7 does not read; the
# diffIDs in the configuration are the same.
with_zstd() {
    local manifest digest new
    cp -r "$1" "$2"
    manifest=$(jq -r '.manifests[0].digest' "$2/index.json")
    jq -c . "$2/blobs/${manifest/://}" >manifest
    while read -r digest; do
        zcat "$2/blobs/${digest/://}" | zstd -q -3 -c >layer
        new=$(sha256sum <layer | cut -d ' ' -f 1)
        jq -c --arg old "$digest" --arg new "sha256:$new" --argjson size "$(stat -c %s layer)" \
            '.layers |= map(if .digest == $old then {mediaType: "application/vnd.oci.image.layer.v1.tar+zstd", digest: $new, size: $size} else . end)' \
            manifest >changed && mv changed manifest
        rm "$2/blobs/${digest/://}" && mv layer "$2/blobs/sha256/$new"
    done < <(jq -r '.layers[].digest' manifest | sort -u)
    new=$(sha256sum <manifest | cut -d ' ' -f 1)
    jq -c --arg new "sha256:$new" --argjson size "$(stat -c %s manifest)" '.manifests[0] += {digest: $new, size: $size}' \
        "$2/index.json" >changed && mv changed "$2/index.json"
    mv manifest "$2/blobs/sha256/$new"
}

# --- comparing -----------------------------------------------------------------------

# Not devices, which only root can make and we leave out, nor our copy of the configuration.
shown=(-path ./.coracle -prune -o ! -type b ! -type c)

# list DIRECTORY: all that is to be the same. Layers may have fractions of seconds, a SquashFS has
# none. No layer of buildah's lists the root, which then has no time: ours is that of the newest.
list() {
    (
        cd "$1"
        find . "${shown[@]}" \( -type d -printf '%p %y %m %U:%G 0 %l %T@\n' -o -printf '%p %y %m %U:%G %n %l %T@\n' \) |
            sed 's/\.[0-9]*$//; s/^\(\. d .*\) [0-9]*$/\1/' | sort
        find . "${shown[@]}" -type f -print0 | sort -z | xargs -0 sha256sum
        find . "${shown[@]}" ! -type l -print0 | sort -z | xargs -0 getfattr -h -d -m - -e hex 2>/dev/null
        # Names of one inode.
        find . "${shown[@]}" ! -type d -links +1 -printf '%i %p\n' | sort |
            awk '{if ($1 != last) print "--"; last = $1; sub(/^[^ ]* /, ""); print}' |
            group_links
    )
}

# Groups, each sorted, in the order of their first names: numbers of inodes are none of the tree's.
group_links() {
    awk '/^--$/ {if (group) print group; group = ""; next} {group = group " " $0} END {if (group) print group}' | sort
}

# same NAME UMOCIS-IMAGE OURS
same() {
    rm -rf theirs ours ours.sqfs
    quietly umoci unpack --image "$2" theirs
    tap_result "$1: converted" "$("$program" convert "$3" ours.sqfs 2>&1 | grep -v 'device nodes of the image were left out' || true)"
    quietly unsquashfs -n -d ours ours.sqfs
    list theirs/rootfs >theirs.list
    list ours >ours.list
    tap_result "$1: $(wc -l <ours.list) lines are as umoci unpacks them" "$(diff theirs.list ours.list || true)"
    [ "$(wc -l <ours.list)" -gt 75 ] || tap_result "$1: enough was compared" "$(cat ours.list)"
}

make_by_umoci
same "made by umoci" by-umoci:image oci:by-umoci:image
make_by_buildah
same "made by buildah" by-buildah:image oci:by-buildah:image
cp ours.sqfs gzip.sqfs
with_zstd by-buildah by-zstd
tap_result "the same layers with zstd: the same file, to the byte" \
    "$("$program" convert oci:by-zstd:image zstd.sqfs 2>&1 | grep -v 'device nodes'; cmp gzip.sqfs zstd.sqfs 2>&1)"
quietly "$program" convert oci:index:both index.sqfs
tap_result "of an index what is for this machine" "$(cmp gzip.sqfs index.sqfs 2>&1)"
tap_result "of an index what --platform names" "$("$program" convert --platform linux/s390x oci:index:both other.sqfs 2>&1 | grep -v 'device nodes'
    unsquashfs -l other.sqfs | grep -q 'var/cache/old/c' || echo 'it is not the other one')"
tap_done
