# check.awk - holds the figures of launch, or with -v bench=meet of meet, against the
# targets; status 1 when one is missed.

BEGIN {FS = "\t"}

$1 == "calls" {calls[$2, $3] = $4; next}
$1 == "peak" {peak[$2] = $3; next}
$1 == "missed" {too_many = $3; next}
$1 == "started" {started_brokers = $3; started_servers = $4; next}
$1 == "pages" {resident[$2] = $4; next}
$1 == "cma" && $3 == "-" {uncounted[$2] = $4; next}
$1 == "cma" {copies[$2] = $3; failed_copies[$2] = $4; next}
$1 == "mpi" && $5 ~ /^cannot run/ {silent[$2] = $5; next}
$1 == "facts" || $3 == "-" {next}
$1 == "mpi" {
    if (!(($2, $3 " " $4) in shortest) || $5 < shortest[$2, $3 " " $4]) shortest[$2, $3 " " $4] = $5
    if (!(($3 " " $4) in exchanges)) exchange_order[++exchange_count] = $3 " " $4
    exchanges[$3 " " $4] = 1
    warnings["mpi"] += $6
    next
}
{median[$1, $2] = $3; minimum[$1, $2] = $4; faults[$1, $2] = $6; sections[$1] = 1; tools[$2] = 1
    first_base[$1, $2] = $7; second_base[$1, $2] = $8; failures[$1] += $9; warnings[$1] = $10}

function target(what, value, limit,    good) {
    good = value <= limit
    printf "%s  %-62s %10.2f  at most %.2f\n", good ? "ok    " : "MISSED", what, value, limit
    if (!good) missed = 1
}

function ahead(what, ours, theirs) {
    if (ours >= theirs) {
        printf "MISSED  ahead of %s: %s against %s\n", what, ours, theirs
        missed = 1
    }
}

# Cost of a bind between two numbers of binds, in microseconds: of the minimum,
# because a few long launches are what other work on the machine hits.
function slope(few, many) {
    return (minimum["binds-" many, "coracle"] - minimum["binds-" few, "coracle"]) / (many - few)
}

function against(peer,    section) {
    for (section in sections)
        if (section != "squashfs" && (section, peer) in median)
            ahead(peer " in " section ", us", median[section, "coracle"], median[section, peer])
    if (("one", peer) in faults) ahead(peer " in page faults", faults["one", "coracle"], faults["one", peer])
    if (("one", peer) in calls) ahead(peer " in system calls", calls["one", "coracle"], calls["one", peer])
    if (peer in peak) ahead(peer " in peak KiB", peak["coracle"], peak[peer])
}

function check_launch(    i, tool, methods, peer, peers) {
    if (!(("pair", "coracle") in median)) {
        print "MISSED  coracle did not run"
        missed = 1
        return
    }
    target("default view, times the floor", median["pair", "coracle"] / second_base["pair", "coracle"], 1.25)
    if (("one", "coracle") in calls) target("system calls of a launch", calls["one", "coracle"], 99)
    if (("binds-500", "coracle") in calls)
        target("system calls for each bind", (calls["binds-500", "coracle"] - calls["binds-100", "coracle"]) / 400, 4)
    if (("binds-2000", "coracle") in median)
        target("cost of a bind, 1,000 to 2,000 against 100 to 1,000", slope(1000, 2000) / slope(100, 1000), 1.5)
    split("zstd lz4", methods, " ")
    for (i = 1; i in methods; i++) {
        tool = "coracle-" methods[i]
        if (!(("squashfs", tool) in median)) continue
        target("ms that SquashFS with " methods[i] " costs over the directory",
            (median["squashfs", tool] - median["squashfs", "coracle"]) / 1000, 2)
        for (peer in tools)
            if (peer !~ /^(exec|coracle)/ && ("squashfs", peer) in median)
                ahead(peer ", SquashFS, us", median["squashfs", tool], median["squashfs", peer])
    }
    split("bubblewrap charliecloud crun runc", peers, " ")
    for (i = 1; i in peers; i++) against(peers[i])
}

# WAY times BASE in SECTION, where both were measured.
function times(what, section, way, base, limit) {
    if ((section, way) in median && (section, base) in median)
        target(what, median[section, way] / median[section, base], limit)
}

function exactly(what, value, wanted) {
    printf "%s  %-62s %10d  exactly %d\n", value == wanted ? "ok    " : "MISSED", what, value, wanted
    if (value != wanted) missed = 1
}

function of_kind(what, kind) {return what (kind == "directory" ? ", directory" : ", SquashFS")}

# On two CPUs the kernel's waking of one that sleeps is most of it: shown, and not held.
function check_one(kind) {
    times(of_kind("equal plan, times exec of launcher and payload", kind), "one", "equal-" kind, "launcher", 2)
    times(of_kind("the same with 20 host mounts more", kind), "mounts-20", "equal-" kind, "launcher", 2)
    times(of_kind("the same with 1,000 host mounts more", kind), "mounts-1000", "equal-" kind, "launcher", 2)
    if (("one", "equal-" kind) in calls) target(of_kind("system calls of an equal plan", kind), calls["one", "equal-" kind], 29)
    times(of_kind("64 at once, times plain execs", kind), "burst-64", "cold-" kind, "launcher", 1.8)
    times(of_kind("256 at once, times plain execs", kind), "burst-256", "cold-" kind, "launcher", 1.8)
    times(of_kind("64 at once, times own namespaces", kind), "burst-64", "cold-" kind, "alone-directory", 0.9)
    times(of_kind("256 at once, times own namespaces", kind), "burst-256", "cold-" kind, "alone-directory", 0.9)
}

function check_messages(    exchange, way, i, j, ways) {
    split("directory squashfs both", ways, " ")
    for (i = 1; i in ways; i++) {
        way = ways[i]
        for (j = 1; j <= exchange_count; j++) {
            exchange = exchange_order[j]
            if ((way, exchange) in shortest)
                target(exchange " bytes, " (way == "both" ? "directory and SquashFS" : way) ", times host",
                    shortest[way, exchange] / shortest["host", exchange], 1.02)
        }
        if (way in silent || way in uncounted) {
            print "MISSED  messages, " way ": " silent[way] uncounted[way]
            missed = 1
        }
        if (!(way in copies) || !copies["host"]) continue
        target("copies by CMA on the host, times those in " way, copies["host"] / (copies[way] ? copies[way] : 0.001), 1.1)
        exactly("copies by CMA that failed, " way, failed_copies[way], 0)
    }
}

function check_meet(    section, failed, warned) {
    if (!(("one", "equal-directory") in median)) {
        print "MISSED  coracle did not run"
        missed = 1
        return
    }
    check_one("directory")
    check_one("squashfs")
    times("another plan on a served image, times directory alone", "one", "other-squashfs", "alone-directory", 1.1)
    target("us of a first launch over one alone, directory",
        median["one", "first-directory"] - median["one", "alone-directory"], 100)
    for (section in failures) failed += failures[section]
    for (section in warnings) warned += warnings[section]
    exactly("launches that failed", failed, 0)
    exactly("warnings of launches", warned, 0)
    exactly("brokers too many where two begin at once", too_many, 0)
    times("launches in a loop, SquashFS, times alone", "loop", "cold-squashfs", "alone-squashfs", 0.4)
    if (started_brokers != "") {
        exactly("brokers for a loop of launches", started_brokers, 1)
        exactly("servers for a loop of launches", started_servers, 1)
    }
    if ("shared" in resident)
        target("MB of page cache of 8 ranks over one", (resident["shared"] - resident["one"]) / 1e6, 64)
    check_messages()
}

END {
    print ""
    if (bench == "meet") check_meet()
    else check_launch()
    exit missed
}
