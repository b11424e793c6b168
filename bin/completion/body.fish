# The tables stand before this in what is installed.

# The state of the line before the cursor: the command, whether options may follow, the first word of
# some commands, the number of operands; a line each.
function __coracle_state
    set -l words (commandline -opc)
    set -l command $words[2]
    set -l literals (__coracle_literals "$command")
    set -l options yes
    set -l literal none
    set -l operands 0
    set -l index 3
    while test $index -le (count $words)
        set -l word $words[$index]
        if test "$word" = --
            set options no
        else if test $options = yes; and string match -q -- '-?*' "$word"
            if __coracle_takes_value $command "$word"
                set index (math $index + 1)
            end
        else if test $operands -eq 0 -a $literal = none; and contains -- "$word" $literals
            set literal $word
        else
            set options no
            set operands (math $operands + 1)
        end
        set index (math $index + 1)
    end
    printf '%s\n' "$command" $options $literal $operands
end

function __coracle_needs_command
    test (count (commandline -opc)) -eq 1
end

function __coracle_needs_help
    set -l words (commandline -opc)
    test (count $words) -eq 2 -a "$words[2]" = help
end

# __coracle_is COMMAND options|literal|NUMBER|NUMBER+ [behind]: what may stand at the cursor. NUMBER+: this
# operand or a later one. behind: only behind the command's first word.
function __coracle_is
    set -l state (__coracle_state)
    test "$state[1]" = $argv[1]; or return 1
    if test "$argv[3]" = behind -a $state[3] = none
        return 1
    end
    switch $argv[2]
        case options
            test $state[2] = yes
        case literal
            test $state[3] = none -a $state[4] -eq 0
        case '*+'
            test $state[4] -ge (math (string trim -c + $argv[2]) - 1)
        case '*'
            test $state[4] -eq (math $argv[2] - 1)
    end
end

# What `coracle images` and `coracle ps` list.
function __coracle_name
    set -l program (commandline -opc)[1]
    $program images 2>/dev/null | string match -rg '^([^ ]+) ' | string match -v -r '^(NAME|-)$'
end

function __coracle_container
    set -l program (commandline -opc)[1]
    for line in ($program ps 2>/dev/null)
        string match -rg '^ {6}([0-9]+)' -- $line
        string match -rg '^ {6}[0-9]+ ([A-Za-z][^ ]*) \(' -- $line
    end
end

complete -c coracle -n __coracle_needs_command -a help -d 'list the commands, or the options of one'
complete -c coracle -n __coracle_needs_command -s h -l help -d 'list the commands'
complete -c coracle -n __coracle_needs_command -l version -d 'print the version'
