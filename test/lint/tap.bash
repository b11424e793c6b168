# shellcheck shell=bash
# What the lints share: the source directory, a place to write, and TAP.
#
# A lint is called in the build directory; `make check` sets srcdir.

srcdir=${srcdir:-$(dirname "$0")/../..}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/coracle-lint.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

tap_run=0
tap_failed=0

# tap_result NAME DETAILS: passed where DETAILS is empty, else failed, with DETAILS as diagnostics.
tap_result() {
    tap_run=$((tap_run + 1))
    if [ -z "$2" ]; then
        echo "ok $tap_run - $1"
        return
    fi
    tap_failed=$((tap_failed + 1))
    echo "not ok $tap_run - $1"
    printf '# %s\n' "${2//$'\n'/$'\n'# }"
}

# tap_skip NAME REASON
tap_skip() {
    tap_run=$((tap_run + 1))
    echo "ok $tap_run - $1 # SKIP $2"
}

tap_skip_all() {
    echo "1..0 # SKIP $1"
    exit 0
}

tap_done() {
    echo "1..$tap_run"
    [ "$tap_failed" -eq 0 ]
}

# The value of a variable of the build's Makefile.
make_variable() {
    sed -n "s/^$1 *= *//p" Makefile | head -n 1
}

# The files of the tree that people write, relative to $srcdir: those that the
# find(1) expression in "$@" chooses.
tree_files() {
    (cd "$srcdir" && find . \
        -type d \( -name .git -o -name .deps -o -name autom4te.cache -o -name build-aux -o -path './build*' \
        -o -path './_*' -o -path ./test/fuzz/corpus \) -prune -o \
        -type f ! -name '*~' ! -name '*.o' ! -name '*.log' ! -name '*.trs' ! -name .dirstamp \
        ! -path ./configure ! -path ./aclocal.m4 ! -path ./Makefile ! -path ./Makefile.in ! -path ./config.status \
        \( "$@" \) -printf '%P\n' | sort)
}
