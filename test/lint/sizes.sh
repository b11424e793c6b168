#!/bin/bash
# No file has more than 600 lines, no function more than 100; what is usual is
# printed as a note.
set -euo pipefail
. "$(dirname "$0")/tap.bash"

# Lines "LENGTH FILE" of every source and script.
tree_files -name '*.[ch]' -o -name '*.sh' -o -name '*.bash' -o -name '*.bats' -o -name '*.awk' -o -name '*.m4' \
    -o -name '*.am' -o -path './examples/*' -o -path './test/bench/launch' -o -path './test/run' |
    (cd "$srcdir" && xargs awk '{ lines[FILENAME]++ } END { for (name in lines) print lines[name], name }') >"$scratch/files"

# Lines "LENGTH FILE:LINE" of every C function, from the line of its name to its
# closing brace. clang-format puts both braces of a function into column one.
tree_files -name '*.[ch]' | (cd "$srcdir" && xargs awk '
    FNR == 1 { start = head = 0 }
    /^\{$/ { start = FNR - head; next }
    /^\}$/ { if (start) print FNR - start + 1, FILENAME ":" start; start = head = 0; next }
    /^[^ \t#\/*}]/ { head = 1; next }
    /^[ \t]+[^ \t*]/ && head { head++; next }
    { head = 0 }') >"$scratch/functions"

# The N-th percentile of the first column of a file.
percentile() {
    sort -n "$2" | awk -v percent="$1" '{ value[NR] = $1 } END { print value[int((NR - 1) * percent / 100) + 1] }'
}

# Prints what is usual and judges the lengths in a file.
judge() {
    local what=$1 list=$2 limit=$3
    echo "# $what: $(wc -l <"$list"), median $(percentile 50 "$list"), p90 $(percentile 90 "$list") lines"
    tap_result "no $what of more than $limit lines" \
        "$(sort -rn "$list" | awk -v limit="$limit" '$1 > limit { print $2 " has " $1 " lines" }')"
}

tap_result "there are functions to look at" \
    "$(awk 'END { if (NR < 200) print "only " NR " were found" }' "$scratch/functions")"
judge "file" "$scratch/files" 600
judge "function" "$scratch/functions" 100
tap_done
