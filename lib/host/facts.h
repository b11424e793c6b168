/*
 * facts - what the planner knows about the caller and the node, as data.
 *
 * Filled by facts_gather() in programs, by hand in tests: the planner itself
 * asks nobody.
 */
#ifndef CORACLE_HOST_FACTS_H
#define CORACLE_HOST_FACTS_H

#include <stdint.h>

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
    struct host_record record;
};

/*
 * Asks the kernel and the node's record. ENVIRONMENT is kept by reference. 0,
 * or -1: the record could not be made, or the program runs setuid.
 */
int facts_gather(struct host_facts *facts, char *const environment[], struct arena *arena, struct err *err);

#endif
