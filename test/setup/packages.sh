# Debian packages: which are needed, which are missing, how they get in. Sourced
# after say.sh.
# shellcheck shell=bash

# packages_for PURPOSE...: prints the names, one a line.
packages_for() {
    local purpose
    for purpose; do
        case $purpose in
            # autogen.sh, configure and make.
            build) printf '%s\n' gcc make autoconf automake libc6-dev linux-libc-dev musl-tools pkg-config xz-utils \
                libsquashfuse-dev libzstd-dev liblz4-dev liblzma-dev zlib1g-dev ;;
            # What fetches and converts images, without which configure leaves it out.
            images) printf '%s\n' libcurl4-openssl-dev libssl-dev libarchive-dev libzstd-dev libsquashfs-dev libisal-dev zlib1g-dev \
                liblzma-dev libbz2-dev ;;
            # test/images.
            image-tests) printf '%s\n' docker-registry apache2-utils skopeo openssl python3 umoci squashfs-tools buildah podman jq ;;
            # make_image.
            image) printf '%s\n' mmdebstrap fakechroot fakeroot squashfs-tools ;;
            # mpirun on the host starts the ranks.
            mpi) printf '%s\n' openmpi-bin ;;
            # test/slurm. Slurm's plugin for PMIx opens libpmix.so, which only the development package has.
            slurm) printf '%s\n' munge slurmctld slurmd slurm-client libpmix-dev openmpi-bin libopenmpi-dev \
                gcc libc6-dev ;;
            # What the tests are written in, look through and compare with.
            tests) printf '%s\n' bats git valgrind clang clang-format shellcheck strace python3 busybox-static \
                bubblewrap crun runc charliecloud squashfuse fuse3 attr bsdextrautils procps \
                mandoc groff man-db bash-completion zsh fish ;;
            # test/package: debian/control says what else is needed, which build and images have.
            package) printf '%s\n' debhelper dpkg-dev lintian ;;
            # test/vm, with those of image.
            vm) printf '%s\n' qemu-system-x86 busybox-static cpio kmod e2fsprogs \
                xz-utils zstd ;;
            *) die "packages_for: unknown purpose $purpose" ;;
        esac
    done
}

# packages_missing NAME...: prints those that are not installed.
packages_missing() {
    local name installed
    command -v dpkg-query >/dev/null ||
        die "no dpkg-query: this is not a Debian system" "Install what corresponds to: $*"
    installed=$(dpkg-query -W -f '${binary:Package} ${db:Status-Status}\n' "$@" 2>/dev/null |
        sed -n 's/^\([^: ]*\)[^ ]* installed$/\1/p') || true
    for name; do
        grep -qxF -- "$name" <<<"$installed" || printf '%s\n' "$name"
    done
}

# How to become root for apt-get: prints the command in front, fails where there is none.
packages_privilege() {
    if [ "$(id -u)" -eq 0 ]; then
        echo env
    elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 2 ]; }; then
        echo sudo
    else
        return 1
    fi
}

# packages_quietly PRIVILEGE COMMAND...
# Packages of daemons start them where nothing forbids it; we want the programs alone.
packages_quietly() {
    local privilege=$1 policy=/usr/sbin/policy-rc.d
    shift
    (
        # shellcheck disable=SC2016 # expanded by the inner shell
        if [ ! -e "$policy" ] && "$privilege" sh -c 'printf "#!/bin/sh\nexit 101\n" >"$1" && chmod 755 "$1"' sh "$policy"; then
            trap '"$privilege" rm -f "$policy"' EXIT
        fi
        "$@"
    )
}

# packages_install LOG NAME...
# Installs those that are missing; touches neither apt nor sudo where none is.
packages_install() {
    local log=$1 privilege missing
    shift
    mapfile -t missing < <(packages_missing "$@")
    if [ "${#missing[@]}" -eq 0 ]; then return 0; fi
    privilege=$(packages_privilege) || {
        printf 'missing packages: %s\n' "${missing[*]}" >&2
        printf 'Neither root nor sudo here; somebody who is root has to run:\n' >&2
        printf '  apt-get update && apt-get install --no-install-recommends %s\n' "${missing[*]}" >&2
        return 1
    }
    say "Installing packages: ${missing[*]}"
    if [ "$privilege" = sudo ]; then sudo -v || return 1; fi
    # One source that cannot be reached is no reason to stop: the packages may come from the others.
    slow "apt-get update" "$log" "$privilege" apt-get -q update || true
    packages_quietly "$privilege" slow "apt-get install" "$log" "$privilege" DEBIAN_FRONTEND=noninteractive apt-get -q -y \
        --no-install-recommends -o DPkg::Lock::Timeout=120 install "${missing[@]}"
}
