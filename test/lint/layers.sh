#!/bin/bash
# Compares each #include "..." of lib/ and bin/ with layers.table.
set -euo pipefail
. "$(dirname "$0")/tap.bash"

table=$srcdir/test/lint/layers.table

# Lines FILE ROOM HEADER for each include of ours.
includes() {
    (cd "$srcdir" && find lib bin -name '*.[ch]' -exec grep -H '^ *# *include *"' {} +) |
        sed -E 's,^((lib/)?([^/]+)/[^:]*): *# *include *"([^"]*)".*,\1 \3 \4,'
}

includes >"$scratch/includes"

# How many includes there are, so that a lint that finds nothing is noticed.
tap_result "there are includes to look at" \
    "$(awk 'END { if (NR < 50) print "only " NR " were found" }' "$scratch/includes")"

tap_result "every include is allowed" "$(awk '
    FILENAME == ARGV[1] { if ($1 == "private") private[$2] = 1; else allowed[$1, $2] = NF == 2; next }
    { room = $3; sub("/.*", "", room) }
    $3 !~ "/" && $2 == "bin" { next }
    $3 ~ /\.\.\// || $3 !~ "/" { print $1 ": \"" $3 "\" is not written as room/header.h"; next }
    room != $2 && !((($2, room) in allowed)) { print $1 ": " $2 " must not see " room " (" $3 ")"; next }
    room != $2 && $3 in private { print $1 ": " $3 " is private to " room }
' "$table" "$scratch/includes")"

tap_result "every row of the table is needed" "$(awk '
    FILENAME == ARGV[1] { if (NF && $1 !~ /^#/) rows[$1 == "private" ? $2 : $1 " " $2] = FNR; next }
    { room = $3; sub("/.*", "", room); delete rows[$2 " " room]; delete rows[$3] }
    END { for (row in rows) print "layers.table:" rows[row] ": " row }
' "$table" "$scratch/includes")"

tap_done
