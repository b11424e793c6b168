#!/bin/bash
# Directories and SquashFS files as a stream: the same tree gives the same bytes, whatever way
# it goes; what is hostile ends with one error. Needs no privilege.
set -euo pipefail
. "${srcdir:-.}/test/lint/tap.bash"

for tool in unsquashfs mksquashfs python3; do
    if ! PATH=$PATH:/usr/sbin command -v "$tool" >/dev/null; then
        tap_skip_all "$tool is not installed (Debian: apt-get install squashfs-tools python3)"
    fi
done
PATH=$PATH:/usr/sbin
export HOME=$scratch TMPDIR=$scratch
trap 'chmod -R u+rwX "$scratch"; rm -rf "$scratch"' EXIT

stream=test/images/stream-image
flatten=test/images/flatten-layers
user=$(id -u)

# The owners in a SquashFS, each once.
owners() {
    unsquashfs -lln "$1" | grep -oE '^[-dlp][-rwxsStT]{9} [0-9]+/[0-9]+' | cut -d ' ' -f 2 | sort -u
}

# run WHAT SOURCE OUTPUT: makes it; a result only where that fails.
run() {
    "$stream" "$2" "$3" >"$scratch/log" 2>&1 || tap_result "$1" "$(cat "$scratch/log")"
}

# refused NAME SOURCE TEXT...: no output is left, and the error has each TEXT.
refused() {
    local name=$1 source=$2 details=
    shift 2
    if "$stream" "$source" "$scratch/refused/" >/dev/null 2>"$scratch/log"; then details="it was taken"; fi
    for text in "$@"; do
        grep -qF -- "$text" "$scratch/log" || details="no \"$text\" in: $(cat "$scratch/log")"
    done
    [ ! -e "$scratch/refused" ] || details="$details; something is left"
    [ "$(wc -l <"$scratch/log")" -eq 1 ] || details="$details; more than one line"
    tap_result "$name" "$details"
}

make_tree() {
    local tree=$1
    mkdir -p "$tree"/{bin,etc,usr/lib,closed/deeper,.coracle,many}
    head -c 300000 /dev/urandom >"$tree/bin/tool"
    ln "$tree/bin/tool" "$tree/a-link"
    ln "$tree/bin/tool" "$tree/usr/lib/z-link"
    for ((i = 0; i < 200; i++)); do head -c $((i * 1571)) /dev/urandom >"$tree/usr/lib/$i"; done
    for ((i = 0; i < 3000; i++)); do echo "$i" >"$tree/many/$i"; done
    ln -s /etc/passwd "$tree/absolute"
    ln -s ../../.. "$tree/etc/up"
    ln "$tree/absolute" "$tree/etc/same"
    mkfifo -m 640 "$tree/fifo"
    truncate -s 2G "$tree/sparse"
    echo data | dd of="$tree/sparse" bs=1 seek=1G conv=notrunc status=none
    truncate -s 1M "$tree/hole"
    truncate -s 7 "$tree/small-hole"
    echo 1 >"$tree/"$'new\nline'
    echo 2 >"$tree/"$'\xff\xfe'
    echo 3 >"$tree/$(printf 'n%.0s' {1..255})"
    echo 4 >"$tree/é"
    echo 5 >"$tree/closed/deeper/x"
    echo '{}' >"$tree/.coracle/config.json"
    touch -hd @1234567890 "$tree/absolute" "$tree/etc/up" "$tree/fifo"
    chmod 4755 "$tree/bin/tool"
    chmod 2775 "$tree/etc"
    chmod 0 "$tree/closed/deeper/x" "$tree/closed/deeper"
    chmod 400 "$tree/closed"
}

make_tree "$scratch/tree"
has_attributes=
if setfattr -n user.b -v 2 "$scratch/tree/etc" 2>/dev/null; then
    has_attributes=yes
    setfattr -n user.a -v 1 "$scratch/tree/etc"
    setfattr -n user.c "$scratch/tree/bin/tool"
fi
# What can be seen of the tree: it is not all readable.
look() {
    { find "$scratch/tree" -printf '%P %m %T@ %s\n' 2>/dev/null || true; } | sort | sha256sum
}
before=$(look)

run "a directory becomes a SquashFS" "$scratch/tree" "$scratch/first.sqfs"
run "again" "$scratch/tree" "$scratch/again.sqfs"
tap_result "the same directory gives the same bytes" "$(cmp "$scratch/first.sqfs" "$scratch/again.sqfs" 2>&1)"
tap_result "the directory is as before" \
    "$([ "$before" = "$(look)" ] || echo changed)"
cp "$scratch/log" "$scratch/counts"
unsquashfs -lln "$scratch/first.sqfs" 2>/dev/null >"$scratch/list"
for line in "-rwsr-xr-x 0/0 300000 bin/tool" "drwxrwsr-x 0/0 * etc" "d--------- 0/0 * closed/deeper" \
    "---------- 0/0 2 closed/deeper/x" "prw-r----- 0/0 0 fifo" "-rw-r--r-- 0/0 2147483648 sparse"; do
    read -r mode owner size name <<<"$line"
    tap_result "unsquashfs lists $line" "$(awk -v m="$mode" -v o="$owner" -v s="$size" -v n="squashfs-root/$name" \
        '$1 == m && $2 == o && (s == "*" || $3 == s) && $6 == n { found = 1 } END { if (!found) print "it does not" }' \
        "$scratch/list")"
done

# The same tree on other ways.
run "from the SquashFS" "$scratch/first.sqfs" "$scratch/second.sqfs"
tap_result "SquashFS, stream, SquashFS: the same bytes" "$(cmp "$scratch/first.sqfs" "$scratch/second.sqfs" 2>&1)"
"$stream" "$scratch/first.sqfs" - >"$scratch/first.tar" 2>/dev/null
"$stream" "$scratch/tree" - >"$scratch/tree.tar" 2>/dev/null
echo '{}' >"$scratch/config"
for tar in first tree; do
    "$flatten" -j 3 -C "$scratch/config" "$scratch/tar.sqfs" "$scratch/$tar.tar" >"$scratch/log" 2>&1 || true
    tap_result "$tar.tar, SquashFS: the same bytes" "$(cmp "$scratch/first.sqfs" "$scratch/tar.sqfs" 2>&1)"
done
run "to a directory" "$scratch/first.sqfs" "$scratch/copy/"
run "and back" "$scratch/copy" "$scratch/third.sqfs"
tap_result "SquashFS, directory, SquashFS: the same bytes" "$(cmp "$scratch/first.sqfs" "$scratch/third.sqfs" 2>&1)"
tap_result "what is not ASCII says so, and nothing else does" \
    "$([ "$(grep -ac hdrcharset=BINARY "$scratch/tree.tar")" = 2 ] || grep -ac hdrcharset "$scratch/tree.tar")"
if [ "$has_attributes" ]; then
    tap_result "attributes are kept" "$(for a in user.a user.b; do grep -aq "SCHILY.xattr.$a=" "$scratch/tree.tar" || echo "$a"; done)"
else
    tap_skip "attributes are kept" "the file system of $scratch has none"
fi

# The peers' SquashFS: other block sizes, tails in fragments, devices and sockets.
mkdir "$scratch/other"
for ((i = 0; i < 90; i++)); do head -c $((i * 2111)) /dev/urandom >"$scratch/other/$i"; done
python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$scratch/other/s" || true
mksquashfs "$scratch/other" "$scratch/other.sqfs" -noappend -quiet -no-progress -b 16K -comp gzip \
    -p 'null c 666 0 0 1 3' -p 'owned d 2750 4294967 33' >"$scratch/log" 2>&1 || true
run "one of mksquashfs" "$scratch/other.sqfs" "$scratch/other-1.sqfs"
tap_result "devices and sockets are counted" "$(grep -q 'devices 1 sockets 1' "$scratch/log" || cat "$scratch/log")"
run "again" "$scratch/other-1.sqfs" "$scratch/other-2.sqfs"
tap_result "of mksquashfs: the same bytes from then on" "$(cmp "$scratch/other-1.sqfs" "$scratch/other-2.sqfs" 2>&1)"
unsquashfs -q -n -d "$scratch/other-out" "$scratch/other-1.sqfs" >"$scratch/log" 2>&1 || true
rm -f "$scratch/other/s"
rm -rf "$scratch/other-out/owned"
tap_result "and the same contents" "$(diff -r "$scratch/other" "$scratch/other-out" 2>&1 | head -5)"
tap_result "owners are those of the image" \
    "$(unsquashfs -lln "$scratch/other-1.sqfs" | grep -q '^drwxr-s--- 4294967/33 .*owned$' || echo lost)"

# A SIF around it: header, one descriptor, the partition.
python3 - "$scratch/first.sqfs" "$scratch/first.sif" <<'END'
import struct, sys
image = open(sys.argv[1], "rb").read()
start = 32768
head = b"#!/usr/bin/env run-singularity\n".ljust(32, b"\0") + b"SIF_MAGIC\0" + b"01\0" + b"02\0" + bytes(16)
head += struct.pack("<qq", 0, 0) + struct.pack("<qqqqqq", 0, 1, 4096, 585, start, len(image))
entry = struct.pack("<iBIII", 0x4004, 1, 1, 0xF0000001, 0) + struct.pack("<qqqqqqq", start, len(image), len(image), 0, 0, 0, 0)
entry += bytes(128) + struct.pack("<ii", 1, 2) + b"02\0"
file = bytearray(start)
file[0:len(head)] = head
file[4096:4096 + len(entry)] = entry
open(sys.argv[2], "wb").write(bytes(file) + image)
END
if "$stream" "$scratch/first.sif" "$scratch/sif.sqfs" >"$scratch/log" 2>&1; then
    tap_result "a SIF: the same bytes" "$(cmp "$scratch/first.sqfs" "$scratch/sif.sqfs" 2>&1)"
else
    tap_result "a SIF: the same bytes" "$(cat "$scratch/log")"
fi

# Owners that a directory cannot show, from a layer in the order of names.
python3 "$srcdir/test/images/owners.py" "$scratch/owners.tar"
"$flatten" -C "$scratch/config" "$scratch/direct.sqfs" "$scratch/owners.tar" >"$scratch/log" 2>&1
"$flatten" -C "$scratch/config" "$scratch/owners/" "$scratch/owners.tar" >"$scratch/log" 2>&1
run "a directory with a record" "$scratch/owners" "$scratch/recorded.sqfs"
tap_result "layer, directory, SquashFS: the bytes of layer, SquashFS" \
    "$(cmp "$scratch/direct.sqfs" "$scratch/recorded.sqfs" 2>&1)"
tap_result "there are many owners in it" \
    "$([ "$(owners "$scratch/recorded.sqfs" | wc -l)" -gt 300 ] || echo no)"
run "a record again" "$scratch/recorded.sqfs" "$scratch/owners-again/"
tap_result "the record is the same" "$(diff "$scratch"/owners{,-again}/.coracle/owners.mtree 2>&1 | head -3)"
mv "$scratch/owners/.coracle/owners.mtree" "$scratch/record"
run "without it" "$scratch/owners" "$scratch/root.sqfs"
tap_result "without a record all is root's" \
    "$([ "$(owners "$scratch/root.sqfs")" = 0/0 ] || echo no)"

# Hostile records.
hostile_record() {
    printf '%b' "$2" >"$scratch/owners/.coracle/owners.mtree"
    refused "a record: $1" "$scratch/owners" "owners.mtree" "[image-damaged]"
}
hostile_record "an owner that no system has" '#mtree\n./etc type=dir uid=-2 gid=0 mode=0755\n'
hostile_record "a number that is too large" '#mtree\n./etc type=dir uid=4294967296 gid=0 mode=0755\n'
hostile_record "no mtree at all" '\0\0\0\0\0\0'
printf '#mtree\n./etc type=file uid=7 gid=7 mode=4755\n./../../etc/passwd type=file uid=7\n./nothing uid=8\n' \
    >"$scratch/owners/.coracle/owners.mtree"
run "a record of other things" "$scratch/owners" "$scratch/others.sqfs"
tap_result "a record of what is not there, or something else, changes nothing" \
    "$(cmp "$scratch/root.sqfs" "$scratch/others.sqfs" 2>&1)"
rm "$scratch/owners/.coracle/owners.mtree"
truncate -s 65M "$scratch/owners/.coracle/owners.mtree"
refused "a record without an end" "$scratch/owners" "owners.mtree" "[image-unreadable]"
rm "$scratch/owners/.coracle/owners.mtree"
mkfifo "$scratch/owners/.coracle/owners.mtree"
refused "a record that is a fifo" "$scratch/owners" "owners.mtree" "[image-unreadable]"
rm "$scratch/owners/.coracle/owners.mtree"
ln -s "$scratch/record" "$scratch/owners/.coracle/owners.mtree"
refused "a record that is a link" "$scratch/owners" "owners.mtree" "[image-unreadable]"

# Directories that are hostile, or not ours.
refused "no such directory" "$scratch/nowhere" "nowhere" "[image-missing]"
mkdir -p "$scratch/sockets/d"
python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$scratch/sockets/s"
run "a socket" "$scratch/sockets" "$scratch/sockets.sqfs"
tap_result "a socket is left out and counted" "$(grep -q 'sockets 1' "$scratch/log" || cat "$scratch/log")"
if [ "$user" = 0 ]; then
    tap_skip "what is another's and closed is named" "root reads everything"
else
    mkdir "$scratch/foreign"
    closed=$(find /root /etc/ssl/private -maxdepth 0 ! -readable -type d 2>/dev/null | head -n 1)
    if [ "$closed" ]; then
        refused "what is another's and closed is named" "$closed" "$closed" "permission denied" "[image-unreadable]"
    else
        tap_skip "what is another's and closed is named" "nothing here is"
    fi
fi
python3 - "$scratch/deep" <<'END'
import os, sys
os.mkdir(sys.argv[1])
os.chdir(sys.argv[1])
for _ in range(2100):
    os.mkdir("d")
    os.chdir("d")
END
refused "a tree that is too deep" "$scratch/deep" "[limit]"
python3 - "$scratch/deep" <<'END'
import os, sys
os.chdir(sys.argv[1])
depth = 0
while os.path.isdir("d"):
    os.chdir("d")
    depth += 1
while depth:
    os.chdir("..")
    os.rmdir("d")
    depth -= 1
    if depth == 2040:
        break
END
run "a tree as deep as may be" "$scratch/deep" "$scratch/deep.sqfs"
tap_result "a tree as deep as may be" "$(unsquashfs -lln "$scratch/deep.sqfs" | wc -l | grep -qx 2041 || echo no)"

# Mounts beneath, in a namespace of ours.
mkdir -p "$scratch/mounts/proc" "$scratch/mounts/inner"
: >"$scratch/mounts/file"
if unshare -Urm true 2>/dev/null; then
    # shellcheck disable=SC2016
    unshare -Urm bash -c 'mount -t tmpfs none "$1/proc" && echo no >"$1/proc/x" &&
        mount --bind "$2" "$1/inner" && mount --bind /etc/passwd "$1/file" && "$3" "$1" "$4" 2>"$5"' \
        - "$scratch/mounts" "$scratch/other" "$stream" "$scratch/mounts.sqfs" "$scratch/log" || true
    tap_result "mounts are not entered, and counted" \
        "$(grep -q 'entries 3 .*mounts 3 ' "$scratch/log" || cat "$scratch/log")"
    tap_result "nor are they in it" "$(unsquashfs -l "$scratch/mounts.sqfs" | grep -E 'proc/|inner/|file' || true)"
else
    tap_skip "mounts are not entered, and counted" "no user namespaces here"
fi

# What changes while it is read: a file that grows is never taken as it was.
mkdir "$scratch/growing"
head -c 60M /dev/zero >"$scratch/growing/file"
(while echo more >>"$scratch/growing/file" 2>/dev/null; do :; done) &
writer=$!
hits=0
for ((i = 0; i < 5; i++)); do
    if ! "$stream" "$scratch/growing" - 2>"$scratch/log" >/dev/null && grep -q 'changed while' "$scratch/log"; then
        hits=$((hits + 1))
    fi
done
kill "$writer"
wait "$writer" 2>/dev/null || true
tap_result "what grows while it is read is an error" "$([ "$hits" -gt 0 ] || cat "$scratch/log")"

# 40,000 names in one directory.
mkdir "$scratch/wide"
python3 -c '
import os, sys
for i in range(40000):
    os.close(os.open(sys.argv[1] + "/%d" % i, os.O_CREAT | os.O_WRONLY))' "$scratch/wide"
run "40,000 names" "$scratch/wide" "$scratch/wide.sqfs"
tap_result "40,000 names" "$(grep -q 'entries 40001 ' "$scratch/log" || cat "$scratch/log")"
run "40,000 names from the SquashFS" "$scratch/wide.sqfs" "$scratch/wide-2.sqfs"
tap_result "40,000 names: the same bytes" "$(cmp "$scratch"/wide{,-2}.sqfs 2>&1)"

# A reader that goes away ends the thread; nothing hangs.
# shellcheck disable=SC2016
tap_result "a reader that goes away" "$(timeout 20 bash -c '"$1" "$2" - 2>/dev/null | head -c 1000 >/dev/null' - "$stream" \
    "$scratch/tree" || echo "status $?")"

# Damaged SquashFS.
head -c 100000 "$scratch/first.sqfs" >"$scratch/cut.sqfs"
refused "a SquashFS that is cut off" "$scratch/cut.sqfs" "cut.sqfs" "[image-damaged]"
echo text >"$scratch/text"
refused "a file of something else" "$scratch/text" "text" "[image-unknown]"
tap_done
