/* verdicts - adding findings; for the files of this room that judge. */
#ifndef CORACLE_DOCTOR_VERDICTS_H
#define CORACLE_DOCTOR_VERDICTS_H

#include "doctor/judge.h"

void doctor_add(struct doctor_findings *findings, struct doctor_finding finding);
/* Of what a launch would say as well. */
void doctor_add_refusal(struct doctor_findings *findings, struct doctor_finding finding,
                        const struct refusal *refusal);

/* 0 B to 1023 TiB, "12 GiB". */
const char *doctor_size(struct arena *arena, uint64_t bytes);

void judge_namespaces(const struct doctor_facts *facts, struct doctor_findings *findings);
void judge_mounts(const struct doctor_facts *facts, struct doctor_findings *findings);
void judge_fuse(const struct doctor_facts *facts, struct doctor_findings *findings);
void judge_storage(const struct doctor_facts *facts, struct doctor_findings *findings);
void judge_jobs(const struct doctor_facts *facts, struct doctor_findings *findings);
void judge_hardware(const struct doctor_facts *facts, struct doctor_findings *findings);
void judge_trials(const struct doctor_facts *facts, struct doctor_findings *findings);

#endif
