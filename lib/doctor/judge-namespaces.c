/* User and mount namespaces, id maps. user_namespaces(7) */
#include "doctor/verdicts.h"

static const char section[] = "namespaces";
static const char nothing_runs[] = "nothing runs here";

/* A profile of AppArmor or SELinux may be for coracle and not for the doctor: then launches work all the
 * same. */
static void set_failure(const struct doctor_facts *facts, struct doctor_finding *finding)
{
    const int works = facts->directory.status == 0;

    finding->verdict = works ? DOCTOR_NOTE : DOCTOR_FAIL;
    finding->consequence =
        works ? "launches work, but coracle-doctor itself is kept from looking further" : nothing_runs;
}

static void judge_first(const struct doctor_facts *facts, struct doctor_findings *findings)
{
    const struct doctor_namespaces *found = &facts->namespaces;
    struct doctor_finding finding = {.section = section, .name = "user-namespaces"};
    struct refusal refusal;

    if (found->together == 0) {
        finding.what = "made, with a mount namespace";
        doctor_add(findings, finding);
        return;
    }
    set_failure(facts, &finding);
    if (found->together == DOCTOR_UNTRIED) {
        finding.what = "the process that asked for one was killed, as a seccomp filter of a container does";
        finding.remedy = "who started the container can allow unshare";
        finding.by = "site";
        doctor_add(findings, finding);
        return;
    }
    if (refusal_of_namespaces(&facts->switches, found->together, &refusal)) {
        doctor_add_refusal(findings, finding, &refusal);
        return;
    }
    finding.what = arena_printf(findings->arena, "unshare: %s", err_reason(found->together));
    doctor_add(findings, finding);
}

/* Some security modules let it be made and then forbid all that it is for. */
static void judge_half(const struct doctor_facts *facts, struct doctor_findings *findings)
{
    const struct doctor_namespaces *found = &facts->namespaces;
    struct doctor_finding finding = {.section = section, .name = "half-way", .verdict = DOCTOR_NOTE};

    if (found->together == 0 || found->apart != 0)
        return;
    finding.what =
        found->mount == 0
            ? "a user namespace, and then a mount namespace in it, can be made, but not in one call"
            : arena_printf(findings->arena,
                           "a user namespace alone can be made, but a mount namespace in it cannot "
                           "(%s): it gives no capabilities",
                           err_reason(found->mount));
    finding.consequence = "a security module lets namespaces be made and forbids what they are for";
    doctor_add(findings, finding);
}

static void judge_maps(const struct doctor_facts *facts, struct doctor_findings *findings)
{
    const struct doctor_namespaces *found = &facts->namespaces;
    struct doctor_finding finding = {.section = section, .name = "id-maps"};
    struct refusal refusal;

    if (found->maps == DOCTOR_UNTRIED)
        return;
    if (found->maps == 0) {
        finding.what = "your user and group are mapped to themselves";
        doctor_add(findings, finding);
        return;
    }
    set_failure(facts, &finding);
    if (refusal_of_id_map(&facts->switches, found->maps, &refusal)) {
        doctor_add_refusal(findings, finding, &refusal);
        return;
    }
    finding.what = arena_printf(findings->arena, "they cannot be written: %s", err_reason(found->maps));
    finding.remedy =
        "a security module or a container around us forbids it, or /proc is not mounted or read-only";
    finding.by = "site";
    doctor_add(findings, finding);
}

/* Within a namespace another is made: the image server's of its own is one more of the user's count. */
static void judge_again(const struct doctor_facts *facts, struct doctor_findings *findings)
{
    struct doctor_finding finding = {.section = section, .name = "nested", .verdict = DOCTOR_WARN};
    struct refusal refusal;

    if (facts->namespaces.again == DOCTOR_UNTRIED)
        return;
    if (facts->namespaces.again == 0) {
        finding.verdict = DOCTOR_OK;
        finding.what = "made inside another";
        doctor_add(findings, finding);
        return;
    }
    finding.consequence = "SquashFS images and --root do not work";
    if (refusal_of_namespaces(&facts->switches, facts->namespaces.again, &refusal)) {
        doctor_add_refusal(findings, finding, &refusal);
        return;
    }
    finding.what =
        arena_printf(findings->arena, "one inside another: %s", err_reason(facts->namespaces.again));
    doctor_add(findings, finding);
}

static void judge_join(const struct doctor_facts *facts, struct doctor_findings *findings)
{
    struct doctor_finding finding = {.section = section, .name = "joining"};

    if (facts->namespaces.join == DOCTOR_UNTRIED)
        return;
    if (facts->namespaces.join == 0) {
        finding.what = "a second process enters them";
    } else {
        finding.verdict = DOCTOR_SLOW;
        finding.consequence =
            "each rank has its own namespaces: MPI cannot copy between ranks of a node, and "
            "each mounts the image by itself";
        finding.what = arena_printf(findings->arena, "setns: %s", err_reason(facts->namespaces.join));
        finding.remedy = "who set the filter or policy around us can allow setns";
        finding.by = "site";
    }
    doctor_add(findings, finding);
}

void judge_namespaces(const struct doctor_facts *facts, struct doctor_findings *findings)
{
    judge_first(facts, findings);
    judge_half(facts, findings);
    judge_maps(facts, findings);
    judge_again(facts, findings);
    judge_join(facts, findings);
}
