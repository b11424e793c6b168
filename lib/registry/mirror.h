/*
 * mirror - who is asked, and who is not asked any more. For the files of this room.
 */
#ifndef CORACLE_REGISTRY_MIRROR_H
#define CORACLE_REGISTRY_MIRROR_H

#include "registry/fetch.h"

/* Opens the mirrors that the registry's options name. 0 or -1. */
int mirrors_open(struct registry *registry, struct arena *arena, struct err *err);

/* Who is asked after HOST has failed (NULL: first); NULL after the registry itself. */
struct registry *mirror_next(struct registry *registry, const struct registry *host);

/*
 * Whether the next one is to be asked, as ERR is the fault of HOST, a mirror: it is not asked
 * again, and a warning says why. 0 where HOST is the registry itself, nothing more is
 * wanted, or the disk is to blame.
 */
int mirror_pass_over(struct registry *host, const struct err *err);

/*
 * Whether what HOST, a mirror, has sent can be a manifest at all: a tag says nothing about it, and a
 * page of HTML is no reason to fail. 0 or -1.
 */
int mirror_judge(const struct registry *host, const struct registry_manifest *manifest, struct arena *arena,
                 struct err *err);

/* The connections of one thread, made when they are needed: to each mirror and the registry. */
struct connections {
    struct http *of[REGISTRY_MIRRORS_MAX + 1];
};

/* That to HOST, or NULL and ERR. */
struct http *connections_get(struct connections *connections, struct registry *host, struct err *err);
void connections_close(struct connections *connections);

#endif
