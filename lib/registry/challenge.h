/*
 * challenge - what a server says about how to authenticate: WWW-Authenticate.
 *
 * Source: RFC 9110, 11.3 and 11.6.1; RFC 6750, 3. Parameters beyond those below are
 * skipped. The header is hostile: what cannot be understood is passed over up to the
 * next comma, a challenge that has one of the parameters twice, a NUL or another control
 * character in one is left out, and CHALLENGE_MAX of them are looked at.
 */
#ifndef CORACLE_REGISTRY_CHALLENGE_H
#define CORACLE_REGISTRY_CHALLENGE_H

#include <stddef.h>

#include "base/arena.h"

enum { CHALLENGE_MAX = 16 };

/* Parameters that are missing are NULL. */
struct challenge {
    const char *scheme; /* lower case: "bearer", "basic" */
    const char *realm, *service, *scope, *error;
    struct challenge *next;
};

/* The challenges of a header's value of LENGTH bytes, in their order; NULL where there is none. */
struct challenge *challenge_parse(const char *text, size_t length, struct arena *arena);

/* The first of LIST with SCHEME, which is lower case, or NULL. */
const struct challenge *challenge_find(const struct challenge *list, const char *scheme);

#endif
