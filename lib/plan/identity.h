/*
 * identity - passwd and group for a user who has another id inside.
 *
 * With the caller's own ids the node's record has the files ready; with --uid or
 * --gid they are made for the launch.
 */
#ifndef CORACLE_PLAN_IDENTITY_H
#define CORACLE_PLAN_IDENTITY_H

#include "plan/plan.h"

/*
 * Texts in ARENA: root, the user with the ids of PLAN, nobody; and root, his group,
 * nogroup. The group is "gid-N": whatever its id is called outside, that is not
 * known of the one inside.
 */
const char *identity_passwd(const struct plan *plan, const struct host_record *record, struct arena *arena);
const char *identity_group(const struct plan *plan, const struct host_record *record, struct arena *arena);

#endif
