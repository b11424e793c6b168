#!/bin/bash
# Layers become an image: what unsquashfs finds in it, what coracle runs of it, and that
# umoci makes the same tree. Needs no privilege.
set -euo pipefail
. "${srcdir:-.}/test/lint/tap.bash"

for tool in umoci unsquashfs python3; do
    if ! command -v "$tool" >/dev/null; then
        tap_skip_all "$tool is not installed (Debian: apt-get install umoci squashfs-tools python3)"
    fi
done
export HOME=$scratch/home TMPDIR=$scratch
mkdir -p "$HOME"

flatten=test/images/flatten-layers

# Two layers: a shell, and what says so; the upper one hides a file and has a setuid program.
make_layers() {
    local busybox
    busybox=$(command -v busybox) || return 1
    mkdir -p "$scratch"/lower/{bin,etc,proc,sys,dev,tmp,opt} "$scratch"/upper/{etc,bin}
    cp "$busybox" "$scratch/lower/bin/busybox"
    ln -s busybox "$scratch/lower/bin/sh"
    ln "$scratch/lower/bin/busybox" "$scratch/lower/bin/cat"
    echo hidden >"$scratch/lower/etc/hidden"
    echo lower >"$scratch/lower/etc/both"
    echo upper >"$scratch/upper/etc/both"
    : >"$scratch/upper/etc/.wh.hidden"
    cp "$busybox" "$scratch/upper/bin/su"
    chmod 4755 "$scratch/upper/bin/su"
    tar -C "$scratch/lower" --owner=7:7 --group=8:8 -czf "$scratch/lower.tar.gz" .
    tar -C "$scratch/upper" --owner=0:0 --group=0:0 -cf "$scratch/upper.tar" .
    echo '{"architecture":"amd64","os":"linux","config":{"Cmd":["/bin/cat","/etc/both"]},"rootfs":{"type":"layers","diff_ids":[]}}' \
        >"$scratch/config.json"
}

if ! make_layers; then tap_skip_all "busybox is not installed (Debian: apt-get install busybox-static)"; fi
digest="sha256:$(sha256sum "$scratch/lower.tar.gz" | cut -d ' ' -f 1)"
diff_id="sha256:$(zcat "$scratch/lower.tar.gz" | sha256sum | cut -d ' ' -f 1)"

tap_result "two layers become a file" \
    "$("$flatten" -C "$scratch/config.json" "$scratch/image.sqfs" "$scratch/lower.tar.gz=$digest=$diff_id" "$scratch/upper.tar" 2>&1 |
        grep -v '^entries' || true)"
unsquashfs -lln "$scratch/image.sqfs" | awk '{ print $1, $2, $6 }' >"$scratch/list"
for line in "-rwsr-xr-x 0/0 squashfs-root/bin/su" "-rwxr-xr-x 7/8 squashfs-root/bin/cat" \
    "lrwxrwxrwx 7/8 squashfs-root/bin/sh" "-rw-r--r-- 0/0 squashfs-root/.coracle/config.json"; do
    tap_result "unsquashfs lists $line" "$(grep -qxF -- "$line" "$scratch/list" || cat "$scratch/list")"
done
tap_result "what is hidden is not there" "$(grep hidden "$scratch/list" || true)"
unsquashfs -q -n -d "$scratch/tree" "$scratch/image.sqfs" >"$scratch/log" 2>&1 || true
tap_result "the configuration is in it, byte for byte" \
    "$(cmp "$scratch/tree/.coracle/config.json" "$scratch/config.json" 2>&1)"

for threads in 1 2 8; do
    "$flatten" -j "$threads" -C "$scratch/config.json" "$scratch/again.sqfs" "$scratch/lower.tar.gz" "$scratch/upper.tar" >"$scratch/log"
    tap_result "the same bytes with $threads threads" "$(cmp "$scratch/image.sqfs" "$scratch/again.sqfs" 2>&1)"
done

got=$(bin/coracle run "$scratch/image.sqfs" 2>&1) || true
if [[ $got = *"[fuse]"* || $got = *"[userns-disabled]"* || $got = *"[server]"* ]]; then
    tap_skip "coracle runs it" "$got"
else
    tap_result "coracle runs it" "$([ "$got" = upper ] || echo "$got")"
fi

"$flatten" "$scratch/wrong.sqfs" "$scratch/lower.tar.gz=${digest/%?/x}" 2>"$scratch/log" || true
tap_result "a digest that is none: nothing is left" "$(ls "$scratch/wrong.sqfs" 2>/dev/null; grep -vF '[digest]' "$scratch/log" || true)"
head -c 100000 "$scratch/lower.tar.gz" >"$scratch/cut.tar.gz"
"$flatten" "$scratch/wrong/" "$scratch/cut.tar.gz" 2>"$scratch/log" || true
tap_result "a layer that is cut off: nothing is left" "$(ls -d "$scratch"/wrong "$scratch"/.coracle-* 2>/dev/null; grep -vF '[layer]' "$scratch/log" || true)"

python3 "$srcdir/test/images/flatten_random.py" 1 40 >"$scratch/random" || true
while IFS= read -r line; do
    tap_result "${line#*ok ? - }" "$([[ $line = ok* ]] || grep '^#' "$scratch/random")"
done < <(grep -E '^(not )?ok' "$scratch/random")
tap_done
