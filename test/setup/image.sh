# A real Debian image as a directory: the host's own release from the host's own
# mirror, with Open MPI, a compiler and numpy. Sourced after say.sh.
#
#   make_image DIR
#
# mmdebstrap writes a tar stream, in whichever mode works here, and tar unpacks it.
# A directory made by mmdebstrap itself would not do: in fakechroot mode its
# absolute links begin with the path of the directory, and in unshare mode its
# files belong to subordinate ids, so that their maker could not delete them.
# shellcheck shell=bash

image_packages=openmpi-bin,libopenmpi-dev,gcc,libc6-dev,python3-numpy,tzdata

image_release() {
    # shellcheck source=/dev/null
    (. /etc/os-release && [ "${ID-}" = debian ] && printf '%s\n' "${VERSION_CODENAME-}")
}

# What an image is made from; another text means another image.
image_recipe() {
    printf '2 %s %s\n' "$(image_release)" "$image_packages"
}

# Lines of a sources.list: what the host's apt knows to be Debian, and no other
# repository. Where apt has no lists yet, the host's own files.
image_sources() {
    local release=$1 known file
    # shellcheck disable=SC2016 # apt's placeholders
    known=$(apt-get indextargets --format '$(ORIGIN) deb $(REPO_URI) $(RELEASE) $(COMPONENT)' \
        'Created-By: Packages' 2>/dev/null |
        sed -n "s/^Debian \(deb [a-z]*:[^ ]* ${release}[^ ]* [^ ]*\)\$/\1/p" | grep -v ' cdrom:' | sort -u) || known=
    if [ -n "$known" ]; then
        printf '%s\n' "$known" >"$2"
        printf '%s\n' "$2"
        return
    fi
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/debian.{list,sources}; do
        if [ -s "$file" ]; then printf '%s\n' "$file"; fi
    done
}

# The host's way to its mirror (proxies, checks of dates) as options of mmdebstrap.
image_apt_options() {
    apt-config dump 2>/dev/null |
        sed -n -E '/^Acquire::(https?::|Check-|Retries|ForceIPv)/{/""/!s/^/--aptopt=/p}'
}

# The modes of mmdebstrap that can work here, best first.
image_modes() {
    if [ "$(id -u)" -eq 0 ]; then
        # Root in a container may neither mount nor own files of another id.
        if unshare --mount true 2>/dev/null && image_can_chown; then echo root; fi
    elif command -v newuidmap >/dev/null && mmdebstrap --unshare-helper true 2>/dev/null; then
        echo unshare
    fi
    echo fakechroot
}

image_can_chown() {
    local file status=0
    file=$(mktemp) || return 1
    chown 1:1 "$file" 2>/dev/null || status=1
    rm -f "$file"
    return "$status"
}

# Where mmdebstrap unpacks before it writes the stream: reachable by subordinate
# ids (no home directory is), programs may run there, and there is room.
image_scratch() {
    local dir
    for dir in /tmp /var/tmp; do
        if [ -w "$dir" ] && ! findmnt -n -o OPTIONS -T "$dir" | grep -qw noexec &&
            [ "$(df -P -k "$dir" | awk 'NR == 2 { print $4 }')" -gt 1500000 ]; then
            printf '%s\n' "$dir"
            return
        fi
    done
    echo "no room: mmdebstrap needs 1.5 GB in /tmp or /var/tmp, mounted without noexec" >&2
    return 1
}

# image_bootstrap MODE DIR LIST
# Fills the empty directory DIR; writes the list of sources to LIST, named *.list.
image_bootstrap() {
    local mode=$1 dir=$2 release scratch sources options
    release=$(image_release) || { echo "this host is not a Debian; the image is made from its release" >&2; return 1; }
    scratch=$(image_scratch) || return 1
    mapfile -t sources < <(image_sources "$release" "$3")
    [ "${#sources[@]}" -gt 0 ] || { echo "no Debian mirror in the host's apt configuration" >&2; return 1; }
    mapfile -t options < <(image_apt_options)
    # Set-user-id programs of an image are of use to nobody and would stay behind
    # as set-user-id programs of whoever made it. PATH: a python3 that somebody put
    # first cannot run mmtarfilter. In the background, where a trap need not wait for
    # it; timeout gives mmdebstrap a process group of its own, to be ended as one.
    PATH=/usr/bin:/bin:$PATH TMPDIR=$scratch env --default-signal timeout 0 \
        mmdebstrap --mode="$mode" --variant=apt --format=tar --include="$image_packages" \
        --aptopt='APT::Install-Recommends "false"' "${options[@]}" \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt=force-unsafe-io \
        "$release" - "${sources[@]}" |
        tar -x -C "$dir" --exclude='./dev/*' --same-permissions --no-same-owner &
    image_child=$(jobs -p %%)
    wait %% || return 1
    image_child=
    find "$dir" -type f -perm /6000 -exec chmod ug-s {} + &&
        image_finish "$mode" "$dir"
}

# The host's names and its options for apt and dpkg do not belong in an image.
image_finish() {
    local mode=$1 dir=$2 name
    rm -f "$dir/etc/apt/apt.conf.d/99mmdebstrap" "$dir/etc/dpkg/dpkg.cfg.d/99mmdebstrap"
    for name in hostname hosts resolv.conf; do
        rm -f "$dir/etc/$name" && : >"$dir/etc/$name" || return 1
    done
    image_settle_apt "$dir" || return 1
    if [ "$mode" = fakechroot ]; then
        # Its ldconfig saw links that led nowhere. What the cache misses is still
        # found, only slower, so this may fail.
        unshare --map-root-user /sbin/ldconfig -r "$dir" || true
    fi
    image_check "$dir"
}

# With `coracle run --write --root` only root is mapped: apt cannot become _apt.
image_settle_apt() {
    local dir=$1
    mkdir -p "$dir/etc/apt/apt.conf.d" &&
        printf '// Inside of coracle run --root there is no other user to become.\n%s\n' 'APT::Sandbox::User "root";' \
            >"$dir/etc/apt/apt.conf.d/90coracle"
}

# Programs are there, and no link leads to where the image was made.
image_check() {
    local dir=$1 name stray
    for name in bin/sh usr/bin/python3 usr/bin/mpirun usr/bin/mpicc.openmpi usr/bin/gcc; do
        [ -e "$dir/$name" ] || [ -L "$dir/$name" ] || { echo "the image lacks /$name" >&2; return 1; }
    done
    stray=$(find "$dir" -type l \( -lname '*/mmdebstrap.*' -o -lname "$dir/*" \) -print -quit)
    [ -z "$stray" ] || { echo "$stray is a link to $(readlink "$stray")" >&2; return 1; }
}

# image_is_ready DIR
image_is_ready() {
    [ -d "$1" ] && [ "$(cat "$1.recipe" 2>/dev/null)" = "$(image_recipe)" ]
}

# image_try_modes DIR: makes DIR.partial in the first mode that works.
image_try_modes() {
    local dir=$1 mode
    for mode in $(image_modes); do
        rm -rf "$dir.partial" && mkdir "$dir.partial" || return 1
        say "Making a Debian image with mmdebstrap, mode $mode: $dir"
        if slow "mmdebstrap" "$dir.log" image_bootstrap "$mode" "$dir.partial" "$dir.list"; then return 0; fi
    done
    rm -rf "$dir.partial"
    return 1
}

# image_interrupted STATUS: ends the subshell of make_image. mmdebstrap cleans up behind itself.
image_interrupted() {
    trap '' INT TERM HUP
    if [ -n "$image_child" ]; then
        kill "$image_child" 2>/dev/null || true
        wait "$image_child" 2>/dev/null || true
    fi
    rm -rf "$image_half"
    exit "$1"
}

# make_image DIR
# DIR is whole or not there: it gets its name when complete, and DIR.recipe is
# written after that. Beside it lie DIR.log, DIR.list and DIR.lock.
make_image() {
    local dir=$1
    mkdir -p "$(dirname "$dir")" || return 1
    (
        # Files of the image get the image's modes, whatever the caller's umask.
        umask 022
        exec 9>"$dir.lock"
        flock 9 || exit 1
        if image_is_ready "$dir"; then exit 0; fi
        image_child='' image_half=$dir.partial
        # Else the next mode would be tried: mmdebstrap ends as after any failure.
        trap 'image_interrupted 130' INT
        trap 'image_interrupted 143' TERM
        trap 'image_interrupted 129' HUP
        image_try_modes "$dir" 9>&- || exit 1
        trap '' INT TERM HUP # an old image must not stay as a half
        rm -rf "$dir.recipe" "$dir" && mv "$dir.partial" "$dir" && image_recipe >"$dir.recipe"
    )
}
