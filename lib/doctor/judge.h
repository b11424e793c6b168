/*
 * judge - what facts about a node mean for jobs, and what helps. Pure.
 */
#ifndef CORACLE_DOCTOR_JUDGE_H
#define CORACLE_DOCTOR_JUDGE_H

#include "base/arena.h"
#include "doctor/facts.h"

/* In this order: each is worse than the one before. */
enum doctor_verdict {
    DOCTOR_OK,
    DOCTOR_NOTE, /* good to know */
    DOCTOR_SLOW, /* it works and costs time or memory */
    DOCTOR_WARN, /* some launches do not work, or not in full */
    DOCTOR_FAIL, /* no launch works */
};

/* All strings belong to the arena or are constants; NULL: there is nothing to say. */
struct doctor_finding {
    const char *section; /* findings of one stand together */
    const char *name;    /* stable, "user-namespaces" */
    enum doctor_verdict verdict;
    const char *what;        /* was found */
    const char *consequence; /* for jobs */
    const char *remedy;
    const char *by; /* who can do that: "user" or "site" */
};

struct doctor_findings {
    struct arena *arena;
    struct doctor_finding *items;
    size_t count, room;
};

/* Adds what FACTS mean. ARENA of FINDINGS has to be set. */
void doctor_judge(const struct doctor_facts *facts, struct doctor_findings *findings);

/* The worst of all, and how many there are of VERDICT. */
enum doctor_verdict doctor_worst(const struct doctor_findings *findings);
size_t doctor_count(const struct doctor_findings *findings, enum doctor_verdict verdict);

/*
 * The exit status: 0, all that was tried works; 1, it works and something costs speed; 2,
 * some launches do not work; 3, none does.
 */
int doctor_status(const struct doctor_findings *findings);

#endif
