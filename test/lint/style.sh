#!/bin/bash
# Layout of C by clang-format, shell scripts by shellcheck, subjects of commits,
# and what no file may hold.
set -euo pipefail
. "$(dirname "$0")/tap.bash"

tree_files ! -name '' >"$scratch/all"
tree_files -name '*.[ch]' >"$scratch/c"

# Shell scripts by name or first line.
while read -r file; do
    case $file in
    *.sh | *.bash) echo "$file" ;;
    *.*) ;;
    *) if head -n 1 "$srcdir/$file" | grep -qaE '^#!.*(bash|/sh)'; then echo "$file"; fi ;;
    esac
done <"$scratch/all" >"$scratch/shell"

# Runs a tool in $srcdir on the files of a list; its complaints.
complaints() {
    local list=$1
    shift
    (cd "$srcdir" && xargs -d '\n' "$@" <"$list" 2>&1) || true
}

if command -v clang-format >/dev/null; then
    tap_result "clang-format" "$(complaints "$scratch/c" clang-format --dry-run -Werror | grep -E ': (error|warning):|^error' || true)"
else
    tap_skip "clang-format" "clang-format is not installed"
fi

if command -v shellcheck >/dev/null; then
    tap_result "shellcheck" "$(complaints "$scratch/shell" shellcheck -x -P SCRIPTDIR -f gcc)"
else
    tap_skip "shellcheck" "shellcheck is not installed"
fi

if [ -e "$srcdir/.git" ] && command -v git >/dev/null; then
    tap_result "subjects of commits have at most 72 characters" \
        "$(git -c safe.directory='*' -C "$srcdir" log --format=%s 2>&1 | awk 'length > 72' || true)"
else
    tap_skip "subjects of commits" "this is not a git repository"
fi

# The words are put together here, so that this file does not hold them.
tap_result "nothing is left to do" \
    "$(complaints "$scratch/all" grep -nIwE "TO""DO|FIX""ME|X""XX")"
grep -v '^test/golden/cases/.*/env-file$' "$scratch/all" >"$scratch/code"
tap_result "no trailing blanks" "$(complaints "$scratch/code" grep -nIE '[[:blank:]]+$')"
tap_done
