/*
 * blob - one blob into its file. For the files of this room.
 */
#ifndef CORACLE_REGISTRY_BLOB_H
#define CORACLE_REGISTRY_BLOB_H

#include "registry/mirror.h"

struct blob_place {
    struct registry_blob *blob;
    int directory;
    /* Told the bytes that are there; not 0: give up. */
    int (*report)(void *opaque, const struct registry_blob *blob, uint64_t bytes);
    void *opaque;
};

/* Checks what the caller asks for. 0 or -1. */
int blob_check(const struct registry_blob *blob, struct arena *arena, struct err *err);

/* Fetches the blob from a mirror or the registry and sets its fd. 0 or -1. */
int blob_fetch(struct registry *registry, struct connections *connections, const struct blob_place *place,
               struct arena *arena, struct err *err);

#endif
