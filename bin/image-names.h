/* image-names - what the configuration and the environment say of images that are named. */
#ifndef CORACLE_BIN_IMAGE_NAMES_H
#define CORACLE_BIN_IMAGE_NAMES_H

#include "base/arena.h"
#include "base/err.h"
#include "config/config.h"
#include "reference/reference.h"

struct image_names {
    const char *directory;     /* the cache; NULL: there is none, image_names_need_cache() says why */
    const char *registry;      /* of names that give none; NULL: there is none */
    struct config config;      /* all that the files say */
    const char *cache_problem; /* what is wrong with the cache as it is configured; NULL: nothing */
};

/* 0, or -1 with ERR_CONFIG. */
int image_names_load(struct image_names *names, char *const environment[], struct arena *arena,
                     struct err *err);

/*
 * TEXT, which is REFERENCE, may be a name in a registry: 0. -1 where it names none and there is none for
 * such names: then it was more likely meant as a path (ERR_IMAGE_MISSING; ERR_USAGE where that is there).
 */
int image_names_check(const struct image_names *names, const struct reference *reference, const char *text,
                      struct arena *arena, struct err *err);

/* 0, or -1 where there is no cache. */
int image_names_need_cache(const struct image_names *names, struct err *err);

#endif
