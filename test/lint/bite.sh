#!/bin/bash
# Shows that the lints for layers and purity bite: in a copy of the tree each
# deliberate violation must fail, with a message that names it.
set -euo pipefail
. "$(dirname "$0")/tap.bash"

copy=$scratch/copy

# A fresh copy of what the two lints read.
fresh_copy() {
    rm -rf "$copy"
    mkdir -p "$copy/test" "$copy/objects"
    cp -R "$srcdir/lib" "$srcdir/bin" "$copy"
    cp -R "$srcdir/test/lint" "$copy/test"
    chmod -R u+w "$copy"
    cp Makefile "$copy/objects"
    find lib \( -name 'libcoracle_light_a-*.o' -o -name 'libimages_a-*.o' -o -name 'bin_coracle_broker-*.o' \) -exec cp --parents -t "$copy/objects" {} +
}

# Runs lint $1 on the copy; its output.
lint() {
    (cd "$copy/objects" && srcdir=.. bash ../test/lint/"$1".sh)
}

# expect_failure NAME LINT TEXT: the lint fails and says TEXT.
expect_failure() {
    local output
    if output=$(lint "$2"); then
        tap_result "$1" "$2.sh passes"
    elif grep -qF "$3" <<<"$output"; then
        tap_result "$1" ""
    else
        tap_result "$1" "$2.sh fails without saying: $3
$output"
    fi
}

expect_success() {
    local output
    if output=$(lint "$2"); then
        tap_result "$1" ""
    else
        tap_result "$1" "$output"
    fi
}

# A line more in a source file of the copy.
add_line() {
    printf '%s\n' "$2" >>"$copy/$1"
}

# Compiles a C text to the object of a module in place of its own.
replace_object() {
    local object=$copy/objects/lib/${1%/*}/libcoracle_light_a-${1##*/}.o
    $(make_variable CC) -w -c -o "$object" -x c - <<<"$2"
}

fresh_copy
expect_success "the copy as it is passes layers.sh" layers
add_line lib/plan/env.c '#include "launch/launch.h"'
expect_failure "plan includes launch" layers "lib/plan/env.c: plan must not see launch (launch/launch.h)"

fresh_copy
add_line lib/base/str.c '#include "oci/json-reader.h"'
expect_failure "base includes a room above it" layers "lib/base/str.c: base must not see oci"

fresh_copy
add_line lib/launch/launch.h '#  include "../bin/commands.h"'
expect_failure "lib includes bin" layers 'lib/launch/launch.h: "../bin/commands.h" is not written as'

fresh_copy
add_line bin/cmd-run.c '#include "plan/build.h"'
expect_failure "a private header is included from outside" layers "bin/cmd-run.c: plan/build.h is private to plan"

fresh_copy
add_line test/lint/layers.table "oci host"
expect_failure "a row of layers.table that nothing needs" layers ": oci host"

if [ -n "$(make_variable SANITIZE_CFLAGS)" ]; then
    tap_skip "purity.sh" "sanitizers put calls of their own into every object"
    tap_done
    exit
fi

fresh_copy
expect_success "the copy as it is passes purity.sh" purity
replace_object plan/variables 'int open(const char *, int, ...); int bad(void); int bad(void) { return open("/", 0); }'
expect_failure "plan opens a file" purity "plan/variables needs open, which"

fresh_copy
replace_object oci/image-config 'extern char **environ; char **bad(void); char **bad(void) { return environ; }'
expect_failure "oci reads the environment" purity "oci/image-config needs environ, which"

fresh_copy
replace_object plan/identity 'void log_warning(const char *, ...); void bad(void); void bad(void) { log_warning("x"); }'
expect_failure "plan writes a message" purity "plan/identity calls log_warning() of base/log, which is not pure"

fresh_copy
replace_object base/path 'int getpid(void); int bad(void); int bad(void) { return getpid(); }'
expect_failure "what a pure room stands on asks the system" purity "base/path needs getpid, which"

fresh_copy
add_line test/lint/purity.table "libc strtok"
expect_failure "a row of purity.table that nothing needs" purity ": strtok"

tap_done
