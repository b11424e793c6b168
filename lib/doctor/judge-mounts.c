/* What the kernel offers for mounting, in a user namespace. */
#include <errno.h>

#include "base/str.h"
#include "doctor/verdicts.h"

static const char section[] = "mounts";

static int works(const struct doctor_facts *facts)
{
    return facts->directory.status == 0;
}

/* CALL came with Linux SINCE. Where it is missing and a launch works all the same, there is an older way. */
static void judge_call(const struct doctor_facts *facts, struct doctor_findings *findings, const char *call,
                       int outcome, const char *since)
{
    struct doctor_finding finding = {.section = section, .name = call};

    if (outcome == DOCTOR_UNTRIED || outcome == 0)
        return;
    finding.what = arena_printf(findings->arena, "%s: %s", call, err_reason(outcome));
    finding.verdict = works(facts) ? DOCTOR_SLOW : DOCTOR_FAIL;
    finding.consequence = works(facts) ? "an older way with more steps is taken" : "nothing runs here";
    finding.remedy =
        outcome == ENOSYS
            ? arena_printf(findings->arena, "it is there since Linux %s, where no filter around us hides it",
                           since)
            : "a filter or policy around us forbids it; who set that can allow it";
    finding.by = "site";
    doctor_add(findings, finding);
}

static int call_works(int outcome)
{
    return outcome == 0;
}

static void judge_overlay(const struct doctor_facts *facts, struct doctor_findings *findings)
{
    struct doctor_finding finding = {.section = section, .name = "overlay"};
    const int outcome = facts->mounts.overlay;

    if (outcome == DOCTOR_UNTRIED)
        return;
    if (outcome == 0) {
        finding.what = "mounted";
    } else {
        finding.verdict = DOCTOR_WARN;
        finding.consequence = "--writable-tmpfs does not work";
        finding.what =
            arena_printf(findings->arena, "an overlay in a user namespace: %s", err_reason(outcome));
        finding.remedy = "put a --tmpfs where the command writes; Linux 5.11 allows an overlay";
        finding.by = "user";
    }
    doctor_add(findings, finding);
}

static void judge_tmpfs(const struct doctor_facts *facts, struct doctor_findings *findings)
{
    struct doctor_finding finding = {.section = section, .name = "tmpfs", .verdict = DOCTOR_WARN};

    if (facts->mounts.tmpfs == DOCTOR_UNTRIED || facts->mounts.tmpfs == 0)
        return;
    finding.consequence = "--tmpfs, and mount points that an image lacks, do not work";
    finding.what =
        arena_printf(findings->arena, "a tmpfs in a user namespace: %s", err_reason(facts->mounts.tmpfs));
    finding.remedy = "a filter or policy around us forbids it; who set that can allow it";
    finding.by = "site";
    doctor_add(findings, finding);
}

void judge_mounts(const struct doctor_facts *facts, struct doctor_findings *findings)
{
    const struct doctor_mounts *found = &facts->mounts;

    if (call_works(found->open_tree) && call_works(found->move_mount) && call_works(found->openat2) &&
        call_works(found->mount_setattr) && call_works(found->fsopen) && call_works(found->tmpfs))
        doctor_add(findings, (struct doctor_finding){
                                 .section = section,
                                 .name = "mount-calls",
                                 .what = "open_tree, move_mount, openat2, mount_setattr and a tmpfs work"});
    judge_call(facts, findings, "open_tree", found->open_tree, "5.2");
    judge_call(facts, findings, "move_mount", found->move_mount, "5.2");
    judge_call(facts, findings, "fsopen", found->fsopen, "5.2");
    judge_call(facts, findings, "openat2", found->openat2, "5.6");
    judge_call(facts, findings, "mount_setattr", found->mount_setattr, "5.12");
    judge_tmpfs(facts, findings);
    judge_overlay(facts, findings);
}
