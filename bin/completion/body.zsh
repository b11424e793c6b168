# The functions of the commands stand before this in what is installed.

# What `coracle images` and `coracle ps` list.
_coracle_name() {
    local -a names
    names=(${(f)"$($_coracle_program images 2>/dev/null | awk '$1 != "NAME" && $1 != "-" { print $1 }')"})
    _wanted names expl 'image in the cache' compadd -a names
}
_coracle_container() {
    local -a names
    names=(${(f)"$($_coracle_program ps 2>/dev/null | awk '/^      [0-9]/ { sub(/,$/, "", $1); print $1; if ($2 ~ /^[A-Za-z]/) print $2 }')"})
    _wanted containers expl 'container' compadd -a names
}
_coracle_path() {
    compset -P '(oci|oci-archive|docker-archive|dir|sqfs|sif|tar):'
    _files
}
_coracle_image() {
    if [[ $PREFIX == (oci|oci-archive|docker-archive|dir|sqfs|sif|tar):* ]]; then
        _coracle_path
    else
        _alternative 'names:image in the cache:_coracle_name' 'files:image:_files'
    fi
}
_coracle_literal_or_image() {
    _alternative "words:word:($_coracle_literals)" 'images:image:_coracle_image'
}

# A command and its arguments, behind "--" or not.
_coracle_command() {
    if [[ $words[1] == -- ]]; then
        shift words
        ((CURRENT--))
    fi
    if ((CURRENT == 1)); then
        _alternative 'commands:command:_command_names -e' 'files:file:_files'
    else
        _normal
    fi
}

_coracle() {
    local curcontext=$curcontext state line _coracle_program=$words[1] ret=1
    local -a _coracle_literals
    typeset -A opt_args

    _arguments -C -A '-*' \
        '(- *)'{-h,--help}'[list the commands]' \
        '(- *)--version[print the version]' \
        '1: :->command' \
        '*:: :->arguments' && ret=0
    case $state in
    command) _describe -t commands command _coracle_commands && ret=0 ;;
    arguments)
        curcontext=${curcontext%:*:*}:coracle-$words[1]:
        if [[ $words[1] == help ]]; then
            ((CURRENT == 2)) && _describe -t commands command _coracle_commands && ret=0
        elif (($+functions[_coracle-$words[1]])); then
            _coracle-$words[1] && ret=0
        fi
        ;;
    esac
    return ret
}

_coracle "$@"
