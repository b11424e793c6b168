/*
 * expand - variables in strings of the configuration: $NAME and ${NAME}; $$ is a dollar.
 *
 * They are expanded by each launch and not when the configuration is read: SLURM_JOB_ID
 * of one job is not that of the next. Pure.
 */
#ifndef CORACLE_CONFIG_EXPAND_H
#define CORACLE_CONFIG_EXPAND_H

#include "base/arena.h"

/* What is wrong with the dollars in TEXT, for a message; NULL: nothing. */
const char *config_expand_mistake(const char *text);

/*
 * TEXT, without a mistake, with the values of its variables in ENVIRONMENT. The characters
 * ESCAPE of a value get a backslash: a path with a colon stays one path. NULL where a
 * variable is not set, and its name in *MISSING.
 */
const char *config_expand(const char *text, char *const environment[], const char *escape,
                          const char **missing, struct arena *arena);

/* Whether SPEC, of --bind and not expanded, has the option `optional`. */
int config_bind_is_optional(const char *spec);

#endif
