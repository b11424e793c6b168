# table.awk - the figures of launch, or with -v bench=meet of meet, as tables for people.

BEGIN {
    FS = "\t"
    split(bench == "meet" ? "exec launcher alone-directory equal-directory equal-squashfs other-directory " \
        "other-squashfs first-directory first-squashfs cold-directory cold-squashfs alone-squashfs" : \
        "exec floor unshare coracle bubblewrap charliecloud crun runc", order, " ")
    split(bench == "meet" ? "plain alone" : "exec floor", bases, " ")
    split("exec coracle coracle-zstd coracle-lz4 charliecloud-zstd squashfuse-bubblewrap", squash_order, " ")
    title["exec"] = "plain exec of the payload"
    title["floor"] = "floor (static, same mounts)"
    title["unshare"] = "unshare -Urm (no mounts)"
    title["coracle-zstd"] = "coracle, SquashFS zstd"
    title["coracle-lz4"] = "coracle, SquashFS lz4"
    title["charliecloud-zstd"] = "charliecloud, SquashFS zstd"
    title["squashfuse-bubblewrap"] = "squashfuse_ll and bubblewrap"
    title["launcher"] = "plain: launcher, payload"
    title["alone-directory"] = "alone, directory"
    title["alone-squashfs"] = "alone, SquashFS"
    title["equal-directory"] = "equal plan, directory"
    title["equal-squashfs"] = "equal plan, SquashFS"
    title["other-directory"] = "another plan, directory"
    title["other-squashfs"] = "another plan, SquashFS"
    title["first-directory"] = "first, directory"
    title["first-squashfs"] = "first, SquashFS"
    title["cold-directory"] = "equal plan, directory"
    title["cold-squashfs"] = "equal plan, SquashFS"
}

$1 == "calls" {calls[$2, $3] = $4; failed[$2, $3] = $5; names[$2, $3] = $6; next}
$1 == "peak" {peak[$2] = $3; next}
$1 == "facts" {facts = $2; day = $3; burst = $4; next}
$1 == "missed" {missed = sprintf("%d starts of two at once: %d brokers too many", $2, $3); next}
$1 == "started" {started = sprintf("%d launches on SquashFS started %d brokers and %d servers", $2, $3, $4); next}
$1 == "pages" {rounds = ++pages[$2]; ranks[$2] = $3; resident[$2] = $4; cached[$2, rounds] = $5; next}
$1 == "cma" && $3 == "-" {why_no_copies = why_no_copies "copies by CMA, " $2 ": cannot run under strace: " $4 "\n"; next}
$1 == "cma" {copies[$2] = $3 + 0; failed_copies[$2] = $4 + 0; next}
$1 == "mpi" && $3 == "-" {why_no_mpi = why_no_mpi "  " $2 ": " $5 "\n"; next}
$1 == "mpi" {
    exchange = $3 " " $4
    if (!(exchange in exchanges)) {exchanges[exchange] = 1; exchange_order[++exchange_count] = exchange}
    if (!(($2, exchange) in shortest) || $5 < shortest[$2, exchange]) shortest[$2, exchange] = $5
    next
}
$3 == "-" {why[$1, $2] = $4; seen[$1] = 1; next}
{
    seen[$1] = 1
    median[$1, $2] = $3; minimum[$1, $2] = $4; p90[$1, $2] = $5; faults[$1, $2] = $6
    first_base[$1, $2] = $7; second_base[$1, $2] = $8
    failures[$1] += $9
}

function name(tool) {return tool in title ? title[tool] : tool}

function ratio(value, base) {return base > 0 ? sprintf("%.2f", value / base) : "-"}

function or_dash(value) {return value == "" ? "-" : value}

function one_launch(section, heading,    i, tool) {
    if (!(section in seen)) return
    printf "\n%s\n%-29s %9s %9s %9s %7s %8s\n", heading, "", "median us", "min us", "p90 us",
        "x " bases[1], "x " bases[2]
    for (i = 1; i in order; i++) {
        tool = order[i]
        if ((section, tool) in why)
            printf "%-29s %s\n", name(tool), why[section, tool]
        else if ((section, tool) in median)
            printf "%-29s %9.0f %9.0f %9.0f %7s %8s\n", name(tool), median[section, tool], minimum[section, tool],
                p90[section, tool], ratio(median[section, tool], first_base[section, tool]),
                ratio(median[section, tool], second_base[section, tool])
    }
    if (failures[section] || section ~ /^burst-/) printf "%-29s %9d\n", "launches that failed", failures[section]
}

# The same image as one file: what that costs over the directory.
function squashfs(    i, tool) {
    if (!("squashfs" in seen)) return
    printf "\nThe image as a SquashFS file, one launch after the other, on one CPU\n"
    printf "%-29s %9s %9s %9s %7s %12s\n", "", "median us", "min us", "p90 us", "x exec", "+ms directory"
    for (i = 1; i in squash_order; i++) {
        tool = squash_order[i]
        if (("squashfs", tool) in why)
            printf "%-29s %s\n", name(tool), why["squashfs", tool]
        else if (("squashfs", tool) in median)
            printf "%-29s %9.0f %9.0f %9.0f %7s %12.2f\n", name(tool), median["squashfs", tool],
                minimum["squashfs", tool], p90["squashfs", tool],
                ratio(median["squashfs", tool], first_base["squashfs", tool]),
                (median["squashfs", tool] - median["squashfs", "coracle"]) / 1000
    }
}

function resources(    i, tool) {
    printf "\nWhat one launch uses, up to the exec of the payload for calls\n"
    printf "%-29s %9s %9s %9s %9s  %s\n", "", "calls", "failed", "faults", "peak KiB", "failed calls (coracle, floor)"
    for (i = 1; i in order; i++) {
        tool = order[i]
        if (!(("one", tool) in median)) continue
        printf "%-29s %9s %9s %9d %9s  %s\n", name(tool), or_dash(calls["one", tool]), or_dash(failed["one", tool]),
            faults["one", tool], or_dash(peak[tool]), tool == "coracle" || tool == "floor" ? names["one", tool] : ""
    }
}

function binds(    i, j, n, tool, count, section, cell) {
    n = split("100 500 1000 2000", count, " ")
    printf "\nA launch with more binds: median ms; calls for each bind\n%-29s", ""
    for (j = 1; j <= n; j++) if (("binds-" count[j]) in seen) printf " %9s", count[j]
    printf " %9s\n", "calls"
    for (i = 2; i in order; i++) {
        tool = order[i]
        if (tool == "unshare") continue
        printf "%-29s", name(tool)
        for (j = 1; j <= n; j++) {
            section = "binds-" count[j]
            if (!(section in seen)) continue
            cell = (section, tool) in median ? sprintf("%.2f", median[section, tool] / 1000) : "-"
            printf " %9s", cell
        }
        printf " %9s", ("binds-500", tool) in calls ? \
            sprintf("%.2f", (calls["binds-500", tool] - calls["binds-100", tool]) / 400) : "-"
        printf "%s\n", ("binds-100", tool) in why ? "  " why["binds-100", tool] : ""
    }
}

# Up to the exec of the payload.
function system_calls(    i, tool) {
    printf "\nSystem calls of one launch, up to the exec of the payload\n%-29s %9s %9s  %s\n", "", "calls", "failed", "which"
    for (i = 1; i in order; i++) {
        tool = order[i]
        if (("one", tool) in calls)
            printf "%-29s %9d %9d  %s\n", name(tool), calls["one", tool], failed["one", tool], names["one", tool]
    }
}

function at_once(count) {
    one_launch("burst-" count, count " launches at once, nobody there before: time until all have ended")
}

function middle(way,    i, j, n, value) {
    n = pages[way]
    for (i = 1; i <= n; i++) {
        for (j = i - 1; j > 0 && value[j] > cached[way, i]; j--) value[j + 1] = value[j]
        value[j + 1] = cached[way, i]
    }
    return value[int((n + 1) / 2)]
}

function page_cache(    i, way, ways) {
    if (!("one" in pages)) return
    printf "\nRanks that read all of an image with 95 MB: MB of it in the page cache\n%-29s %9s %9s %9s\n", "", "ranks", "of files",
        "all growth"
    split("one shared alone", ways, " ")
    for (i = 1; i in ways; i++) {
        way = ways[i]
        printf "%-29s %9d %9.1f %9.1f\n", way == "one" ? "one" : way == "shared" ? "together" : "each alone",
            ranks[way], resident[way] / 1e6, middle(way) / 1e6
    }
}

function messages(    i, j, way, ways, heading) {
    printf "\nMessages between two ranks: shortest time in us, and how much of the host's that is\n"
    printf "%s", why_no_mpi
    if (!exchange_count) return
    split("host directory squashfs both", ways, " ")
    split("host,directory,SquashFS,one of each", heading, ",")
    printf "%-21s", ""
    for (i = 1; i in ways; i++) printf " %16s", heading[i]
    printf "\n"
    for (j = 1; j <= exchange_count; j++) {
        printf "%-21s", exchange_order[j]
        for (i = 1; i in ways; i++) {
            way = ways[i]
            printf " %9s %6s", (way, exchange_order[j]) in shortest ? sprintf("%.1f", shortest[way, exchange_order[j]]) : "-",
                way != "host" && (way, exchange_order[j]) in shortest ? \
                    ratio(shortest[way, exchange_order[j]], shortest["host", exchange_order[j]]) : ""
        }
        printf "\n"
    }
    printf "%-21s", "copies by CMA, failed"
    for (i = 1; i in ways; i++) printf " %9s %6s", or_dash(copies[ways[i]]), or_dash(failed_copies[ways[i]])
    printf "\n%s", why_no_copies
}

function meet_tables() {
    one_launch("one", "One launch after the other, on one CPU")
    one_launch("two", "One launch after the other, on two CPUs")
    one_launch("mounts-20", "On a host with 20 mounts more, on one CPU")
    one_launch("mounts-1000", "On a host with 1,000 mounts more, on one CPU")
    system_calls()
    at_once(64)
    at_once(256)
    if (missed != "") print missed
    one_launch("loop", burst " launches in a loop: time of all")
    if (started != "") print started
    page_cache()
    messages()
}

function launch_tables() {
    one_launch("pair", "Coracle and the floor alone, in turns launch by launch, on one CPU: what check.awk holds to the target")
    one_launch("one", "One launch after the other, on one CPU")
    resources()
    squashfs()
    one_launch("burst", burst " launches at once: time until all have ended")
    one_launch("mounts", "On a host with 1,000 mounts more, on one CPU")
    binds()
}

END {
    printf "Launches on %s (%s)\n", facts, day
    if (bench == "meet") meet_tables()
    else launch_tables()
}
