/* image-cached - what is in the cache, for the commands that show it or take something away. */
#ifndef CORACLE_BIN_IMAGE_CACHED_H
#define CORACLE_BIN_IMAGE_CACHED_H

#include "cache/store.h"
#include "image-names.h"

/* Lists the cache that NAMES, which it fills, say. 0, or -1: there is none, or it is not to be trusted. */
int image_cached_list(struct store *store, struct image_names *names, char *const environment[],
                      struct arena *arena, struct err *err);

/* The image that NAME leads to; NULL: it is gone. */
const struct store_image *image_cached_of(const struct store *store, const struct store_name *name);

/* How many names lead to IMAGE. */
size_t image_cached_names(const struct store *store, const struct store_image *image);

#endif
