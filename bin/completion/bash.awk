# The tables as functions of bash, which bin/completion/body.bash calls.
END {
    print "_coracle_commands=" quote(list_commands())
    print "\n# _coracle_table COMMAND: sets options, literals, needed, operands and repeats."
    print "_coracle_table() {\n    case $1 in"
    for (c = 1; c <= command_count; c++) {
        name = commands[c]
        print "    " name ")"
        print "        options=" quote(list_options(name))
        print "        literals=" quote(literals[name]) " needed=" literal_is_needed[name] + 0
        print "        operands=" quote(operands[name]) " repeats=" repeats[name] + 0
        print "        ;;"
    }
    print "    *) return 1 ;;\n    esac\n}"
    print "\n# _coracle_value COMMAND OPTION: sets kind, and optional; fails where it takes no value."
    print "_coracle_value() {\n    optional=0\n    case $1:$2 in"
    for (c = 1; c <= command_count; c++)
        for (i = 1; i <= option_count[commands[c]]; i++)
            print_value(commands[c], i)
    print "    *) return 1 ;;\n    esac\n}\n"
}

function list_commands(    c, list) {
    for (c = 1; c <= command_count; c++)
        list = list (c > 1 ? " " : "") commands[c]
    return list
}

function list_options(command,    i, list) {
    for (i = 1; i <= option_count[command]; i++)
        list = list (i > 1 ? " " : "") option_name[command, i] \
            (option_letter[command, i] == "" ? "" : " -" option_letter[command, i])
    return list
}

function print_value(command, i,    letter) {
    if (option_kind[command, i] == "flag")
        return
    letter = option_letter[command, i]
    print "    " command ":" option_name[command, i] (letter == "" ? "" : " | " command ":-" letter) \
        ") kind=" quote(value_kind(option_value[command, i])) \
        (option_kind[command, i] == "optional" ? " optional=1" : "") " ;;"
}
