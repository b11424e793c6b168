#include "doctor/print.h"

#include <string.h>

#include "base/json.h"

static const struct {
    const char *name;
    const char *colour; /* ECMA-48, SGR */
    const char *word;   /* of a node where it is the worst */
    const char *sum;
} verdicts[] = {
    [DOCTOR_OK] = {"ok", "32", "works", "coracle run works here."},
    [DOCTOR_NOTE] = {"note", "36", "works", "coracle run works here."},
    [DOCTOR_SLOW] = {"slow", "33", "slower", "coracle run works here, slower than it could."},
    [DOCTOR_WARN] = {"warn", "35", "partly", "coracle run works here, but not everything does."},
    [DOCTOR_FAIL] = {"fail", "31", "fails", "coracle run does not work here."},
};

const char *doctor_verdict_name(enum doctor_verdict verdict)
{
    return verdicts[verdict].name;
}

static void print_finding(const struct doctor_finding *finding, int has_colour, struct str *out)
{
    const char *colour = verdicts[finding->verdict].colour;

    if (has_colour)
        str_addf(out, "  \033[%sm%-4s\033[0m  ", colour, verdicts[finding->verdict].name);
    else
        str_addf(out, "  %-4s  ", verdicts[finding->verdict].name);
    str_addf(out, "%s: ", finding->name);
    if (finding->consequence)
        str_addf(out, "%s: ", finding->consequence);
    str_add(out, finding->what);
    if (finding->remedy)
        str_addf(out, "; %s", finding->remedy);
    str_add_char(out, '\n');
}

static void print_names(const struct doctor_findings *findings, enum doctor_verdict verdict,
                        const char *title, struct str *out)
{
    const char *separator = " ";

    if (!doctor_count(findings, verdict))
        return;
    str_addf(out, " %s:", title);
    for (size_t i = 0; i < findings->count; i++)
        if (findings->items[i].verdict == verdict) {
            str_addf(out, "%s%s", separator, findings->items[i].name);
            separator = ", ";
        }
    str_add_char(out, '.');
}

void doctor_print(const struct doctor_facts *facts, const struct doctor_findings *findings,
                  const struct doctor_style *style, struct str *out)
{
    const char *section = "";

    if (!style->is_quiet)
        str_addf(out, "coracle %s, Linux %s %s%s%s\n", PACKAGE_VERSION, facts->kernel.release,
                 facts->kernel.machine, *facts->kernel.modules ? ", security modules " : "",
                 facts->kernel.modules);
    for (size_t i = 0; i < findings->count; i++) {
        const struct doctor_finding *finding = &findings->items[i];

        if (style->is_quiet && finding->verdict <= DOCTOR_NOTE)
            continue;
        if (strcmp(section, finding->section) != 0)
            str_addf(out, "%s\n", finding->section);
        section = finding->section;
        print_finding(finding, style->has_colour, out);
    }
    str_add(out, verdicts[doctor_worst(findings)].sum);
    print_names(findings, DOCTOR_FAIL, "Breaks every launch", out);
    print_names(findings, DOCTOR_WARN, "Breaks some", out);
    print_names(findings, DOCTOR_SLOW, "Costs speed", out);
    str_add_char(out, '\n');
}

/* TEXT, or null. */
static void add_text(struct json_writer *writer, const char *name, const char *text)
{
    if (text)
        json_text(writer, name, text);
    else
        json_null(writer, name);
}

static void add_finding(struct json_writer *writer, const struct doctor_finding *finding)
{
    json_object(writer, NULL);
    json_text(writer, "section", finding->section);
    json_text(writer, "name", finding->name);
    json_text(writer, "verdict", doctor_verdict_name(finding->verdict));
    json_text(writer, "finding", finding->what);
    add_text(writer, "consequence", finding->consequence);
    add_text(writer, "remedy", finding->remedy);
    add_text(writer, "by", finding->remedy ? finding->by : NULL);
    json_end(writer, '}');
}

void doctor_print_json(const struct doctor_facts *facts, const struct doctor_findings *findings,
                       struct str *out)
{
    struct json_writer writer = {.out = out};

    json_object(&writer, NULL);
    json_text(&writer, "version", PACKAGE_VERSION);
    json_text(&writer, "kernel", facts->kernel.release);
    json_text(&writer, "machine", facts->kernel.machine);
    json_text(&writer, "run", verdicts[doctor_worst(findings)].word);
    json_number(&writer, "status", (uint64_t)doctor_status(findings));
    json_array(&writer, "findings");
    for (size_t i = 0; i < findings->count; i++)
        add_finding(&writer, &findings->items[i]);
    json_end(&writer, ']');
    json_end(&writer, '}');
    str_add_char(out, '\n');
}
