# chart.awk - draws the figures of launch, or with -v bench=meet of meet, as an SVG:
# one panel of bars for each section, with one logarithmic axis for all.

BEGIN {
    FS = "\t"
    split(bench == "meet" ? "exec launcher alone-directory equal-directory equal-squashfs other-directory " \
        "other-squashfs first-directory first-squashfs cold-directory cold-squashfs alone-squashfs" : \
        "exec floor unshare coracle bubblewrap charliecloud crun runc", order, " ")
    split(bench == "meet" ? "one mounts-1000 burst-64 burst-256" : "one mounts burst", sections, " ")
    base = bench == "meet" ? "launcher" : "exec"
    heading["one"] = "one launch after the other"
    heading["mounts"] = heading["mounts-1000"] = "on a host with 1,000 mounts more"
    heading["burst-64"] = "64 launches at once, nobody there before, per launch"
    heading["burst-256"] = "256 launches at once, nobody there before, per launch"
    launches["one"] = launches["mounts"] = launches["mounts-1000"] = 1
    launches["burst-64"] = 64; launches["burst-256"] = 256
    left = 150; width = 500; bar = 18; row = 24
    low = 10; decades = 4 # 10 us to 100 ms
}

$1 == "facts" {facts = $2; day = $3; launches["burst"] = $4; heading["burst"] = $4 " launches at once, per launch"; next}
$1 ~ /^(calls|peak|started|missed|pages|mpi|cma)$/ || $3 == "-" {next}
{value[$1, $2] = $3; first_base[$1, $2] = $7; seen[$1] = 1}

function text(x, y, class, content) {
    gsub(/&/, "\\&amp;", content); gsub(/</, "\\&lt;", content)
    body = body sprintf("<text x=\"%.1f\" y=\"%.1f\" class=\"%s\">%s</text>\n", x, y, class, content)
}

function position(us) {return left + width * log(us / low) / log(10) / decades}

function length_of(us) {return us >= 1000 ? sprintf("%.2f ms", us / 1000) : sprintf("%.0f us", us)}

function axis(top, bottom,    d, x) {
    for (d = 0; d <= decades; d++) {
        x = position(low * 10 ^ d)
        body = body sprintf("<path d=\"M%.1f %.1fV%.1f\" class=\"grid\"/>\n", x, top, bottom)
        text(x, bottom + 14, "tick", d < 2 ? low * 10 ^ d " us" : low * 10 ^ d / 1000 " ms")
    }
}

function panel(section, y,    i, tool, us, rows) {
    text(left, y, "head", heading[section])
    y += 10
    for (i = 1; i in order; i++) rows += (section, order[i]) in value
    axis(y, y + rows * row)
    for (i = 1; i in order; i++) {
        tool = order[i]
        if (!((section, tool) in value)) continue
        us = value[section, tool] / launches[section]
        body = body sprintf("<rect x=\"%d\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" class=\"%s\"/>\n", left, y + 3,
            position(us) - left, bar, tool ~ /^(coracle$|equal-|cold-)/ ? "ours" : "bar")
        text(left - 8, y + 17, "name", tool)
        text(position(us) + 6, y + 17, "value", length_of(us) "  " sprintf("(%.1f x %s)", value[section, tool] / first_base[section, tool], base))
        y += row
    }
    return y + 50
}

END {
    text(20, 28, "title", "What a launch costs" (bench == "meet" ? " where ranks meet" : "") " (median, logarithmic axis)")
    text(20, 46, "note", facts ", " day)
    y = 80
    for (i = 1; i in sections; i++) if (sections[i] in seen) y = panel(sections[i], y)
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 820 %d\" font-family=\"sans-serif\" font-size=\"13\">\n", y
    print "<style>.title{font-size:17px;font-weight:bold}.head{font-weight:bold}.note,.tick{font-size:11px;fill:#555}"
    print ".name{text-anchor:end}.tick{text-anchor:middle}.grid{stroke:#ddd}.bar{fill:#9aa7b4}.ours{fill:#1f6fb2}</style>"
    printf "<rect width=\"820\" height=\"%d\" fill=\"#fff\"/>\n%s</svg>\n", y, body
}
