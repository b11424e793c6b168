/* The installation, and whole launches. */
#include <string.h>

#include "base/str.h"
#include "doctor/verdicts.h"

static const char section[] = "launch";

static const struct {
    const char *name, *consequence;
    enum doctor_verdict verdict;
} lacks[] = {
    {"coracle", "nothing runs here", DOCTOR_FAIL},
    {"coracle-record", "your name, configuration files and Slurm's are not known inside", DOCTOR_WARN},
    {"coracle-fuse", "SquashFS images do not run", DOCTOR_WARN},
    {"coracle-broker", "ranks of a node share nothing", DOCTOR_SLOW},
    {"coracle-image", "images cannot be fetched or converted", DOCTOR_WARN},
    {"coracle-config", "what is configured cannot be printed or checked", DOCTOR_NOTE},
};

static void judge_program(const struct doctor_facts *facts, const struct doctor_program *found,
                          struct doctor_findings *findings)
{
    struct doctor_finding finding = {.section = section, .name = found->name, .by = "site"};

    for (size_t i = 0; i < sizeof(lacks) / sizeof(lacks[0]); i++)
        if (strcmp(lacks[i].name, found->name) == 0) {
            finding.verdict = lacks[i].verdict;
            finding.consequence = lacks[i].consequence;
        }
    if (!found->is_there) {
        finding.what = arena_printf(findings->arena, "%s was not found", found->name);
        finding.remedy = "install all programs of one build; configure says what it left out, and why";
    } else {
        finding.verdict = DOCTOR_WARN;
        finding.what = *found->build ? arena_printf(findings->arena, "%s is of build %s, not of %s",
                                                    found->name, found->build, facts->build)
                                     : arena_printf(findings->arena, "%s does not say of which build it is",
                                                    found->name);
        finding.consequence = "programs of two builds may not understand each other";
        finding.remedy = "install all programs of one build";
    }
    doctor_add(findings, finding);
}

static void judge_programs(const struct doctor_facts *facts, struct doctor_findings *findings)
{
    int missing = 0;

    for (size_t i = 0; i < DOCTOR_PROGRAMS; i++) {
        const struct doctor_program *found = &facts->programs[i];

        if (!found->name || (found->is_there && found->is_same))
            continue;
        judge_program(facts, found, findings);
        missing = 1;
    }
    if (!missing)
        doctor_add(findings, (struct doctor_finding){.section = section,
                                                     .name = "programs",
                                                     .what = "all are there and of one build"});
}

/* Of a launch that fails the message is the finding. */
static void judge_trial(struct doctor_findings *findings, const char *name, const char *image,
                        const struct doctor_trial *found, enum doctor_verdict verdict,
                        const char *consequence)
{
    struct doctor_finding finding = {.section = section, .name = name};

    if (found->status == DOCTOR_UNTRIED)
        return;
    if (found->status == 0) {
        finding.what = arena_printf(findings->arena, "%s was launched", image);
    } else {
        finding.verdict = verdict;
        finding.consequence = consequence;
        finding.what = found->text;
    }
    doctor_add(findings, finding);
}

void judge_trials(const struct doctor_facts *facts, struct doctor_findings *findings)
{
    judge_trial(findings, "directory", "an image that is a directory", &facts->directory, DOCTOR_FAIL,
                "nothing runs here");
    judge_trial(findings, "squashfs", "a SquashFS image", &facts->squashfs, DOCTOR_WARN,
                "SquashFS images cannot be mounted");
    judge_programs(facts, findings);
    if (*facts->record)
        doctor_add(findings,
                   (struct doctor_finding){
                       .section = section,
                       .name = "configuration",
                       .verdict = facts->record_is_fatal ? DOCTOR_FAIL : DOCTOR_WARN,
                       .what = facts->record,
                       .consequence = facts->record_is_silent  ? "launches hang"
                                      : facts->record_is_fatal ? "nothing runs here"
                                                               : "launches complain of it",
                       .remedy = facts->record_is_silent ? NULL : "coracle config check finds the place",
                       .by = "user"});
}
