#include "doctor/judge.h"

#include "base/str.h"
#include "doctor/verdicts.h"

void doctor_add(struct doctor_findings *findings, struct doctor_finding finding)
{
    findings->items = arena_grow(findings->arena, findings->items, findings->count, &findings->room,
                                 sizeof(*findings->items));
    findings->items[findings->count++] = finding;
}

void doctor_add_refusal(struct doctor_findings *findings, struct doctor_finding finding,
                        const struct refusal *refusal)
{
    finding.what = refusal->reason ? arena_printf(findings->arena, "%s (%s)", refusal->what, refusal->reason)
                                   : refusal->what;
    finding.remedy = refusal->remedy;
    finding.by = refusal->by;
    doctor_add(findings, finding);
}

const char *doctor_size(struct arena *arena, uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;

    for (; bytes >= 10240 && unit < sizeof(units) / sizeof(units[0]) - 1; unit++)
        bytes /= 1024;
    return arena_printf(arena, "%llu %s", (unsigned long long)bytes, units[unit]);
}

void doctor_judge(const struct doctor_facts *facts, struct doctor_findings *findings)
{
    judge_trials(facts, findings);
    judge_namespaces(facts, findings);
    judge_mounts(facts, findings);
    judge_fuse(facts, findings);
    judge_storage(facts, findings);
    judge_jobs(facts, findings);
    judge_hardware(facts, findings);
}

size_t doctor_count(const struct doctor_findings *findings, enum doctor_verdict verdict)
{
    size_t count = 0;

    for (size_t i = 0; i < findings->count; i++)
        count += findings->items[i].verdict == verdict;
    return count;
}

enum doctor_verdict doctor_worst(const struct doctor_findings *findings)
{
    enum doctor_verdict worst = DOCTOR_OK;

    for (size_t i = 0; i < findings->count; i++)
        if (findings->items[i].verdict > worst)
            worst = findings->items[i].verdict;
    return worst;
}

int doctor_status(const struct doctor_findings *findings)
{
    static const int statuses[] = {
        [DOCTOR_OK] = 0, [DOCTOR_NOTE] = 0, [DOCTOR_SLOW] = 1, [DOCTOR_WARN] = 2, [DOCTOR_FAIL] = 3};

    return statuses[doctor_worst(findings)];
}
