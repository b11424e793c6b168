#!/bin/bash
# Manual pages: there is one for each command of the table, it has the options that the command
# takes, every error has its paragraph, and tools that format pages have nothing to say.
# What makes them refuses what it does not know.
# shellcheck disable=SC2016 # what stands in single quotes is markdown and make
set -euo pipefail
. "$(dirname "$0")/tap.bash"

coracle=bin/coracle
pages=doc/man/pages
env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s doc/man/stamp >"$scratch/log" 2>&1 || { cat "$scratch/log" >&2; exit 1; }
if [ ! -e doc/man/tables ]; then tap_skip_all "coracle was built for another machine"; fi

# The commands that were built: their help says what they take.
CORACLE_HELP=table "$coracle" help | cut -f 2 | while read -r command; do
    if "$coracle" "$command" --help >"$scratch/help.$command" 2>/dev/null; then echo "$command"; fi
done >"$scratch/commands"
tap_result "commands are found" "$(awk 'END { if (NR < 7) print "only " NR }' "$scratch/commands")"

tap_result "every command has a page, and no other" "$(diff <(sed 's/.*/coracle-&.1/; $a coracle.1' "$scratch/commands" | sort) \
    <(cd "$pages" && printf '%s\n' *.1 | sort) || true)"
tap_result "every command has prose of its own" \
    "$(while read -r command; do [ -e "$srcdir/doc/man/coracle-$command.md" ] || echo "doc/man/coracle-$command.md is missing"; done <"$scratch/commands")"

# Roff without fonts and escapes.
plain() {
    sed -E 's/\\f[BIR]//g; s/\\-/-/g; s/\\e/\\/g'
}

while read -r command; do
    page=$pages/coracle-$command.1
    tap_result "coracle-$command(1) has the options of --help" "$(diff \
        <(sed -nE 's/^  (-., |    )(--[^ ]+( [^ ]+)?)( .*)?$/\1\2/p' "$scratch/help.$command" | sed 's/^ *//' | sort) \
        <(sed -n '/^\.SH "OPTIONS"/,/^\.SH/{/^\.TP/{n;p}}' "$page" | plain | grep -e '^-' | sort) || true)"
    tap_result "coracle-$command(1) has the usage of --help" "$(diff \
        <(sed '/^$/,$d; s/^Usage: //; s/^ *//' "$scratch/help.$command") \
        <(sed -n '/^\.SH SYNOPSIS/,/^\.SH "/p' "$page" | plain | grep -v '^\.') || true)"
    tap_result "coracle help $command is its --help" "$(diff "$scratch/help.$command" <("$coracle" help "$command") || true)"
done <"$scratch/commands"

while IFS=$'\t' read -r name; do
    for section in DESCRIPTION "EXIT STATUS" EXAMPLES "SEE ALSO"; do
        if ! grep -qxF ".SH \"$section\"" "$pages/coracle-$name.1"; then echo "coracle-$name.1 has no $section"; fi
    done
done <"$scratch/commands" >"$scratch/missing"
tap_result "every command's page has the usual sections" "$(cat "$scratch/missing")"

for tool in mandoc groff; do
    if ! command -v $tool >/dev/null; then
        tap_skip "pages without a warning of $tool" "$tool is not installed"
        continue
    fi
    tap_result "pages without a warning of $tool" "$(for page in "$pages"/*; do
        case $tool in
        mandoc) mandoc -T lint -W warning "$page" || true ;;
        groff) groff -man -ww -z "$page" 2>&1 ;;
        esac
    done)"
done

# Every error of the code has a paragraph, and no other has.
sed -nE 's/^ERROR\([A-Z_]+, "([a-z-]+)", [0-9]+\).*/\1/p' "$srcdir/lib/base/errors.def" | sort >"$scratch/errors"
awk '/^\.SS / { name = $2; gsub(/"/, "", name); next } /^\.SH/ { name = "" } name != "" && !/^\./ { words[name] += NF }
    END { for (name in words) if (words[name] > 8) print name }' "$pages/coracle-errors.7" | sort >"$scratch/explained"
tap_result "the errors are found" "$(awk 'END { if (NR < 20) print "only " NR }' "$scratch/errors")"
tap_result "coracle-errors(7) has a paragraph for every error, and no other" "$(diff "$scratch/errors" "$scratch/explained" || true)"

# A page that another names is there.
tap_result "pages that are named exist" "$(grep -hoE 'coracle(\\-[a-z]+|\.toml)?\([1-8]\)' "$pages"/* | sort -u | sed 's/[\]//' |
    sed -E 's/\((.)\)/.\1/' | while read -r page; do
    if [ ! -e "$pages/$page" ] && ! [[ $page == *.1 && ! -x bin/coracle-image ]]; then echo "$page does not exist"; fi
done)"

# --- the converter --------------------------------------------------------------

convert() {
    printf '%b' "$1" | LC_ALL=C awk -f "$srcdir/doc/man/markdown.awk" "${@:2}" 2>&1
}

# refuses NAME TEXT: it fails, and says where.
refuses() {
    local output
    if output=$(convert "$2"); then
        tap_result "refused is $1" "it is accepted: $output"
    else
        tap_result "refused is $1" "$(grep -qE '^(-|/dev/stdin)?:[0-9]+: ' <<<"$output" || echo "$output")"
    fi
}

refuses "a quotation" '> text\n'
refuses "a numbered list" '1. text\n'
refuses "a picture" '![text](x.svg)\n'
refuses "bold" 'some **text**\n'
refuses "a fence" '```\ntext\n```\n'
refuses "code without an end" 'some `text\n'
refuses "a deep heading" '#### Title\n'
refuses "HTML" '<b>text</b>\n'
refuses "a row that is too short" '| a | b |\n| --- | --- |\n| c |\n'
refuses "what is not ASCII" 'gr\303\274n\n'
tap_result "a heading that is missing is told" "$(if convert 'text\n' -v insert=Options -v file=/dev/null >/dev/null; then echo accepted; fi)"
tap_result "text is never a macro" "$(diff <(printf '.PP\n\\&.TH \\fB.so\\fR \\eX\n.PP\n\\&'"'"'x\n') <(convert '.TH `.so` \\X\n\n'"'"'x\n') || true)"
tap_result "code keeps its dashes and quotes" \
    "$(diff <(printf '.PP\n.RS 4\n.nf\na \\-b \\(aqc\\(aq\n\n\\&.d\n.fi\n.RE\n') <(convert '    a -b '"'c'"'\n\n    .d\n') || true)"

# --- the installation -----------------------------------------------------------

if env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s install-pages mandir=/man "DESTDIR=$scratch" >"$scratch/log" 2>&1; then
    tap_result "make install installs the pages" "$(diff <(cd "$pages" && printf '%s\n' * | sed 's|.*\.\(.\)$|man\1/&|' | sort) \
        <(find "$scratch/man" -type f -printf '%P\n' | sort) || true)"
    if command -v man >/dev/null; then
        tap_result "man finds coracle-run" "$(man -M "$scratch/man" -w coracle-run 2>&1 | grep -v '/man1/coracle-run.1$' || true)"
    else
        tap_skip "man finds coracle-run" "man is not installed"
    fi
else
    tap_result "make install installs the pages" "$(cat "$scratch/log")"
fi
tap_done
