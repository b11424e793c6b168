# A function of zsh for each command, which bin/completion/body.zsh calls.
END {
    print "#compdef coracle\n"
    print "_coracle_commands=("
    for (c = 1; c <= command_count; c++)
        print "    " quote(commands[c] ":" about[commands[c]])
    print "    'help:list the commands, or the options of one'\n)"
    for (c = 1; c <= command_count; c++)
        print_command(commands[c])
    print ""
}

function print_command(command,    i, count, kind, words) {
    print "\n_coracle-" command "() {"
    # Behind a word that may be left out all is as without it.
    if (literals[command] != "" && !literal_is_needed[command]) {
        words = literals[command]
        gsub(/ /, "|", words)
        print "    if ((CURRENT > 2)) && [[ $words[2] == (" words ") ]]; then"
        print "        shift words\n        ((CURRENT--))\n        _coracle_literals=()"
        print "    else\n        _coracle_literals=(" literals[command] ")\n    fi"
    }
    printf "    _arguments -s -S -A '-*'"
    for (i = 1; i <= option_count[command]; i++)
        print_option(command, i)
    count = split(operands[command], kind, " ")
    kind[count + 1] = ""
    if (literal_is_needed[command])
        print_argument("1:word:(" literals[command] ")")
    for (i = 1; i <= count && kind[i] != "command"; i++)
        print_operand(i + literal_is_needed[command], kind[i], i == count && repeats[command],
            i == 1 && literals[command] != "" && !literal_is_needed[command])
    if (kind[i] == "command") # and all that stands behind it
        print_argument("*::: :_coracle_command")
    print "\n}"
}

function print_argument(text) {
    printf " \\\n        %s", quote(text)
}

# NAME as a message: a colon would end it.
function message(name) {
    gsub(/:/, "\\:", name)
    return name
}

function action_of(kind) {
    if (kind ~ /^words /)
        return "(" substr(kind, 7) ")"
    if (kind == "file")
        return "_files"
    if (kind == "directory")
        return "_files -/"
    return kind == "none" ? " " : "_coracle_" kind
}

# "*": each may be given again.
function print_option(command, i,    help, value, kind) {
    help = option_help[command, i]
    gsub(/[][\\:]/, "\\\\&", help)
    kind = option_kind[command, i]
    value = kind == "flag" ? "" : ":" message(option_value[command, i]) ":" action_of(value_kind(option_value[command, i]))
    if (kind == "optional")
        value = ":" value
    if (option_letter[command, i] != "")
        print_argument("*-" option_letter[command, i] (kind == "flag" ? "" : "+") "[" help "]" value)
    print_argument("*" option_name[command, i] (kind == "flag" ? "" : kind == "optional" ? "=-" : "=") "[" help "]" value)
}

function print_operand(position, kind, is_last, after_literal) {
    print_argument((is_last ? "*" : position) ":" kind ":" \
        (after_literal ? "_coracle_literal_or_" kind : kind == "file" ? "_coracle_path" : action_of(kind)))
}
