# The options of a command as roff, from its lines in the tables that tables.sh writes.
#
#   awk -f options.awk -v command=run TABLES

BEGIN { FS = "\t" }

function escape(text) {
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    gsub(/'/, "\\(aq", text)
    gsub(/~/, "\\(ti", text)
    return text
}

function value(row_kind, name) {
    if (row_kind == "flag")
        return ""
    name = "\\fI" escape(name) "\\fR"
    return row_kind == "optional" ? "[=" name "]" : " " name
}

$1 == "option" && $2 == command {
    print ".TP"
    printf "%s\\fB%s\\fR%s\n", $4 == "-" ? "" : "\\fB" escape("-" $4) "\\fR, ", escape($3), value($5, $6)
    sentence = $9 ~ /^[a-z-]+[ ,;]/ ? toupper(substr($9, 1, 1)) substr($9, 2) : $9
    print (sentence ~ /^[.']/ ? "\\&" : "") escape(sentence) "."
    if ($7 != "-")
        print "Variable: \\fB" $7 "\\fR" ($8 == "list" ? ", a list." : ".")
}
