# Turns markdown into the body of a manual page, in the macros of man(7): as much of markdown
# as our documents use. What is not known here is an error, so that no page is wrong silently.
#
#   awk -f markdown.awk [-v insert=HEADING -v file=FILE] [-v pages=FILE] DOCUMENT...
#
# Known are headings (the first level is left out: a page has its own title), paragraphs, code
# that is indented by four blanks, lists with "- ", tables, and in a line `code`, *words* and
# [links](TARGET). A table becomes a list: the first column, and the second where there are three,
# is what the rest explains.
#
# Behind the heading "## HEADING" the lines of FILE are put in. PAGES has a line "DOCUMENT PAGE"
# for each document that is a page itself: links to it name the page.

function fail(why) {
    printf "%s:%d: %s\n", FILENAME, FNR, why >"/dev/stderr"
    failed = 1
    exit 1
}

# Text as it is, for roff. Code is copied and pasted: its "-" must be one, its quotes straight.
function escape(text, is_code) {
    gsub(/\\/, "\\e", text)
    if (is_code) {
        gsub(/-/, "\\-", text)
        gsub(/'/, "\\(aq", text)
        gsub(/`/, "\\(ga", text)
    }
    gsub(/\^/, "\\(ha", text)
    gsub(/~/, "\\(ti", text)
    return text
}

# No macro: roff takes a line for one that begins with a point or an apostrophe.
function plain(line) {
    return line ~ /^[.']/ ? "\\&" line : line
}

function link(label, target,    name) {
    name = target
    sub(/#.*/, "", name)
    sub(/.*\//, "", name)
    if (target ~ /^https?:/)
        return format(label) " (" escape(target, 1) ")"
    if (name in page)
        return "\\fB" escape(page[name], 1) "\\fR"
    if (target ~ /^#/ || label !~ /\.md$/)
        return format(label)
    return escape(label, 1)
}

# One paragraph's text, with what stands in it.
function format(text,    out, at, rest, label) {
    out = ""
    while (match(text, /[`*\[]/)) {
        out = out escape(substr(text, 1, RSTART - 1), 0)
        at = substr(text, RSTART, 1)
        rest = substr(text, RSTART + 1)
        if (at == "`") {
            if (!(RSTART = index(rest, "`")))
                fail("code without an end: " rest)
            label = substr(rest, 1, RSTART - 1)
            gsub(/\\\|/, "|", label) # of a table
            out = out "\\fB" escape(label, 1) "\\fR"
            text = substr(rest, RSTART + 1)
        } else if (at == "*" && match(rest, /^[A-Za-z][A-Za-z ]*\*/)) {
            out = out "\\fI" substr(rest, 1, RLENGTH - 1) "\\fR"
            text = substr(rest, RLENGTH + 1)
        } else if (at == "[" && match(rest, /^[^]]*\]\([^)]*\)/)) {
            label = substr(rest, 1, index(rest, "](") - 1)
            out = out link(label, substr(rest, length(label) + 3, RLENGTH - length(label) - 3))
            text = substr(rest, RLENGTH + 1)
        } else if (at == "[") {
            out = out "["
            text = rest
        } else {
            fail("what is this: " at rest)
        }
    }
    return out escape(text, 0)
}

# Prints text in lines that are not long.
function wrap(text,    count, words, i, line) {
    count = split(text, words, / +/)
    line = ""
    for (i = 1; i <= count; i++) {
        if (line != "" && length(line) + length(words[i]) > 76) {
            print plain(line)
            line = ""
        }
        line = line (line == "" ? "" : " ") words[i]
    }
    if (line != "")
        print plain(line)
}

# Ends what is open: a paragraph, an item of a list, code, a table.
function flush() {
    if (state == "paragraph")
        printf "%s", after_heading ? "" : ".PP\n"
    if (state == "item")
        print ".IP \\(bu 2"
    if (state == "paragraph" || state == "item") {
        wrap(format(text))
        after_heading = 0
    }
    if (state == "code")
        print ".fi\n.RE"
    state = text = ""
}

function heading(level, title,    shown, line) {
    flush()
    if (level == 1)
        return
    shown = escape(level == 2 && title !~ /["`]/ ? toupper(title) : title, 0)
    gsub(/`/, "", shown)
    gsub(/"/, "\\(dq", shown)
    print (level == 2 ? ".SH" : ".SS") " \"" shown "\""
    after_heading = 1
    if (level == 2 && title == insert) {
        while ((getline line <file) > 0)
            print line
        close(file)
        inserted = 1
        after_heading = 0
    }
}

function code(line) {
    if (state != "code") {
        flush()
        print (after_heading ? "" : ".PP\n") ".RS 4\n.nf"
        state = "code"
    }
    for (; pending > 0; pending--)
        print ""
    print plain(escape(line, 1))
    after_heading = 0
}

# Cuts a row at each "|" that is none of the text. The number of cells.
function cells(row, cell,    count, i, c, now, in_code) {
    sub(/^\| */, "", row)
    sub(/ *\|$/, "", row)
    count = 1
    now = ""
    for (i = 1; i <= length(row); i++) {
        c = substr(row, i, 1)
        if (c == "\\" && substr(row, i + 1, 1) == "|") {
            now = now "\\|"
            i++
        } else if (c == "|") {
            cell[count++] = now
            now = ""
        } else {
            now = now c
        }
    }
    cell[count] = now
    for (i = 1; i <= count; i++)
        gsub(/^ +| +$/, "", cell[i])
    return count
}

function table(row,    cell, count, i, tag) {
    if (state != "table") {
        flush()
        state = "table"
        rows = 0
    }
    rows++
    count = cells(row, cell)
    if (rows == 1) {
        columns = count
        for (i = 1; i <= count; i++)
            title[i] = cell[i]
        return
    }
    if (count != columns)
        fail("a row of " count " cells in a table of " columns)
    if (rows == 2)
        return
    tag = format(cell[1])
    if (columns == 3 && title[2] == "variable" && cell[2] != "")
        tag = tag ", " format(cell[2])
    print ".TP"
    print plain(tag)
    if (columns == 3 && title[2] != "variable") {
        if (cell[2] != "")
            wrap(format(title[2] == "" ? cell[2] : title[2] ": " cell[2]) (cell[3] == "" ? "" : "."))
        if (cell[2] != "" && cell[3] != "")
            print ".br"
        if (cell[3] != "")
            wrap(format(title[3] ": " cell[3]))
    } else {
        for (i = columns == 3 ? 3 : 2; i <= columns; i++)
            if (cell[i] != "")
                wrap(format(i == 2 || columns == 3 ? cell[i] : title[i] ": " cell[i]))
    }
    if (cell[columns] == "" && (columns != 3 || cell[2] == ""))
        print "\\&"
    after_heading = 0
}

BEGIN {
    if (pages != "")
        while ((getline line <pages) > 0) {
            split(line, words, " ")
            page[words[1]] = words[2]
        }
}

FNR == 1 { flush(); pending = 0 }
/[\t\200-\377]/ { fail("neither a tab nor anything but ASCII is known") }
/^$/ {
    if (state == "code")
        pending++
    else
        flush()
    next
}
/^    / && state != "item" && state != "paragraph" { code(substr($0, 5)); next }
{ pending = 0 }
/^#+ / { match($0, /^#+/); if (RLENGTH > 3) fail("a heading of this level"); heading(RLENGTH, substr($0, RLENGTH + 2)); next }
/^\|/ { table($0); next }
/^- / { flush(); state = "item"; text = substr($0, 3); next }
/^  [^ ]/ && state == "item" { text = text " " substr($0, 3); next }
/^([>+~]|```|[0-9]+\. |\* |!\[|<|---|===| )/ { fail("not known: " $0) }
{
    if (state != "paragraph")
        flush()
    state = "paragraph"
    text = text (text == "" ? "" : " ") $0
}
END {
    if (failed)
        exit 1
    flush()
    if (insert != "" && !inserted) {
        print "there is no heading ## " insert >"/dev/stderr"
        exit 1
    }
}
