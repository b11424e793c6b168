/*
 * launch-options - the options that run, shell and explain share.
 *
 * The settings of the configuration, which are in the node's record, then CORACLE_*
 * variables, then options fill a request; launch_options_plan() makes the plan of it.
 */
#ifndef CORACLE_BIN_LAUNCH_OPTIONS_H
#define CORACLE_BIN_LAUNCH_OPTIONS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/opt.h"
#include "base/sys.h"
#include "host/facts.h"
#include "plan/plan.h"
#include "plan/request.h"

/* Whether an image that is named is brought into the cache. */
enum pull_policy { PULL_MISSING, PULL_ALWAYS, PULL_NEVER };

struct launch_options {
    struct arena *arena;
    struct request request;
    struct host_facts facts;
    char *const *line; /* the command's argv */
    int image_index;   /* of the image in it */
    enum pull_policy pull;
    const char *pull_origin;
    const char *cache;            /* of images; NULL: the user's own */
    const char *cache_problem;    /* what is wrong with it as it is configured; NULL: nothing */
    const char *cached;           /* the name of an image that was found there; NULL: none was */
    const char *registry;         /* of names that give none; NULL: there is none */
    struct sys_identity identity; /* of the image, where that was looked at already */
    int is_identified;
    int dry_run;
    int json;
    int verbosity;
    int help;
};

/*
 * Gathers facts, and reads settings, CORACLE_* variables and ARGV (which begins with
 * the command's name) into OPTIONS: options, the image, an optional "--", the command.
 * 0, or -1 with ERR_USAGE or ERR_CONFIG, or as facts_gather() has it. With --help nothing
 * else is looked at.
 */
int launch_options_read(struct launch_options *options, int argc, char *argv[], char *const environment[],
                        struct arena *arena, struct err *err);

/* The same for `exec`: only options of the process, and request.image is the container's name. */
int launch_options_read_process(struct launch_options *options, int argc, char *argv[],
                                char *const environment[], struct arena *arena, struct err *err);

/* The first of these with facts that are known. */
int launch_options_read_with(struct launch_options *options, int argc, char *argv[],
                             const struct host_facts *facts, struct arena *arena, struct err *err);

/* The table. */
const struct opt_row *launch_options_rows(size_t *count);

/* Gathers from the node what a view needs to know besides. */
void launch_options_gather(struct launch_options *options, char *const environment[]);

/* Gathers what a plan needs from the node and the image, and builds it. A SquashFS is
 * opened by a server that ends when the caller does. 0 or -1. */
int launch_options_plan(struct launch_options *options, char *const environment[], struct plan *plan,
                        struct err *err);

/* Prints the table as help text, for the command that is called USAGE. 0 or -1. */
int launch_options_help(const char *usage, const char *about, struct arena *arena, struct err *err);

int launch_options_help_process(const char *usage, const char *about, struct arena *arena, struct err *err);

/* Prints PLAN on standard output, as text or JSON. 0 or -1. */
int launch_options_print(const struct launch_options *options, const struct plan *plan, struct err *err);

#endif
