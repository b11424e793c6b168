/*
 * account - /etc/passwd and /etc/group for a container of one user.
 *
 * The texts list root, the user with his groups, and nobody. No id and no name
 * comes twice: where the user has the id or the name of root or nobody, his
 * entry takes its place. What a name service says is not trusted to fit into
 * the files: names that would break a line are not used, other fields are
 * mended.
 */
#ifndef CORACLE_HOST_ACCOUNT_H
#define CORACLE_HOST_ACCOUNT_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

struct account {
    const char *name; /* usable, see below */
    uint32_t uid;
    uint32_t gid; /* primary group */
    const char *gecos;
    const char *home;  /* absolute, or "": the text then says "/" */
    const char *shell; /* absolute, or "" */
};

struct account_group {
    const char *name; /* NULL where it has none: the text then says "gid-N" */
    uint32_t gid;
    int member; /* the user is listed as a member */
};

/* Whether NAME can stand in a passwd or group line as a user or group. */
int account_name_usable(const char *name);

/* The account of a user whom the name service does not know: "uid-N". */
void account_set_unknown(struct account *account, uint32_t uid, uint32_t gid, struct arena *arena);

/* The name that a group has where the name service knows none: of root and nogroup, otherwise NULL. */
const char *account_fixed_group(uint32_t gid);

/*
 * TEXT as a field of a passwd line: colons and control characters become
 * spaces. TEXT itself where there is nothing to mend.
 */
const char *account_clean_field(const char *text, struct arena *arena);

/* TEXT where it is an absolute path that can stand in a passwd line, otherwise "". */
const char *account_clean_path(const char *text);

/* Adds the text for /etc/passwd to OUT. OTHER is one more that has to be known; NULL: none is. */
void account_add_passwd(const struct account *account, const struct account *other, struct str *out);

/*
 * Adds the text for /etc/group to OUT. GROUPS are COUNT groups, no gid twice. A
 * name that is unusable or taken already is left out for "gid-N".
 */
void account_add_group(const struct account *account, const struct account_group *groups, size_t count,
                       struct str *out);

#endif
