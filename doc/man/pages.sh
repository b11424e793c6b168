#!/bin/sh
# pages.sh TABLES DIRECTORY - makes the manual pages in DIRECTORY: one for each command in TABLES, and
# those of pages.table. VERSION, DATE and AWK are in the environment.
#
# A command's page is its prose, doc/man/coracle-COMMAND.md, with the options under its heading
# "## Options". Without prose it is what --help says.
# shellcheck disable=SC2016 # what stands in single quotes is for awk
set -eu
export LC_ALL=C
tables=$1
directory=$2
source=$(dirname "$0")
tab='	'
AWK=${AWK:-awk}
trap 'rm -f "$directory/inserted" "$directory/links" "$directory/prose.md"' EXIT

# title NAME SECTION WHAT
title() {
    printf '.\\" Made by doc/man/pages.sh.\n'
    printf '.TH %s %s "%s" "coracle %s" "Coracle"\n' "$(echo "$1" | tr '[:lower:]' '[:upper:]')" "$2" "$DATE" "$VERSION"
    printf '.nh\n.ad l\n.SH NAME\n%s \\- %s\n' "$(echo "$1" | sed 's/-/\\-/g')" "$3"
}

# synopsis COMMAND: words in small letters and options are typed as they are.
synopsis() {
    echo .SH SYNOPSIS
    "$AWK" -F '\t' -v command="$1" '
        $1 == "usage" && $2 == command {
            text = $3
            gsub(/-/, "\\-", text)
            if (count++)
                print ".br"
            # The name of the command, then the rest.
            match(text, /^coracle [a-z]+/)
            print "\\fB" substr(text, 1, RLENGTH) "\\fR" substr(text, RLENGTH + 1)
        }' "$tables"
}

convert() {
    "$AWK" -v pages="$directory/links" "$@"
}

# Prose for a command that has none of its own: what --help says.
prose_of_help() {
    printf '## Description\n\n'
    "$AWK" -F '\t' -v command="$1" '$1 == "about" && $2 == command { gsub(/[*`[]/, "", $3); sub(/^ +/, "", $3); print $3 }' "$tables"
    printf '\n## Options\n\n## See also\n\n`coracle(1)`\n'
}

command_page() {
    prose=$source/coracle-$1.md
    if [ ! -e "$prose" ]; then
        prose=$directory/prose.md
        prose_of_help "$1" >"$prose"
    fi
    title "coracle-$1" 1 "$2"
    synopsis "$1"
    "$AWK" -f "$source/options.awk" -v command="$1" "$tables" >"$directory/inserted"
    convert -v insert=Options -v file="$directory/inserted" -f "$source/markdown.awk" "$prose"
}

main_page() {
    title coracle 1 "run programs in container images"
    printf '.SH SYNOPSIS\n\\fBcoracle\\fR COMMAND [OPTIONS] ...\n'
    "$AWK" -F '\t' '$1 == "command" { print ".TP\n\\fBcoracle\\-" $2 "\\fR(1)\n" toupper(substr($3, 1, 1)) substr($3, 2) "." }' \
        "$tables" >"$directory/inserted"
    convert -v insert=Commands -v file="$directory/inserted" -f "$source/markdown.awk" "$source/coracle.md"
}

mkdir -p "$directory"
rm -f "$directory"/*.[1-8]
# Which documents are pages: links to them become the page's name.
"$AWK" '/^[a-z]/ { for (i = 3; $i !~ /^-$/; i++) { n = $i; sub(/.*\//, "", n); print n, $1 "(" $2 ")" } }' \
    "$source/pages.table" >"$directory/links"

main_page >"$directory/coracle.1"
sed -n "s/^command$tab//p" "$tables" | while IFS=$tab read -r name help; do
    command_page "$name" "$help" >"$directory/coracle-$name.1"
done

# A line: NAME SECTION DOCUMENT... - WHAT
grep '^[a-z]' "$source/pages.table" | while read -r name section rest; do
    set --
    for document in ${rest%% - *}; do set -- "$@" "$source/../$document"; done
    {
        title "$name" "$section" "${rest#* - }"
        convert -f "$source/markdown.awk" "$@"
    } >"$directory/$name.$section"
done
