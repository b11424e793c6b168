# table.awk - the figures of launch as tables for people.

BEGIN {
    FS = "\t"
    split("exec floor unshare coracle bubblewrap charliecloud crun runc", order, " ")
    split("exec coracle coracle-zstd coracle-lz4 charliecloud-zstd squashfuse-bubblewrap", squash_order, " ")
    title["exec"] = "plain exec of the payload"
    title["floor"] = "floor (static, same mounts)"
    title["unshare"] = "unshare -Urm (no mounts)"
    title["coracle-zstd"] = "coracle, SquashFS zstd"
    title["coracle-lz4"] = "coracle, SquashFS lz4"
    title["charliecloud-zstd"] = "charliecloud, SquashFS zstd"
    title["squashfuse-bubblewrap"] = "squashfuse_ll and bubblewrap"
}

$1 == "calls" {calls[$2, $3] = $4; failed[$2, $3] = $5; names[$2, $3] = $6; next}
$1 == "peak" {peak[$2] = $3; next}
$1 == "facts" {facts = $2; day = $3; burst = $4; next}
$3 == "-" {why[$1, $2] = $4; seen[$1] = 1; next}
{
    seen[$1] = 1
    median[$1, $2] = $3; minimum[$1, $2] = $4; p90[$1, $2] = $5; faults[$1, $2] = $6
    exec_base[$1, $2] = $7; floor_base[$1, $2] = $8
}

function name(tool) {return tool in title ? title[tool] : tool}

function ratio(value, base) {return base > 0 ? sprintf("%.2f", value / base) : "-"}

function or_dash(value) {return value == "" ? "-" : value}

function one_launch(section, heading,    i, tool) {
    if (!(section in seen)) return
    printf "\n%s\n%-29s %9s %9s %9s %7s %8s\n", heading, "", "median us", "min us", "p90 us", "x exec", "x floor"
    for (i = 1; i in order; i++) {
        tool = order[i]
        if ((section, tool) in why)
            printf "%-29s %s\n", name(tool), why[section, tool]
        else if ((section, tool) in median)
            printf "%-29s %9.0f %9.0f %9.0f %7s %8s\n", name(tool), median[section, tool], minimum[section, tool],
                p90[section, tool], ratio(median[section, tool], exec_base[section, tool]),
                ratio(median[section, tool], floor_base[section, tool])
    }
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
                ratio(median["squashfs", tool], exec_base["squashfs", tool]),
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

END {
    printf "Launches on %s (%s)\n", facts, day
    one_launch("pair", "Coracle and the floor alone, in turns launch by launch, on one CPU: what check.awk holds to the target")
    one_launch("one", "One launch after the other, on one CPU")
    resources()
    squashfs()
    one_launch("burst", burst " launches at once: time until all have ended")
    one_launch("mounts", "On a host with 1,000 mounts more, on one CPU")
    binds()
}
