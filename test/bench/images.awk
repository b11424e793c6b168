# images.awk - the figures of images: -v show=table, check (status 1 where a target is
# missed) or chart (an SVG of CPU and wall time).

BEGIN {
    FS = "\t"
    split("coracle-zstd coracle-lz4 umoci-gzip umoci-zstd charliecloud buildah podman small-50000 small-200000", order, " ")
    split("tls hash inflate compress-zstd compress-lz4", parts, " ")
    title["coracle-zstd"] = "coracle pull (zstd 1)"
    title["coracle-lz4"] = "coracle pull, lz4"
    title["umoci-gzip"] = "skopeo, umoci, mksquashfs gzip"
    title["umoci-zstd"] = "skopeo, umoci, mksquashfs zstd 1"
    title["charliecloud"] = "ch-image pull, ch-convert"
    title["buildah"] = "buildah, mksquashfs zstd 1"
    title["podman"] = "podman, mksquashfs zstd 1"
    title["small-50000"] = "coracle pull, 50,000 small files"
    title["small-200000"] = "coracle pull, 200,000 small files"
    title["tls"] = "TLS (curl)"
    title["hash"] = "SHA-256 of layers and tars"
    title["inflate"] = "inflating"
    title["compress-zstd"] = "compressing, zstd 1"
    title["compress-lz4"] = "compressing, lz4"
    peers["umoci-gzip"] = peers["umoci-zstd"] = peers["charliecloud"] = peers["buildah"] = peers["podman"] = 1
}

$1 == "facts" {facts = $2; day = $3; next}
$1 == "skip" {why[$2] = $3; next}
$1 == "part" {n = ++count[$2]; figure[$2, "cpu", n] = $3; next}
$1 == "way" {
    n = ++count[$2]
    figure[$2, "wall", n] = $3; figure[$2, "cpu", n] = $4; figure[$2, "peak", n] = $5
    figure[$2, "written", n] = $6; figure[$2, "files", n] = $7; figure[$2, "size", n] = $8
}

function median(name, what,    i, j, n, value) {
    n = count[name]
    for (i = 1; i <= n; i++) {
        for (j = i - 1; j > 0 && value[j] > figure[name, what, i]; j--) value[j + 1] = value[j]
        value[j + 1] = figure[name, what, i]
    }
    return value[int((n + 1) / 2)]
}

function floor_of(method) {
    return median("tls", "cpu") + median("hash", "cpu") + median("inflate", "cpu") + median("compress-" method, "cpu")
}

function table(    i, way) {
    printf "From a registry to a runnable SquashFS, on %s (%s)\n\n", facts, day
    printf "%-33s %7s %7s %7s %9s %9s %8s %9s %4s\n", "", "wall s", "CPU s", "x floor", "peak MiB", "MB written", "files", "MB result", "runs"
    for (i = 1; i in order; i++) {
        way = order[i]
        if (way in count)
            printf "%-33s %7.2f %7.2f %7s %9.0f %10.0f %8d %9.0f %4d\n", title[way], median(way, "wall"), median(way, "cpu"),
                way ~ /^coracle/ ? sprintf("%.2f", median(way, "cpu") / floor_of(substr(way, 9))) : "-",
                median(way, "peak") / 1024, median(way, "written"), median(way, "files"), median(way, "size") / 1e6, count[way]
        else if (way in why)
            printf "%-33s %s\n", title[way], why[way]
    }
    printf "\nWhat the parts cost by themselves\n"
    for (i = 1; i in parts; i++)
        printf "%-33s %7s %7.2f\n", title[parts[i]], "", median(parts[i], "cpu")
    printf "%-33s %7s %7.2f\n%-33s %7s %7.2f\n", "floor, zstd 1", "", floor_of("zstd"), "floor, lz4", "", floor_of("lz4")
}

function target(what, value, limit,    good) {
    good = value <= limit
    printf "%s  %-62s %10.2f  at most %.2f\n", good ? "ok    " : "MISSED", what, value, limit
    if (!good) missed = 1
}

function ahead(peer, what, unit) {
    if (median("coracle-zstd", what) >= median(peer, what)) {
        printf "MISSED  ahead of %s in %s\n", title[peer], unit
        missed = 1
    }
}

function check(    peer, way) {
    print ""
    target("zstd 1: CPU-seconds, times those of its parts", median("coracle-zstd", "cpu") / floor_of("zstd"), 1.25)
    target("lz4: CPU-seconds, times those of its parts", median("coracle-lz4", "cpu") / floor_of("lz4"), 1.25)
    target("zstd 1: wall seconds, times half of its CPU-seconds", median("coracle-zstd", "wall") / (median("coracle-zstd", "cpu") / 2), 1.25)
    for (way in count)
        if (way ~ /^(coracle|small)-/) target(title[way] ": peak MiB", median(way, "peak") / 1024, 128)
    if ("small-200000" in count)
        target("CPU-seconds of 200,000 small files, times 4 x those of 50,000", median("small-200000", "cpu") / median("small-50000", "cpu") / 4, 1.25)
    for (peer in peers) {
        if (!(peer in count)) continue
        ahead(peer, "wall", "wall time")
        ahead(peer, "cpu", "CPU-seconds")
        ahead(peer, "peak", "memory")
        ahead(peer, "written", "MB written")
        ahead(peer, "files", "files")
    }
}

function text(x, y, class, content) {
    gsub(/&/, "\\&amp;", content); gsub(/</, "\\&lt;", content)
    body = body sprintf("<text x=\"%.1f\" y=\"%.1f\" class=\"%s\">%s</text>\n", x, y, class, content)
}

function panel(what, heading, y,    i, way, longest, width) {
    text(230, y, "head", heading)
    for (way in count) if (what == "cpu" || way in title && (way, what, 1) in figure)
        if (median(way, what) > longest && way !~ /^small/) longest = median(way, what)
    for (i = 1; i in order; i++) {
        way = order[i]
        if (!(way in count) || way ~ /^small/) continue
        y += 24
        width = 440 * median(way, what) / longest
        body = body sprintf("<rect x=\"230\" y=\"%.1f\" width=\"%.1f\" height=\"18\" class=\"%s\"/>\n", y - 14, width, way ~ /^coracle/ ? "ours" : "bar")
        text(222, y, "name", title[way])
        text(236 + width, y, "value", sprintf("%.1f s", median(way, what)))
    }
    return y + 40
}

function chart(    y) {
    text(20, 28, "title", "From a registry to a runnable SquashFS (median)")
    text(20, 46, "note", facts ", " day)
    y = panel("wall", "wall time", 80)
    y = panel("cpu", "CPU time, user and system", y)
    text(230, y - 14, "note", sprintf("TLS, hashing, inflating and compressing the same bytes by themselves: %.1f s", floor_of("zstd")))
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 820 %d\" font-family=\"sans-serif\" font-size=\"13\">\n", y
    print "<style>.title{font-size:17px;font-weight:bold}.head{font-weight:bold}.note{font-size:11px;fill:#555}"
    print ".name{text-anchor:end}.bar{fill:#9aa7b4}.ours{fill:#1f6fb2}</style>"
    printf "<rect width=\"820\" height=\"%d\" fill=\"#fff\"/>\n%s</svg>\n", y, body
}

END {
    if (show == "chart") chart()
    else if (show == "check") check()
    else table()
    exit missed
}
