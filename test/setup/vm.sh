# A Debian kernel for qemu, with a first root in memory that loads its modules.
# Sourced after say.sh, image.sh.
#
#   vm_kernel VERSION DIR   DIR/vmlinuz, DIR/initrd
#
# They come from the host's Debian mirror and need neither root nor a mount. Both
# are whole or not there. On failure vm_missing says what is not to be had.
# shellcheck shell=bash
# shellcheck disable=SC2034 # vm_missing is read by test/vm

vm_kernels=(5.10 6.1 6.12 7.2)
vm_modules=(virtio_pci virtio_blk ext4 crc32c_generic fuse overlay squashfs loop autofs4)

vm_release_of() {
    case $1 in
        5.10) echo bullseye ;;
        6.1) echo bookworm ;;
        6.12) echo trixie ;;
        7.2) echo sid ;;
        *) return 1 ;;
    esac
}

# The mirror that has the host's own release: it has the older ones too.
vm_mirror() {
    local list release
    release=$(image_release)
    list=$(mktemp) || return 1
    image_sources "$release" "$list" | while read -r file; do
        sed -nE "s/^(URIs:|deb) *(\[[^]]*\] *)?([a-z]+:[^ ]*)( +$release +.*)?\$/\3/p" "$file"
    done | head -n 1
    rm -f "$list"
}

# Sets vm_apt: options for apt that keep the host's own lists out of it.
vm_set_apt() {
    local dir=$1 release=$2 mirror keys=/usr/share/keyrings/debian-archive-keyring.gpg
    mirror=$(vm_mirror)
    [ -n "$mirror" ] || { echo "no Debian mirror in the host's apt configuration" >&2; return 1; }
    mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial" || return 1
    printf 'deb %s%s %s main\n' "$([ ! -r "$keys" ] || echo "[signed-by=$keys] ")" "$mirror" "$release" >"$dir/sources"
    vm_apt=(-q -o "Dir::Etc::SourceList=$dir/sources" -o Dir::Etc::SourceParts=/nonexistent
        -o "Dir::State::Lists=$dir/lists" -o "Dir::Cache=$dir/cache" -o Debug::NoLocking=1)
}

# The newest package of a kernel, signed or not.
vm_kernel_package() {
    apt-cache "${vm_apt[@]}" search --names-only "^linux-image-${1//./\\.}\." |
        awk '{ print $1 }' | grep -E '[0-9]-amd64(-unsigned)?$' | sort -V | tail -n 1
}

# vm_kernel_parts PACKAGE: itself, and those that newer releases split from it.
vm_kernel_parts() {
    printf '%s\n' "$1"
    apt-cache "${vm_apt[@]}" depends "$1" | sed -nE 's/^ *Depends: (linux-(binary|modules)-[^ ]+)$/\1/p'
}

# vm_download VERSION RELEASE DIR: the files of its packages into DIR/x. Status 3:
# the mirror answers and has no such kernel.
vm_download() {
    local package parts
    vm_set_apt "$3" "$2" || return 1
    apt-get "${vm_apt[@]}" --error-on=any update || return 1
    package=$(vm_kernel_package "$1")
    if [ -z "$package" ]; then
        echo "$2 has no kernel $1 there" >&2
        return 3
    fi
    mapfile -t parts < <(vm_kernel_parts "$package")
    mkdir -p "$3/x/usr/lib" && ln -s usr/lib "$3/x/lib" || return 1 # newer packages know /usr/lib only
    for package in "${parts[@]}"; do
        (cd "$3" && apt-get "${vm_apt[@]}" download "$package" && dpkg-deb --fsys-tarfile "$package"_*.deb |
            tar -x -C x --keep-directory-symlink --exclude='*/kernel/sound' --exclude='*/kernel/net' \
                --exclude='*/kernel/drivers/[!bdv]*') || return 1 # most of it, and nothing that we load
    done
}

# vm_unpack_module FILE DIR: into DIR, without compression; prints its name there.
vm_unpack_module() {
    local name
    name=$(basename "$1")
    case $name in
        *.xz) name=${name%.xz} && xz -dc "$1" >"$2/$name" ;;
        *.zst) name=${name%.zst} && zstd -q -dc "$1" >"$2/$name" ;;
        *) cp "$1" "$2/$name" ;;
    esac && printf '%s\n' "$name"
}

# vm_module_files ROOT BASE: the files of the modules, each after those it needs.
vm_module_files() {
    local module
    for module in "${vm_modules[@]}"; do
        modprobe -d "$1" -S "$2" --show-depends "$module" 2>/dev/null | awk '$1 == "insmod" { print $2 }'
    done | awk '!seen[$0]++'
}

vm_init() {
    cat <<'INIT'
#!/bin/busybox sh
b=/bin/busybox
$b mkdir -p /proc /sys /dev /root
$b mount -t proc proc /proc && $b mount -t devtmpfs dev /dev && $b mount -t sysfs sys /sys
while read -r module; do $b insmod "/modules/$module"; done </load
n=0
until [ -b /dev/vda ] || [ $n -ge 50 ]; do
    $b sleep 0.1
    n=$((n + 1))
done
$b mount -t ext4 /dev/vda /root || { echo "no disk"; $b poweroff -f; }
$b umount /sys
$b umount /proc
$b mount -o move /dev /root/dev
exec $b switch_root /root /sbin/init
INIT
}

# vm_pack DIR: DIR/initrd of what vm_download left.
vm_pack() {
    local dir=$1 root=$1/x first=$1/first base file kernel
    base=$(basename "$root"/lib/modules/*)
    depmod -b "$root" "$base" || return 1
    mkdir -p "$first/bin" "$first/modules" && cp "$(command -v busybox)" "$first/bin/busybox" || return 1
    for file in $(vm_module_files "$root" "$base"); do
        vm_unpack_module "$file" "$first/modules" || return 1
    done >"$first/load"
    vm_init >"$first/init" && chmod +x "$first/init" || return 1
    (cd "$first" && find . | cpio -o -H newc --quiet -R 0:0 | gzip -1) >"$dir/initrd" &&
        kernel=$(find "$root" -name 'vmlinuz*' -type f -print -quit) && # in boot, or with its modules
        cp "$kernel" "$dir/vmlinuz"
}

vm_fetch_kernel() {
    vm_download "$1" "$2" "$3" || return
    vm_pack "$3" || return 4 # ours to mend, where the mirror cannot help it
    rm -rf "$3"/{x,first,lists,cache,sources} "$3"/*.deb
}

vm_kernel() {
    local version=$1 dir=$2 release status=0
    if [ -s "$dir/vmlinuz" ]; then return 0; fi
    release=$(vm_release_of "$version") || { vm_missing="kernel $version is not known here: ${vm_kernels[*]}"; return 1; }
    rm -rf "$dir" "$dir.partial" && mkdir -p "$dir.partial" || return 1
    slow "kernel $version of $release" "$dir.log" vm_fetch_kernel "$version" "$release" "$dir.partial" || status=$?
    if [ "$status" -ne 0 ]; then
        rm -rf "$dir.partial"
        if [ "$status" -eq 4 ]; then die "kernel $version came and cannot be packed, see $dir.log"; fi
        vm_missing="kernel $version could not be fetched from the Debian mirror, see $dir.log"
        if [ "$status" -eq 3 ]; then vm_missing="the Debian mirror no longer has a kernel $version ($release)"; fi
        return 1
    fi
    mv "$dir.partial" "$dir"
}
