/*
 * build - the steps of plan_build(), private to the room. Each fills its part
 * of the plan from the same inputs.
 */
#ifndef CORACLE_PLAN_BUILD_H
#define CORACLE_PLAN_BUILD_H

#include "plan/plan.h"

struct plan_inputs {
    const struct request *request;
    const struct oci_image_config *config; /* NULL: none */
    const struct foreign *foreign;         /* NULL: none */
    const struct host_facts *facts;
    struct arena *arena;
};

void plan_ids(struct plan *plan, const struct plan_inputs *in);
void plan_binds(struct plan *plan, const struct plan_inputs *in);
void plan_environment(struct plan *plan, const struct plan_inputs *in);
/* Whether the host's variable NAME reaches the command, as far as host and request decide. */
int plan_variable_passes(const struct plan_inputs *in, const char *name);
void plan_workdirs(struct plan *plan, const struct plan_inputs *in);
int plan_command(struct plan *plan, const struct plan_inputs *in, struct err *err);
/* Lets a shell source the image's scripts first. The last step: environment and command are there. */
void plan_source(struct plan *plan, const struct plan_inputs *in);
/* Whether --clean-env keeps the host's variable ENTRY, NAME=VALUE. */
int plan_variable_is_kept(struct arena *arena, const char *entry);

/* A new row at the end, all zero but for kind, target and origin. */
struct plan_row *plan_add_row(struct plan *plan, struct arena *arena, enum row_kind kind, const char *target,
                              const char *origin);

/*
 * Adds an optional bind of the host's PATH at the same path, unless it is in the
 * view already or names a directory that belongs to the image (/, /usr, ...).
 */
void plan_bind_in_place(struct plan *plan, struct arena *arena, const char *path, const char *origin);

/*
 * Adds a row for each of the host's variables that passes and names a path which is
 * not in the view yet. What the image sets does not count: the view is known before it.
 */
void plan_variable_binds(struct plan *plan, const struct plan_inputs *in);

#endif
