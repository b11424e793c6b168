/*
 * facts - what the planner knows about the caller and the node, as data.
 *
 * Filled by facts_gather() in programs, by hand in tests: the planner itself
 * asks nobody.
 */
#ifndef CORACLE_HOST_FACTS_H
#define CORACLE_HOST_FACTS_H

#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "host/record.h"

struct host_facts {
    uint32_t uid, gid; /* effective ids */
    /*
     * The current directory as the user calls it ($PWD, where it names the same
     * directory) and as the kernel does; NULL where it has been removed or lies
     * out of reach.
     */
    const char *cwd;
    const char *physical_cwd;
    char *const *environment; /* ends with NULL */
    /* facts_gather_session() and so on: what only few launches need to know. */
    pid_t session;      /* getsid(2) */
    pid_t launcher;     /* the parent of the session's leader; 0 where it is not known */
    const char *cgroup; /* the text of /proc/self/cgroup; NULL where it is not known */
    struct host_record record;
};

/*
 * Asks the kernel and the node's record. ENVIRONMENT is kept by reference. 0,
 * or -1: the record could not be made, or the program runs setuid.
 */
int facts_gather(struct host_facts *facts, char *const environment[], struct arena *arena, struct err *err);

/* None can fail. facts_gather_launcher() needs the session. */
void facts_gather_session(struct host_facts *facts);
void facts_gather_launcher(struct host_facts *facts);
void facts_gather_cgroup(struct host_facts *facts, struct arena *arena);

#endif
