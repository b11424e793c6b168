#!/bin/bash
# debian.sh IMAGE: the Debian package is built from what make dist packs, lintian has nothing to
# say, and in IMAGE, a directory with Debian in it, it is installed, runs and is purged without a
# trace. Run in a build folder, as an ordinary user; IMAGE is changed in memory only.
set -euo pipefail

# shellcheck source=test/lint/tap.bash
. "${srcdir:-.}/test/lint/tap.bash"
for tool in dpkg-buildpackage dh lintian; do
    command -v "$tool" >/dev/null || tap_skip_all "$tool is not installed (Debian: debhelper dpkg-dev lintian)"
done
image=$1
program=$PWD/bin/coracle
export HOME=$scratch

# point NAME COMMAND...: the point passes where COMMAND does.
point() {
    local name=$1 wrong=''
    shift
    if ! "$@" >"$scratch/log" 2>&1; then wrong=$(tail -n 30 "$scratch/log"); fi
    tap_result "$name" "$wrong"
    [ -z "$wrong" ]
}

# Other calls of make may use the folder that make dist is used to.
unpacked=$scratch/coracle-$(make_variable PACKAGE_VERSION)
packs() {
    make distdir "distdir=$unpacked" || return 1
    if tree_files ! -name .gitignore ! -name .copied-files | while read -r name; do [ -e "$unpacked/$name" ] || echo "$name"; done | grep .; then
        echo 'make dist leaves these out'
        return 1
    fi
}

builds() {
    # The tests have run; they would run again.
    env -C "$unpacked" "DEB_BUILD_OPTIONS=nocheck parallel=$(nproc)" dpkg-buildpackage -b -us -uc
}

lintian_is_silent() {
    TMPDIR=$scratch lintian --no-cfg --fail-on error,warning "$scratch"/coracle_*.changes
}

holds() {
    local name
    dpkg-deb -c "$scratch"/coracle_*.deb | awk '{ print $1, $2, $6 }' >"$scratch/contents"
    for name in bin/coracle libexec/coracle/coracle-{broker,config,fuse,image,record}; do
        grep -qx -- "-rwxr-xr-x root/root ./usr/$name" "$scratch/contents" || { echo "no /usr/$name"; return 1; }
    done
    if grep -v '^[-d]rw[x-]r-[x-]r-[x-] root/root ./\(usr/.*\)\?$' "$scratch/contents"; then return 1; fi
}

# What a site does, as root of the image: install, run an image and make one, purge.
# shellcheck disable=SC2016 # for the shell inside
life='
set -e
before=$(find / -xdev -path "*coracle*" ! -path "/var/log/*" | sort)
apt-get update
apt-get install -y --no-install-recommends "$1"/coracle_*.deb
coracle --version
[ "$(coracle run --no-home / -- cat /etc/debian_version)" = "$(cat /etc/debian_version)" ]
mkdir -p /tmp/life/bin
cp /usr/bin/coracle /tmp/life/bin/
coracle convert /tmp/life /tmp/life.sqfs
coracle run --unpack /tmp/life.sqfs -- /bin/coracle --version
rm -r /tmp/life /tmp/life.sqfs
dpkg --purge coracle
after=$(find / -xdev -path "*coracle*" ! -path "/var/log/*" | sort)
[ "$before" = "$after" ] || { diff <(echo "$before") <(echo "$after"); exit 1; }
'
lives() {
    "$program" run --root --writable-tmpfs --no-home --bind "$scratch" "$image" -- bash -c "$life" bash "$scratch"
}

if point 'what make dist packs is whole' packs && point 'dpkg-buildpackage builds it' builds; then
    point 'lintian has nothing to say' lintian_is_silent || true
    point 'it holds the programs, which belong to root and have no privilege' holds || true
    point 'in Debian it is installed, runs, and is purged without a trace' lives || true
fi
tap_done
