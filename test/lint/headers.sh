#!/bin/bash
# Each header compiles alone, and twice, with each compiler that is there.
set -euo pipefail
. "$(dirname "$0")/tap.bash"

flags=(-std=gnu11 -Wall -Wextra -Werror -fsyntax-only -I "$srcdir/lib" -I "$srcdir" -x c)

mapfile -t headers < <(tree_files -name '*.h')
alone=()
for header in "${headers[@]}"; do
    alone+=("$scratch/${header//\//-}.c")
    printf '#include "%s"\n#include "%s"\n' "$header" "$header" >"${alone[-1]}"
done

for compiler in gcc clang; do
    if ! command -v "$compiler" >/dev/null; then
        tap_skip "headers with $compiler" "$compiler is not installed"
        continue
    fi
    # All at once; where something is wrong, each by itself, to say of which.
    all=passes
    "$compiler" "${flags[@]}" "${alone[@]}" 2>/dev/null || all=fails
    for header in "${headers[@]}"; do
        said=
        [ "$all" = passes ] || said=$("$compiler" "${flags[@]}" "$scratch/${header//\//-}.c" 2>&1 || true)
        tap_result "$compiler $header" "$said"
    done
done

tap_done
