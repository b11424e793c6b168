# Reads purity.table, then lines "MODULE U|D SYMBOL": what each object needs and
# what it defines. Prints each breach. REPORT is "breaches" or "unused".

FILENAME == ARGV[1] {
    if ($1 == "pure") {
        row[$2] = FNR
        if ($2 ~ /\*$/)
            rooms[substr($2, 1, length($2) - 1)] = $2
    } else if ($1 ~ /^libc/) {
        libc[$2] = 1
        if ($1 == "libc")
            row[$2] = FNR
        for (i = 3; i <= NF; i++)
            only[$2] = only[$2] " " $i
    }
    next
}

{
    modules[$1] = 1
    if ($2 == "D")
        home[$3] = $1
    else
        needs[$1 " " $3] = 1
}

function room_of(module) {
    sub(/[^\/]*$/, "", module)
    return module
}

function is_pure(module) {
    return room_of(module) in rooms || module in row
}

function complain(text) {
    if (REPORT == "breaches")
        print text
}

# Row NAME is needed.
function use(name) {
    used[name] = 1
}

function judge(module, symbol) {
    if (symbol in home) {
        if (!is_pure(home[symbol]))
            complain(module " calls " symbol "() of " home[symbol] ", which is not pure")
        else if (home[symbol] != module)
            use(home[symbol])
    } else if (!(symbol in libc)) {
        complain(module " needs " symbol ", which purity.table does not list")
    } else {
        use(symbol)
        if (symbol in only && index(only[symbol] " ", " " module " ") == 0)
            complain(module " needs " symbol ", which is for" only[symbol] " only")
    }
}

END {
    for (module in modules)
        if (room_of(module) in rooms)
            use(rooms[room_of(module)])
    for (need in needs) {
        split(need, part, " ")
        if (is_pure(part[1]))
            judge(part[1], part[2])
    }
    if (REPORT == "unused")
        for (name in row)
            if (!(name in used))
                print "purity.table:" row[name] ": " name
}
