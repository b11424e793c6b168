# Building the tree out of tree, only what changed. Sourced after say.sh.
# shellcheck shell=bash

# configure makes no build folder of a tree that is configured itself.
build_refuse_in_place() {
    local tree=$1
    if [ -e "$tree/config.status" ]; then
        die "$tree is configured in place, which rules build folders out" \
            "Undo that: make -C ${tree@Q} distclean"
    fi
}

# True where configure is missing or older than what it is made from. Once there
# is a Makefile, make sees to that.
build_needs_autogen() {
    local tree=$1
    [ ! -x "$tree/configure" ] || [ ! -e "$tree/Makefile.in" ] ||
        [ -n "$(find "$tree" -name .git -prune -o -name 'build*' -prune -o \
            \( -name configure.ac -o -name '*.m4' -o -name 'Make*.am' \) \
            -newer "$tree/configure" ! -name aclocal.m4 -print -quit)" ]
}

# build_tree TREE BUILD LOG WHAT [CONFIGURE-ARG...]
# Makes the programs of TREE in the folder BUILD. WHAT names the build in messages.
build_tree() {
    local tree=$1 build=$2 log=$3 what=$4
    shift 4
    # configure and make cannot cope with blanks and the like, PATH not with a colon.
    if [[ $tree$build =~ [^A-Za-z0-9_./+,@%=~-] ]]; then
        printf 'cannot build in "%s": move the tree to a path of plain characters\n' "$build" >&2
        return 1
    fi
    mkdir -p "$build" || return 1
    if build_needs_autogen "$tree"; then
        slow "autogen.sh" "$log" "$tree/autogen.sh" || return 1
    fi
    if [ ! -e "$build/Makefile" ] || [ "$(cat "$build/configure-args" 2>/dev/null)" != "$*" ]; then
        # What was made with other arguments is not what these would make.
        if [ -e "$build/Makefile" ]; then make -s -C "$build" clean >/dev/null 2>&1 || true; fi
        rm -f "$build/configure-args"
        slow "configure ($what)" "$log" env -C "$build" "$tree/configure" "$@" || return 1
        printf '%s\n' "$*" >"$build/configure-args"
    fi
    slow "make ($what)" "$log" make -C "$build" -j "$(nproc)"
}

# build_with_tests TREE BUILD LOGS WHAT [CONFIGURE-ARG...]: the programs and the test
# programs, with what is printed in the folder LOGS.
build_with_tests() {
    local tree=$1 build=$2 logs=$3 what=$4
    shift 4
    build_tree "$tree" "$build" "$logs/build-$what.log" "$what" "$@" &&
        slow "test programs ($what)" "$logs/check-$what.log" \
            make -C "$build" -j "$(nproc)" check TESTS=
}

# build_packed BUILD TREE FOLDER LOGS [CONFIGURE-ARG...]: what `make dist` packs in BUILD becomes a TREE, is
# built in FOLDER and installed.
build_packed() {
    local build=$1 tree=$2 folder=$3 logs=$4
    shift 4
    make -C "$build" distdir "distdir=$tree" &&
        build_tree "$tree" "$folder" "$logs/build-packed.log" packed "$@" &&
        make -C "$folder" install
}
