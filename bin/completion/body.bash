# shellcheck shell=bash disable=SC2034,SC2154 # the tables stand before this in what is installed

# Joins what readline has cut at "=" and ":". Sets words; the last one is the one at the cursor.
_coracle_words() {
    local i part rest=${COMP_LINE:0:COMP_POINT} stripped
    words=()
    for ((i = 0; i <= COMP_CWORD; i++)); do
        part=${COMP_WORDS[i]}
        stripped=${rest#"${rest%%[![:blank:]]*}"}
        if ((i > 0)) && [[ $stripped == "$rest" && -n $rest ]]; then
            words[${#words[@]} - 1]+=$part
        else
            words+=("$part")
        fi
        rest=${stripped#"$part"}
    done
}

# _coracle_offer WORD...: those that begin as the current word does. Of a name with a colon readline
# replaces what is behind the last one.
_coracle_offer() {
    local word prefix=
    if [[ $current == *:* && $COMP_WORDBREAKS == *:* ]]; then prefix=${current%"${current##*:}"}; fi
    for word; do
        if [[ $word == "$current"* ]]; then COMPREPLY+=("${before}${word#"$prefix"}"); fi
    done
}

# _coracle_paths [-d]: files, or directories, behind the last colon of the current word.
_coracle_paths() {
    local path=${current##*:} prefix=$before word
    if [[ $COMP_WORDBREAKS != *:* ]]; then prefix+=${current%"$path"}; fi
    compopt -o filenames 2>/dev/null
    while IFS= read -r word; do COMPREPLY+=("$prefix$word"); done < <(compgen "${1:--f}" -- "$path")
}

# What `coracle images` and `coracle ps` list.
_coracle_images() {
    "$program" images 2>/dev/null | while read -r name _; do
        if [[ $name != NAME && $name != - ]]; then echo "$name"; fi
    done
}
_coracle_containers() {
    "$program" ps 2>/dev/null | while IFS= read -r line; do
        if [[ $line =~ ^\ {6}([0-9]+)(\ ([A-Za-z][^\ ]*))?\ \( ]]; then
            printf '%s\n' "${BASH_REMATCH[1]}" ${BASH_REMATCH[3]:+"${BASH_REMATCH[3]}"}
        fi
    done
}

# _coracle_kind KIND [WORD...]: completes the current word as what it is.
_coracle_kind() {
    local -a names
    case $1 in
    words) _coracle_offer "${@:2}" ;;
    file) _coracle_paths ;;
    directory) _coracle_paths -d ;;
    image | name)
        mapfile -t names < <(_coracle_images)
        _coracle_offer "${names[@]}"
        if [[ $1 == image ]]; then _coracle_paths; fi
        ;;
    container)
        mapfile -t names < <(_coracle_containers)
        _coracle_offer "${names[@]}"
        ;;
    command)
        mapfile -t names < <(compgen -c -- "$current")
        _coracle_offer "${names[@]}"
        _coracle_paths
        ;;
    esac
}

# Reads the words before the cursor. Sets operand, the number of operands, literal, the first word of
# some commands, and in_options; with value where the current word is an option's value.
_coracle_walk() {
    local i word
    for ((i = 2; i < ${#words[@]} - 1; i++)); do
        word=${words[i]}
        if [[ $word == -- ]]; then
            in_options=0
        elif ((in_options)) && [[ $word == --*=* ]]; then
            continue
        elif ((in_options)) && [[ $word == -?* ]]; then
            if _coracle_value "$command" "$word" && ! ((optional)); then
                if ((++i == ${#words[@]} - 1)); then value=1; fi
            fi
        elif ((operand == 0)) && [[ -z $literal && " $literals " == *" $word "* ]]; then
            literal=$word
        else
            in_options=0
            ((++operand))
        fi
    done
}

_coracle() {
    local -a words kinds
    local program command current before='' options literals needed operands repeats kind optional
    local word operand=0 literal='' in_options=1 value=0
    COMPREPLY=()
    _coracle_words
    program=${words[0]/#\~/$HOME}
    command=${words[1]-}
    current=${words[${#words[@]} - 1]}
    if ((${#words[@]} <= 2)); then
        # shellcheck disable=SC2086 # a list
        _coracle_offer $_coracle_commands help --help --version
        return 0
    elif [[ $command == help ]]; then
        # shellcheck disable=SC2086 # a list
        if ((${#words[@]} == 3)); then _coracle_offer $_coracle_commands; fi
        return 0
    fi
    _coracle_table "$command" || return 0
    _coracle_walk
    # shellcheck disable=SC2206,SC2086 # lists
    if ((value)); then
        _coracle_kind $kind
    elif ((in_options)) && [[ $current == --*=* ]]; then
        word=${current%%=*}
        current=${current#*=}
        if [[ $COMP_WORDBREAKS != *=* ]]; then before=$word=; fi
        if _coracle_value "$command" "$word"; then _coracle_kind $kind; fi
    elif ((in_options)) && [[ $current == -* ]]; then
        _coracle_offer $options
    else
        kinds=($operands)
        if ((repeats && operand >= ${#kinds[@]})); then operand=$((${#kinds[@]} - 1)); fi
        if ((operand == 0)) && [[ -z $literal ]]; then _coracle_offer $literals; fi
        if ((!needed)) || [[ -n $literal ]]; then _coracle_kind ${kinds[operand]-none}; fi
    fi
    return 0
}

complete -F _coracle coracle
