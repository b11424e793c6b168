/*
 * record-facts - what a record depends on, as it is at this moment.
 */
#ifndef CORACLE_HOST_RECORD_FACTS_H
#define CORACLE_HOST_RECORD_FACTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

/*
 * Files whose change may change what the name service answers, and which configuration counts:
 * Slurm's, ours.
 */
enum {
    RECORD_PASSWD,
    RECORD_GROUP,
    RECORD_NSSWITCH,
    RECORD_SLURM_CONF,
    RECORD_SITE_CONFIG,
    RECORD_USER_CONFIG,
    RECORD_INPUTS
};

/* No path, as one is absolute. */
#define RECORD_SLURM_DEFAULT "default"

struct record_facts {
    uint32_t uid;  /* effective */
    uint32_t gid;  /* real */
    uint32_t egid; /* effective */
    uint64_t now;  /* seconds since 1970 */
    uint64_t boot; /* seconds since 1970 at which the node booted; moves when the clock is set */
    /*
     * record_stamp_path() of each file; $SLURM_CONF, or "default"; config_place_word() of the
     * site's and the user's configuration.
     */
    const char *inputs[RECORD_INPUTS];
    const uint32_t *groups; /* supplementary */
    size_t group_count;
};

/*
 * Fills *FACTS; the strings belong to ARENA. The ids are those with which the
 * program was started (getauxval(3)): they cost no system call, and no program
 * of ours changes them before it has read the record. ENVIRONMENT is asked for
 * SLURM_CONF and where configuration files are. Cannot fail.
 */
void record_facts_gather(struct record_facts *facts, char *const environment[], struct arena *arena);

#endif
