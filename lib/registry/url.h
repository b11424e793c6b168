/*
 * url - addresses: what a server's redirect means, whether two lead to one place, and
 * how they appear in messages.
 *
 * Source: RFC 3986; curl_url(3), which is what reads them here and in the transfer.
 */
#ifndef CORACLE_REGISTRY_URL_H
#define CORACLE_REGISTRY_URL_H

#include "base/arena.h"
#include "base/str.h"

struct url {
    const char *text;                 /* whole, without a fragment */
    const char *scheme, *host, *port; /* lower case; the scheme's port where none is written */
};

/*
 * Reads TEXT, relative to BASE where that is not NULL. Refused are other schemes than
 * http and https and an address with a user in it. 0, or -1 and *CAUSE in words.
 */
int url_read(struct url *url, const char *base, const char *text, struct arena *arena, const char **cause);

/* Whether A and B have one scheme, host and port. */
int url_same_origin(const struct url *a, const struct url *b);

/* SCHEME://HOST[:PORT], without path and query, which may hold secrets. */
const char *url_origin(const struct url *url, struct arena *arena);

/* Adds TEXT with everything but letters, digits and "-._~" as %HH. */
void url_escape(struct str *out, const char *text);

#endif
