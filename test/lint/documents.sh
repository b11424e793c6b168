#!/bin/bash
# What the documents name exists: the tests of doc/security.md, the files of doc/ARCHITECTURE.md,
# the pages and headings that links lead to. Each threat has a test unless its row says that the
# defence is none of ours.
set -euo pipefail
. "$(dirname "$0")/tap.bash"

document=$srcdir/doc/security.md

# The rows of its tables, a line each: threat|defence|tests. A "|" within a cell there is none.
awk '/^## Threats/ { inside = 1 } inside && /^\| / && !/^\| (threat|---)/' "$document" |
    sed -E 's/^\| //; s/ *\|$//; s/ \| ?/|/g' >"$scratch/rows"

# test_exists NAME: as test/run takes it.
test_exists() {
    local file=${1%%:*} name=
    case $1 in *:*) name=${1#*:} ;; esac
    case $file in
        unit/* | fault/*) [ -z "$name" ] && [ -e "$srcdir/test/$file.c" ] ;;
        fuzz/* | lint/*) [ -z "$name" ] && [ -e "$srcdir/test/$file.sh" ] ;;
        images/*) grep -qsx "def $name(.*):" "$srcdir/test/$file.py" ;;
        *) grep -s '^@test "' "$srcdir/test/e2e/$file.bats" | grep -qF -e "$name" ;;
    esac
}

missing() {
    local threat defence tests name names
    while IFS='|' read -r threat defence tests; do
        mapfile -t names < <(tr '`' '\n' <<<"$tests" | sed -n 'n;p')
        if [ "${#names[@]}" -eq 0 ] && [[ $defence != none[\ :]* ]]; then echo "no test: $threat"; fi
        for name in "${names[@]}"; do
            test_exists "$name" || echo "no such test: $name"
        done
    done
}

tap_result "the tables are found" "$(awk 'END { if (NR < 40) print NR " rows" }' "$scratch/rows")"
tap_result "each row has three cells" "$(awk -F '|' 'NF != 3' "$scratch/rows")"
tap_result "each test of doc/security.md exists, and each threat has one" "$(missing <"$scratch/rows")"

# Paths between backticks; NAME stands for any word.
files_missing() {
    local path
    while read -r path; do
        [ -n "$(cd "$srcdir" && compgen -G "${path//NAME/*}")" ] || echo "no such file: $path"
    done
}

tr '`' '\n' <"$srcdir/doc/ARCHITECTURE.md" |
    grep -xE '(bin|lib|test|doc|examples|debian|m4)/[A-Za-z0-9_./-]*' | sort -u >"$scratch/paths"
tap_result "the paths are found" "$(awk 'END { if (NR < 60) print NR " paths" }' "$scratch/paths")"
tap_result "each file that doc/ARCHITECTURE.md names exists" "$(files_missing <"$scratch/paths")"

# anchors FILE: what its headings are called in links, as GitHub makes it.
anchors() {
    sed -nE 's/^#+ +//p' "$1" | tr '[:upper:]' '[:lower:]' | tr -d '`.,:()/"?[]' | tr ' ' '-'
}

dead_links() {
    local page link file anchor
    for page in "$srcdir"/README.md "$srcdir"/doc/*.md; do
        while read -r link; do
            file=${link%%#*}
            anchor=
            case $link in *#*) anchor=${link#*#} ;; esac
            file=$(dirname "$page")/$file
            case $link in "#"*) file=$page ;; esac
            if [ ! -e "$file" ]; then
                echo "${page##*/}: $link leads nowhere"
            elif [ -n "$anchor" ] && ! anchors "$file" | grep -qxF -e "$anchor"; then
                echo "${page##*/}: $link: no such heading"
            fi
        done < <(grep -oE '\]\([^)]+\)' "$page" | sed 's/^](//; s/)$//' | grep -v '^https\{0,1\}://')
    done
}
tap_result "links between documents lead somewhere" "$(dead_links)"

tap_done
