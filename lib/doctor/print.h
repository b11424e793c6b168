/*
 * print - findings as text, and as JSON.
 */
#ifndef CORACLE_DOCTOR_PRINT_H
#define CORACLE_DOCTOR_PRINT_H

#include "base/str.h"
#include "doctor/judge.h"

struct doctor_style {
    int is_quiet;   /* only what is not in order */
    int has_colour; /* verdicts are coloured: for a terminal */
};

/*
 * A line a finding: "  VERDICT NAME: CONSEQUENCE: WHAT; REMEDY", under the name of its
 * section, and a last line that sums up.
 */
void doctor_print(const struct doctor_facts *facts, const struct doctor_findings *findings,
                  const struct doctor_style *style, struct str *out);

/* One object; doc/doctor.md tells what is in it. */
void doctor_print_json(const struct doctor_facts *facts, const struct doctor_findings *findings,
                       struct str *out);

/* "ok", "note", "slow", "warn", "fail" */
const char *doctor_verdict_name(enum doctor_verdict verdict);

#endif
