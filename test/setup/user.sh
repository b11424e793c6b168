# Tests run as an ordinary user: root makes one, gives it a copy of the tree and
# becomes it. Sourced after say.sh.
# shellcheck shell=bash

user_name=coracle-test

# Makes the user where there is none; prints its home directory.
user_home() {
    local home
    if ! getent passwd "$user_name" >/dev/null; then
        mkdir -p /home && chmod go+rx /home
        useradd --create-home --home-dir "/home/$user_name" --user-group --shell /bin/bash "$user_name" >&2 || return 1
    fi
    # With a second group, for the tests of supplementary groups.
    groupadd --force "$user_name-more" && usermod --append --groups "$user_name-more" "$user_name" || return 1
    home=$(getent passwd "$user_name" | cut -d : -f 6)
    [ "$(stat -c %U "$home" 2>/dev/null)" = "$user_name" ] || {
        echo "the home directory $home of $user_name is missing or not its own" >&2
        return 1
    }
    printf '%s\n' "$home"
}

# user_prefix HOME
# Prints, separated by NUL, the words before a command that the user is to run in
# an environment as after a login; a proxy stays known.
user_prefix() {
    local home=$1 name environment=()
    for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY TERM; do
        if [ -n "${!name-}" ]; then environment+=("$name=${!name}"); fi
    done
    # The bounding set stays: newuidmap, which mmdebstrap uses, needs it.
    printf '%s\0' env -C "$home" -i "HOME=$home" "USER=$user_name" "LOGNAME=$user_name" SHELL=/bin/bash \
        LANG=C.UTF-8 PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin "${environment[@]}" \
        setpriv --reuid "$user_name" --regid "$user_name" --init-groups --inh-caps=-all \
        bash -c 'umask 022; exec "$@"' bash
}

# The files of a checkout, separated by NUL: tracked, and new ones that are not ignored.
user_tree_files() {
    local tree=$1
    # Git distrusts a checkout of another owner, which for root is any but its own.
    git -c safe.directory='*' -C "$tree" ls-files -z --cached --others --exclude-standard 2>/dev/null |
        (cd "$tree" && while IFS= read -r -d '' file; do
            if [ -e "$file" ] || [ -L "$file" ]; then printf '%s\0' "$file"; fi
        done)
}

# Without git or outside a checkout: everything but what a build leaves.
user_all_files() {
    (cd "$1" && find . -path ./.git -prune -o -path './build*' -prune -o -name autom4te.cache -prune -o \
        ! -type d -printf '%P\0')
}

# user_pack TREE LIST: a tar, with the modes that a checkout has by umask 022.
user_pack() { tar -C "$1" --null --no-recursion --mode=u=rwX,go=rX -T "$2" -c -f -; }

# user_differences TREE LIST COPY PREFIX...: what tar says of those of LIST that COPY lacks or has otherwise.
# The times of a new checkout say nothing.
user_differences() {
    local tree=$1 list=$2 copy=$3
    shift 3
    user_pack "$tree" "$list" |
        "$@" env LC_ALL=C tar -C "$copy" --compare --quoting-style=literal -f - 2>&1 |
        grep -vE ': (Mod time|[UG]id) differs$' || true
}

# user_copy_files TREE LIST COPY PREFIX...: they are new there.
user_copy_files() {
    local tree=$1 list=$2 copy=$3
    shift 3
    user_pack "$tree" "$list" | "$@" tar -C "$copy" -x -m -f -
}

# user_copy_tree TREE COPY PREFIX...
# Brings COPY up to date. What has changed is new there, the rest as old as it was, so that make does what
# is needed. PREFIX is put before the commands that write COPY, and makes its owner.
user_copy_tree() {
    local tree=$1 copy=$2 list changed old=$2/.copied-files
    shift 2
    list=$(mktemp) && changed=$(mktemp) || return 1
    user_tree_files "$tree" >"$list" || true
    if [ ! -s "$list" ]; then user_all_files "$tree" >"$list"; fi
    "$@" mkdir -p "$copy" || return 1
    # What is no longer in the tree must not be built.
    if [ -e "$old" ]; then
        sort -z "$list" | comm -z -13 - "$old" | "$@" xargs -0 -r env -C "$copy" rm -f -- || return 1
    fi
    user_differences "$tree" "$list" "$copy" "$@" | sed -E 's/^tar: //; s/: ((Warning: )?Cannot .*|[A-Z][a-z ]* differs?)$//' |
        tr '\n' '\0' | sort -z -u | comm -z -12 - <(sort -z "$list") >"$changed"
    user_copy_files "$tree" "$changed" "$copy" "$@" || return 1
    # Should tar have said something else.
    if [ -n "$(user_differences "$tree" "$list" "$copy" "$@")" ]; then
        user_copy_files "$tree" "$list" "$copy" "$@" || return 1
    fi
    sort -z "$list" | "$@" tee "$old" >/dev/null
    rm -f "$list" "$changed"
}
