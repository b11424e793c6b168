#!/bin/sh
# Prints the C file that marks each of our programs with the build that it is of: the version, and a
# digest of the sources, of nothing else, so that a build can be repeated elsewhere.
# Usage: build-mark.sh SRCDIR VERSION
set -eu

digest=$(cd "$1" && find lib bin -type f \( -name '*.[ch]' -o -name '*.def' \) | LC_ALL=C sort |
    xargs sha256sum | sha256sum | cut -c 1-16)

cat <<END
/* Made by bin/build-mark.sh. */
extern const char build_mark[];
const char build_mark[] __attribute__((used, retain)) = "coracle build mark $2 $digest";
END
