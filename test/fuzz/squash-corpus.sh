#!/bin/bash
# squash-corpus.sh FOLDER: makes the whole images of the corpus anew (mksquashfs
# 4.5.1, on a file system with user attributes). Those beside them that are named
# after what is wrong with them were found by fuzzing.
set -euo pipefail

folder=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

image() {
    local name=$1 tree=$2
    shift 2
    mksquashfs "$tree" "$folder/$name.squashfs" -noappend -no-progress -quiet -nopad -processors 1 \
        -all-root -all-time 0 -mkfs-time 0 "$@" >/dev/null
}

mkdir -p tree/directory/deeper
seq 1 300 >tree/file
printf 'tail' >tree/directory/small
: >tree/directory/empty
ln tree/file tree/directory/deeper/hard
ln -s directory tree/link
ln -s nowhere/at/all tree/dangling
ln -s loop tree/loop
setfattr -n user.short -v value tree/file
setfattr -n user.large -v "$(printf '%0200d' 0)" tree/file
setfattr -n user.large -v "$(printf '%0200d' 0)" tree/directory

for compressor in gzip xz lzo lz4 zstd; do
    image "$compressor" tree -comp "$compressor" -b 4K
done
image plain tree -comp zstd -b 4K -noI -noD -noF -noX
image no-fragments tree -comp gzip -b 4K -no-fragments -no-exports -no-xattrs

mkdir blocks
seq 1 1200 >blocks/file
truncate -s 60000 blocks/file
seq 1 300 >>blocks/file
truncate -s 5G blocks/sparse
image blocks blocks -comp xz -b 1M -no-fragments
rm blocks/sparse
image tails blocks -comp zstd -b 4K -always-use-fragments

mkdir large
for i in $(seq 1 700); do printf 'name-of-an-entry-%04d s 777 0 0 t\n' "$i"; done >list
image index large -comp xz -b 4K -no-exports -pf list
mkdir kinds
mkfifo kinds/fifo
ln -s "$(printf '%0900d' 0)" kinds/long
image kinds kinds -comp gzip -b 4K -p 'null c 666 0 0 1 3' -p 'disk b 660 0 0 8 1'
mkdir empty
image empty empty -comp gzip
