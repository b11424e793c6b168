#!/bin/bash
# What the program accepts, what --help says and what the documentation explains
# are the same: commands, options, CORACLE_* variables, error identifiers.
set -euo pipefail
. "$(dirname "$0")/tap.bash"

coracle=bin/coracle
cat "$srcdir"/README.md "$srcdir"/doc/*.md >"$scratch/documentation"

# The rows of an option table, a line each: NAME VARIABLE, "-" where there is none.
option_rows() {
    awk '/ struct opt_row .*\{$/ { inside = 1; next } /^\};/ { inside = 0 } inside' "$1" | format_rows
}

format_rows() {
    tr -d '\\\n' | grep -oE '\{ *"--[^}]*\}' | sed -E 's/^\{ *"(--[a-z-]+)"(.*)$/\1 \2/' |
        awk '{ name = $1; variable = "-"; if (match($0, /"CORACLE_[A-Z_]+"/)) variable = substr($0, RSTART + 1, RLENGTH - 2); print name, variable }'
}

# The commands in the table of main().
commands() {
    awk '/ struct command .*\{$/ { inside = 1; next } /^\};/ { inside = 0 } inside' "$srcdir/bin/coracle.c" |
        sed -nE 's/^ *\{"([a-z-]+)",.*/\1/p'
}

# Whether the documentation has a word, which may hold "-", between other characters.
is_documented() {
    grep -qE -e "(^|[^A-Za-z0-9_-])$1([^A-Za-z0-9_-]|\$)" "$scratch/documentation"
}

undocumented() {
    local word
    while read -r word; do
        is_documented "$word" || echo "$word is not in README.md or doc/*.md"
    done
}

option_rows "$srcdir/bin/launch-options.c" >"$scratch/rows"
cut -d ' ' -f 1 "$scratch/rows" | sort >"$scratch/options"
cut -d ' ' -f 2 "$scratch/rows" | grep -v '^-$' | sort >"$scratch/variables"
commands | sort >"$scratch/commands"

tap_result "the tables are found" "$(awk 'FNR == 1 { files++ } END { if (files < 3 || NR < 40) print NR " lines in " files " lists" }' \
    "$scratch/options" "$scratch/variables" "$scratch/commands")"

"$coracle" --help | sed -nE 's/^  ([a-z-]+) .*/\1/p' | sort >"$scratch/listed"
tap_result "coracle --help lists the commands of the table" "$(diff "$scratch/commands" "$scratch/listed" || true)"

# The options of a command: of its own table, or those of a launch, or of these only what concerns a process.
options_of() {
    local own=$srcdir/bin/cmd-$1.c kept
    if [ ! -e "$own" ] && [ -e "$srcdir/bin/coracle-$1.c" ]; then
        option_rows "$srcdir/bin/coracle-$1.c" | cut -d ' ' -f 1 | sort # a program of its own
        return
    elif [ ! -e "$own" ]; then
        # Of coracle-image, which has some options in common for all.
        {
            option_rows "$srcdir/bin/image-$1.c"
            if grep -q OUTPUT_OPTIONS "$srcdir/bin/image-$1.c"; then format_rows <"$srcdir/bin/image-output-options.h"; fi
        } | cut -d ' ' -f 1 | sort
        return
    fi
    kept=$(sed -nE 's/.*PROCESS_ROWS = ([0-9]+).*/\1/p' "$srcdir/bin/launch-options.c")
    if grep -q 'struct opt_row rows' "$own"; then
        option_rows "$own"
    elif grep -q launch_options_read_process "$own"; then
        tail -n "$kept" "$scratch/rows"
    else
        cat "$scratch/rows"
    fi | cut -d ' ' -f 1 | sort
}

while read -r command; do
    if [ -e "$srcdir/bin/image-$command.c" ] && [ ! -x bin/coracle-image ]; then continue; fi # no libraries for it
    "$coracle" "$command" --help | sed -nE 's/^  (-.,|   ) (--[a-z-]+).*/\2/p' | sort >"$scratch/listed"
    tap_result "coracle $command --help lists the options of the table" \
        "$(diff <(options_of "$command") "$scratch/listed" || true)"
done <"$scratch/commands"

tap_result "every command is documented" "$(sed 's/^/coracle /' "$scratch/commands" | undocumented)"
tap_result "every option is documented" "$({ cat "$scratch/options" && options_of convert && options_of pull && options_of login && options_of logout; } | sort -u | undocumented)"
tap_result "every variable is documented" "$(undocumented <"$scratch/variables")"

# And nothing is documented that does not exist.
{
    cat "$scratch/variables"
    grep -rhoE '"CORACLE_[A-Z_]+"' "$srcdir"/lib "$srcdir"/bin "$srcdir"/test "$srcdir"/examples | tr -d '"'
} | sort -u >"$scratch/known"
tap_result "every documented variable exists" \
    "$(grep -oE 'CORACLE_[A-Z_]+[A-Z]' "$scratch/documentation" | sort -u | comm -23 - "$scratch/known" | sed 's/$/ does not exist/')"

sed -nE 's/^ERROR\([A-Z_]+, "([a-z-]+)", [0-9]+\).*/\1/p' "$srcdir/lib/base/errors.def" | sort >"$scratch/errors"
sed -nE 's/^### ([a-z-]+).*/\1/p' "$srcdir/doc/errors.md" | sort >"$scratch/explained"
tap_result "the error identifiers are found" "$(awk 'END { if (NR < 20) print "only " NR " were found" }' "$scratch/errors")"
tap_result "doc/errors.md explains every error identifier, and no other" \
    "$(diff "$scratch/errors" "$scratch/explained" || true)"

tap_done
