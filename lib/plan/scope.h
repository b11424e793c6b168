/*
 * scope - which launches of one user on one node meet: share a user namespace, an
 * image server and a view.
 *
 * Launches whose scopes have equal names meet. What else must be equal (user, group,
 * host, boot, namespaces) is in the key of the meeting, not here.
 *
 * By default the ranks of one run meet: of one srun, one mpirun, one mpiexec. Nothing
 * in the environment says which launcher came last, as each leaves the variables of
 * those around it in place. So a name holds all that is known, the job first, the run
 * within it last: two runs differ if anything differs, and what is left over from an
 * outer launcher is the same for every rank of the inner one. `--share=job` names the
 * job alone.
 *
 * What is in doubt meets: runs that meet without need share a broker and notice
 * nothing, ranks that miss each other lose fast copies between them and read their
 * image twice. So a variable that is malformed (empty, longer than
 * SCOPE_VALUE_LIMIT bytes, not UTF-8, with a blank, a comma or a control character)
 * counts as not set: no launcher writes such a thing, and the next source is wider.
 */
#ifndef CORACLE_PLAN_SCOPE_H
#define CORACLE_PLAN_SCOPE_H

#include <stdint.h>

#include "base/arena.h"

enum share_mode {
    SHARE_STEP,    /* the run, else the job, else the session; the default */
    SHARE_JOB,     /* the job, else the run, else the session */
    SHARE_SESSION, /* setsid(2) */
    SHARE_USER,    /* everything of this user */
    SHARE_NONE,    /* the launch is alone */
    SHARE_NAMED,   /* everything that names the same key */
};

/* How each is called but the last. */
extern const char *const scope_words[SHARE_NAMED];

/* What is not in the environment. Each is used only where scope_needs() asks for it. */
struct scope_facts {
    int64_t session;    /* getsid(0) */
    int64_t launcher;   /* the parent of the session's leader: the second number (the fourth field) of
                           /proc/SESSION/stat; 0 where it cannot be read */
    const char *cgroup; /* the text of /proc/self/cgroup; NULL where it cannot be read */
};

enum scope_need { SCOPE_SESSION = 1 << 0, SCOPE_CGROUP = 1 << 1, SCOPE_LAUNCHER = 1 << 2 };

struct scope {
    int shared;         /* 0: the launch is alone, name is NULL */
    const char *name;   /* "slurm step 1234.0", "slurm job 7, openmpi 42415", "session 4711", "key my-key" */
    const char *origin; /* what said so: "SLURM_JOB_ID SLURM_STEP_ID", "session", "--share PBS_JOBID" */
};

/* In bytes: the value of a variable (PMIX_MAX_NSLEN is 255), and a key. */
enum { SCOPE_VALUE_LIMIT = 255, SCOPE_KEY_LIMIT = 255 };

/*
 * The value of --share: step, job, session, user, none, or a KEY. 0 with *MODE and
 * *KEY, which points into VALUE and is NULL unless *MODE is SHARE_NAMED; -1 where VALUE
 * is empty, longer than SCOPE_KEY_LIMIT bytes, not UTF-8, or has a control character.
 */
int scope_parse(const char *value, enum share_mode *mode, const char **key);

/* The facts that scope_choose() will look at: SCOPE_... */
unsigned scope_needs(enum share_mode mode, char *const environment[]);

/*
 * Fills SCOPE. KEY is for SHARE_NAMED. ORIGIN is who set the mode ("--share",
 * "CORACLE_SHARE"), NULL for the default. The texts are of ARENA, or are static.
 */
void scope_choose(struct scope *scope, enum share_mode mode, const char *key, const char *origin,
                  char *const environment[], const struct scope_facts *facts, struct arena *arena);

#endif
