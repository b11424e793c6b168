#!/bin/sh
# tables.sh CORACLE - what the program has of commands and options, for pages and completion:
# lines of fields with a tab between.
#
#   command NAME HELP
#   usage COMMAND LINE
#   about COMMAND LINE
#   option COMMAND NAME LETTER KIND VALUE-NAME VARIABLE HOW HELP    (see opt.h)
#
# A command whose program was not built, for want of libraries, is left out.
set -eu
export LC_ALL=C
coracle=$1
AWK=${AWK:-awk}
CORACLE_HELP=table
export CORACLE_HELP

commands=$("$coracle" help)
printf '%s\n' "$commands" | while IFS='	' read -r word name help; do
    [ "$word" = command ] || { echo "tables.sh: what is $word?" >&2; exit 1; }
    status=0
    text=$("$coracle" "$name" --help) || status=$?
    case $status in
    0) ;;
    125) echo "coracle $name has no page and no completion" >&2; continue ;;
    *) exit 1 ;;
    esac
    printf 'command\t%s\t%s\n' "$name" "$help"
    # shellcheck disable=SC2016 # for awk
    printf '%s\n' "$text" | "$AWK" -v command="$name" '
        BEGIN { part = "usage" }
        /^option\t/ { part = "options"; sub(/^option/, "option\t" command); print; next }
        part == "usage" && /^$/ { part = "about"; next }
        part == "usage" { sub(/^Usage: |^ +/, ""); print "usage\t" command "\t" $0 }
        part == "about" && !/^$/ { print "about\t" command "\t" $0 }'
done
