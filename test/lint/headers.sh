#!/bin/bash
# Each header compiles alone, and twice, with each compiler that is there.
set -euo pipefail
. "$(dirname "$0")/tap.bash"

flags=(-std=gnu11 -Wall -Wextra -Werror -fsyntax-only -I "$srcdir/lib" -I "$srcdir" -x c)

for compiler in gcc clang; do
    if ! command -v "$compiler" >/dev/null; then
        tap_skip "headers with $compiler" "$compiler is not installed"
        continue
    fi
    while read -r header; do
        printf '#include "%s"\n#include "%s"\n' "$header" "$header" >"$scratch/alone.c"
        tap_result "$compiler $header" \
            "$("$compiler" "${flags[@]}" "$scratch/alone.c" 2>&1 || true)"
    done < <(tree_files -name '*.h')
done

tap_done
