# check.awk - holds the figures of launch against the targets; status 1 when one is missed.

BEGIN {FS = "\t"}

$1 == "calls" {calls[$2, $3] = $4; next}
$1 == "peak" {peak[$2] = $3; next}
$1 == "facts" || $3 == "-" {next}
{median[$1, $2] = $3; minimum[$1, $2] = $4; faults[$1, $2] = $6; floor_base[$1, $2] = $8; sections[$1] = 1; tools[$2] = 1}

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

END {
    print ""
    if (!(("pair", "coracle") in median)) {
        print "MISSED  coracle did not run"
        exit 1
    }
    target("default view, times the floor", median["pair", "coracle"] / floor_base["pair", "coracle"], 1.25)
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
    exit missed
}
