# What the tables (doc/man/tables.sh) say, for the generators of the shells: shared functions and arrays.
#
#   awk -f facts.awk -f SHELL.awk TABLES
#
# Names of values and of operands are interface: what is completed follows from them. A part in small
# letters, between "|", is a word that is typed as it is.

BEGIN { FS = "\t" }

$1 == "command" {
    commands[++command_count] = $2
    about[$2] = $3
}

$1 == "usage" { read_usage($2, $3) }

$1 == "option" {
    option_name[$2, ++option_count[$2]] = $3
    option_letter[$2, option_count[$2]] = $4 == "-" ? "" : $4
    option_kind[$2, option_count[$2]] = $5
    option_value[$2, option_count[$2]] = $6
    option_help[$2, option_count[$2]] = $9
}

# The words in a name as in "missing|always|never", with blanks between; "" where there are none.
function words_of(name,    count, part, i, words) {
    words = ""
    sub(/\[.*/, "", name)
    count = split(name, part, "|")
    for (i = 1; count > 1 && i <= count; i++)
        if (part[i] ~ /^[a-z0-9-]+$/)
            words = words (words == "" ? "" : " ") part[i]
    return words
}

# What completes a value: "words WORD...", "file", "directory" or "none".
function value_kind(name,    words) {
    words = words_of(name)
    if (words != "")
        return "words " words
    if (name ~ /^DIR/)
        return "directory"
    return name ~ /^(FILE|SRC)/ ? "file" : "none"
}

# What completes an operand, and "" for what is none.
function operand_kind(word) {
    if (word ~ /^\[?-/ || word == "[OPTIONS]" || word == "|")
        return ""
    if (word ~ /IMAGE|SOURCE/)
        return "image"
    if (word ~ /REPOSITORY|NAME\|ID/)
        return "name"
    if (word ~ /CONTAINER/)
        return "container"
    if (word ~ /COMMAND/)
        return "command"
    return word ~ /FILE|DESTINATION|ARG/ ? "file" : "none"
}

# Sets literals[command], whether they are needed, operands[command]: kinds with blanks between, and
# repeats[command]: whether the last may come again.
function read_usage(command, text,    count, word, i, kind, plain) {
    count = split(text, word, " ")
    for (i = 3; i <= count; i++) {
        plain = word[i]
        gsub(/[][]/, "", plain)
        if (plain ~ /^[a-z]+(\|[a-z]+)*$/) {
            gsub(/\|/, " ", plain)
            literals[command] = plain
            literal_is_needed[command] = word[i] !~ /^\[/
            continue
        }
        kind = operand_kind(word[i])
        if (kind == "" || (i > 3 && word[i - 1] == "|"))
            continue
        operands[command] = operands[command] (operands[command] == "" ? "" : " ") kind
        if (word[i] ~ /\.\.\.\]*$/)
            repeats[command] = 1
    }
}

# TEXT between single quotes of a shell.
function quote(text) {
    gsub(/'/, "'\\''", text)
    return "'" text "'"
}
