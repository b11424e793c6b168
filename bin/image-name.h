/*
 * image-name - images that are named and not given as a path: in a registry, an archive, a
 * layout. They are in the cache, or coracle-image brings them there.
 */
#ifndef CORACLE_BIN_IMAGE_NAME_H
#define CORACLE_BIN_IMAGE_NAME_H

#include "launch-options.h"

/* An image that a launch may bring into the cache: ARGV is the command's. */
struct image_name {
    struct launch_options *options;
    int argc;
    char **argv; /* NULL: it must be there */
    char *const *environment;
};

/*
 * Makes request.image a path where it is none: "dir:PATH" and the like by leaving that out, a
 * name by looking into the cache. What looks like both is a path if there is such a file.
 *
 * An image that is not in the cache, or with --pull=always, is brought there: this process
 * becomes coracle-image, and that the same command again, with the image's path. 0, or -1.
 */
int image_name_find(const struct image_name *name, struct err *err);

/*
 * The image is a path, and neither a directory nor a SquashFS or SIF file (ERR says so): a tar
 * is made into one in the cache, in the same way. -1, with ERR as it was where it is no tar.
 */
int image_name_convert(const struct image_name *name, struct err *err);

/* An image of the cache that cannot be read, as ERR says: adds to ERR how it is made anew. */
void image_name_way_out(const struct launch_options *options, struct err *err);

#endif
