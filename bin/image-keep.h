/* image-keep - has an image in the cache of the user: under its name, once. */
#ifndef CORACLE_BIN_IMAGE_KEEP_H
#define CORACLE_BIN_IMAGE_KEEP_H

#include "image-source.h"
#include "pack/pack.h"

struct image_keeping {
    const char *directory;             /* the cache */
    const struct reference *reference; /* complete (cache/name.h) */
    const struct image_source_options *source;
    const struct pack_options *pack; /* for an image that is not there yet */
    /* Look where it comes from, also where the name is there; what is seen to be damaged is made anew. */
    int anew;
    int remake; /* make what is whole anew too: PACK says what nobody has asked for before */
};

/*
 * Brings it there where it is not. Of several processes of a node that want the same one does
 * the work; of several nodes each may, and the first to finish wins. 0 and *PATH, the path of
 * the name, or -1: then nothing has a name that is not whole, and what was fetched stays for
 * the next.
 */
int image_keep(const struct image_keeping *keeping, const char **path, struct arena *arena, struct err *err);

#endif
