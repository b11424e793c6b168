/* image-names - what the configuration and the environment say of images that are named. */
#ifndef CORACLE_BIN_IMAGE_NAMES_H
#define CORACLE_BIN_IMAGE_NAMES_H

#include "base/arena.h"
#include "base/err.h"
#include "config/config.h"

struct image_names {
    const char *directory;     /* the cache; NULL: there is none, image_names_need_cache() says why */
    const char *registry;      /* of names that give none; NULL: there is none */
    struct config config;      /* all that the files say */
    const char *cache_problem; /* what is wrong with the cache as it is configured; NULL: nothing */
};

/* 0, or -1 with ERR_CONFIG. */
int image_names_load(struct image_names *names, char *const environment[], struct arena *arena,
                     struct err *err);

/* 0, or -1 where there is no cache. */
int image_names_need_cache(const struct image_names *names, struct err *err);

#endif
