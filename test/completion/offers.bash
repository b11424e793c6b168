# offers.bash FILE <LINES: what bash offers at the end of each line, with the completion in FILE: a line
# "LINE<tab>OFFER" for each. Words are cut as readline cuts them.
# shellcheck shell=bash
# shellcheck source=/dev/null
. "$1"
read -ra rule < <(complete -p coracle)

while IFS= read -r line; do
    mapfile -t COMP_WORDS < <(grep -oE '[^ =:]+|[=:]+' <<<"$line")
    if [[ $line == *" " ]]; then COMP_WORDS+=(""); fi
    COMP_LINE=$line COMP_POINT=${#line} COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    COMPREPLY=()
    "${rule[2]}"
    for offer in "${COMPREPLY[@]}"; do printf '%s\t%s\n' "$line" "$offer"; done
done
