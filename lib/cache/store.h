/*
 * store - what is in a cache: names and images (cache/name.h).
 *
 * Everything gets its name when it is whole, by rename(2) and link(2): nothing is locked,
 * and several nodes may do the same at once on a shared file system. Whoever could write to
 * the cache could change what its owner runs: it must be the caller's, or root's, alone.
 */
#ifndef CORACLE_CACHE_STORE_H
#define CORACLE_CACHE_STORE_H

#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"

/*
 * Whether DIRECTORY, a cache, can be trusted: 1; 0: it is not there; -1: others can write to
 * it (ERR_CONFIG) or it cannot be looked at.
 */
int store_check(const char *directory, struct arena *arena, struct err *err);

/* Whether the file that PATH, a name in a cache, leads to, of owner UID and MODE, can be trusted. 0, or -1
 * with ERR_CONFIG. */
int store_check_image(const char *path, uint32_t uid, uint32_t mode, struct arena *arena, struct err *err);

/* Makes the cache and what belongs into it, where that is missing, and checks it. 0 or -1. */
int store_make(const char *directory, struct arena *arena, struct err *err);

/* Makes the directories above PATH, which is beneath a cache. 0 or -1. */
int store_make_parents(const char *path, struct arena *arena, struct err *err);

/* The path in DIRECTORY of the image with the digest ID, "sha256:HEX". */
const char *store_image(const char *directory, const char *id, struct arena *arena);

/* Lets NAME, the path of a name in DIRECTORY, lead to the file IMAGE of it, whatever it led to. 0 or -1. */
int store_link(const char *directory, const char *name, const char *image, struct arena *arena,
               struct err *err);

struct store_name {
    const char *machine; /* "x86_64-v3" */
    const char *name;    /* as it is written: "docker.io/library/python:3.11", "oci:/path:name" */
    const char *path;    /* of the link */
    const char *image;   /* the path of the image that it leads to; NULL: that is gone */
    int64_t made;        /* seconds since 1970 */
};

struct store_image {
    const char *id; /* "sha256:HEX" */
    const char *path;
    uint64_t size;
    int64_t made;
};

struct store {
    struct store_name *names; /* sorted by name, then machine */
    size_t name_count, name_room;
    struct store_image *images; /* sorted by id */
    size_t image_count, image_room;
};

/* Lists what is in DIRECTORY; one that is missing is empty. What no cache makes is passed over. 0 or -1. */
int store_list(struct store *store, const char *directory, struct arena *arena, struct err *err);

/*
 * Removes all that a cache makes in DIRECTORY, unfinished parts too, and the directories that
 * are empty then. The rest stays: DIRECTORY may have had a use, and an "images", before. 0 or -1.
 */
int store_clear(const char *directory, struct arena *arena, struct err *err);

/* Seconds without a change, after which layers have nobody who goes on with them. */
enum { STORE_LAYERS_AGE = 7 * 24 * 3600 };

/*
 * Removes the layers in DIRECTORY that pulls have left: folders in which nothing has changed for
 * STORE_LAYERS_AGE by the file system's clock, and no part is locked by a process of this node;
 * locks of other nodes are not seen. The folder of the image with the digest KEEP stays: its pull
 * goes on. NULL: none. What cannot be removed stays.
 */
void store_sweep(const char *directory, const char *keep, struct arena *arena);

/* Whether FILE in the directory images/ALGORITHM has a name that a cache gives. */
int store_is_image(const char *algorithm, const char *file);

/* Whether a link that leads to TARGET is one of store_link(). */
int store_is_link(const char *target);

#endif
