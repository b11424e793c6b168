# The Debian image with what a job needs of its own: MPICH, Slurm's client and
# libmunge. Sourced after say.sh.
# shellcheck shell=bash

cluster_packages='mpich slurm-client'
# Headers, without the compilers for other languages that they depend on.
cluster_headers='libmpich-dev libmunge-dev libhwloc-dev libucx-dev'

# The packages are fetched by the image's own apt and only unpacked: their scripts
# want users that are not there.
cluster_script() {
    cat <<END
set -e
export DEBIAN_FRONTEND=noninteractive
apt-get -q update
apt-get -q -y --no-install-recommends --download-only install $cluster_packages
cd /var/cache/apt/archives
apt-get -q download $cluster_headers
for package in *.deb; do dpkg-deb --fsys-tarfile "\$package" | tar -x --keep-directory-symlink -C /; done
rm -rf /var/cache/apt/archives/*.deb /var/lib/apt/lists/*
test -e /usr/bin/mpicc.mpich && test -e /usr/bin/squeue && test -e /usr/include/munge.h
END
}

# cluster_image CORACLE FROM DIR: DIR is whole or not there. Its files are FROM's where they do not differ.
cluster_image() {
    local coracle=$1 from=$2 dir=$3 recipe
    recipe=$(cat "$from.recipe" 2>/dev/null; cluster_script)
    if [ -d "$dir" ] && [ "$(cat "$dir.recipe" 2>/dev/null)" = "$recipe" ]; then return 0; fi
    rm -rf "$dir" "$dir.recipe" "$dir.partial"
    # No links: a file that is written to, as a log is, would change in both.
    cp -a --reflink=auto "$from" "$dir.partial" || return 1
    slow "adding MPICH and Slurm's client to the image" "$dir.log" \
        "$coracle" run --root --write "$dir.partial" -- sh -c "$(cluster_script)" || return 1
    mv "$dir.partial" "$dir" && printf '%s\n' "$recipe" >"$dir.recipe"
}
