# The tables for fish, which bin/completion/body.fish needs.
END {
    print "complete -c coracle -e\ncomplete -c coracle -f"
    for (c = 1; c <= command_count; c++)
        print "complete -c coracle -n __coracle_needs_command -a " commands[c] " -d " fish_quote(about[commands[c]])
    for (c = 1; c <= command_count; c++)
        print "complete -c coracle -n __coracle_needs_help -a " commands[c] " -d " fish_quote(about[commands[c]])
    print "\n# Whether an option of a command is followed by its value."
    print "function __coracle_takes_value\n    switch $argv[1]:$argv[2]"
    for (c = 1; c <= command_count; c++)
        for (i = 1; i <= option_count[commands[c]]; i++)
            if (option_kind[commands[c], i] == "value")
                print "        case " commands[c] ":" option_name[commands[c], i] \
                    (option_letter[commands[c], i] == "" ? "" : " " commands[c] ":-" option_letter[commands[c], i]) \
                    "\n            return 0"
    print "    end\n    return 1\nend"
    print "\n# The words of a command that stand before its operands."
    print "function __coracle_literals\n    switch $argv[1]"
    for (c = 1; c <= command_count; c++)
        if (literals[commands[c]] != "")
            print "        case " commands[c] "\n            printf '%s\\n' " literals[commands[c]]
    print "    end\nend\n"
    for (c = 1; c <= command_count; c++)
        print_command(commands[c])
    print ""
}

# In single quotes of fish a backslash and a quote have one before them.
function fish_quote(text) {
    gsub(/[\\']/, "\\\\&", text)
    return "'" text "'"
}

function print_command(command,    i, count, kind, where) {
    for (i = 1; i <= option_count[command]; i++)
        print "complete -c coracle -n '__coracle_is " command " options' -l " substr(option_name[command, i], 3) \
            (option_letter[command, i] == "" ? "" : " -s " option_letter[command, i]) \
            value_of(command, i) " -d " fish_quote(option_help[command, i])
    if (literals[command] != "")
        print "complete -c coracle -n '__coracle_is " command " literal' -a '" literals[command] "'"
    count = split(operands[command], kind, " ")
    for (i = 1; i <= count; i++) {
        where = i == count && repeats[command] ? i "+" : i
        if (literal_is_needed[command])
            where = where " behind"
        if (kind[i] != "none")
            print "complete -c coracle -n '__coracle_is " command " " where "'" operand_of(kind[i])
    }
}

function value_of(command, i,    kind) {
    if (option_kind[command, i] != "value")
        return ""
    kind = value_kind(option_value[command, i])
    if (kind ~ /^words /)
        return " -x -a '" substr(kind, 7) "'"
    if (kind == "file")
        return " -r -F"
    return kind == "directory" ? " -x -a '(__fish_complete_directories)'" : " -x"
}

function operand_of(kind) {
    if (kind == "file")
        return " -F"
    if (kind == "command")
        return " -F -a '(__fish_complete_command)'"
    return (kind == "image" ? " -F" : "") " -a '(__coracle_" (kind == "image" ? "name" : kind) ")'"
}
