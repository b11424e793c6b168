/* FUSE, through which a SquashFS image is mounted. */
#include <errno.h>

#include "base/str.h"
#include "doctor/verdicts.h"

static const char section[] = "fuse";

/* Where the launch that was tried did without a mount, it unpacked the image. */
static void refused(const struct doctor_facts *facts, struct doctor_findings *findings, const char *name,
                    int outcome,
                    int (*why)(const struct userns_switches *switches, int errnum, struct refusal *refusal))
{
    struct doctor_finding finding = {.section = section, .name = name, .verdict = DOCTOR_WARN};
    struct refusal refusal;

    finding.consequence = "SquashFS images do not run";
    if (facts->squashfs.status == 0) {
        finding.verdict = DOCTOR_SLOW;
        finding.consequence =
            "a SquashFS image is not mounted: each job unpacks it to the node's storage first";
    }
    if (why(&facts->switches, outcome, &refusal)) {
        doctor_add_refusal(findings, finding, &refusal);
        return;
    }
    finding.what = arena_printf(findings->arena, "%s: %s", name, err_reason(outcome));
    finding.remedy = "it is no device of FUSE, or a filter or policy around us forbids it; who set that can "
                     "allow it";
    finding.by = "site";
    doctor_add(findings, finding);
}

static void judge_second(const struct doctor_facts *facts, struct doctor_findings *findings)
{
    struct doctor_finding finding = {.section = section, .name = "second-mount"};

    if (facts->fuse.second == DOCTOR_UNTRIED)
        return;
    if (facts->fuse.second == 0) {
        finding.what = "ranks of a node share one mount, its server and its page cache";
    } else {
        finding.verdict = DOCTOR_SLOW;
        finding.consequence =
            "ranks of a node with different binds each have a server and a cache of the image";
        finding.what = arena_printf(findings->arena, "a second mount of one connection: %s",
                                    err_reason(facts->fuse.second));
        finding.remedy = "Linux 5.15 or EL 9.1 can; give all ranks of a step the same options";
        finding.by = "user";
    }
    doctor_add(findings, finding);
}

void judge_fuse(const struct doctor_facts *facts, struct doctor_findings *findings)
{
    const struct doctor_fuse *found = &facts->fuse;

    if (found->node > 0 || found->open > 0) {
        refused(facts, findings, "/dev/fuse", found->node > 0 ? found->node : found->open,
                refusal_of_fuse_device);
        return;
    }
    if (found->mount > 0)
        refused(facts, findings, "fuse-mount", found->mount, refusal_of_fuse_mount);
    if (found->mount == 0)
        doctor_add(findings, (struct doctor_finding){.section = section,
                                                     .name = "fuse-mount",
                                                     .what = "/dev/fuse is open to you and can be mounted"});
    judge_second(facts, findings);
}
