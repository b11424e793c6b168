/*
 * image - what an image is and what it says about itself.
 *
 * An image is recognised by its content, never by its name.
 */
#ifndef CORACLE_IMAGE_IMAGE_H
#define CORACLE_IMAGE_IMAGE_H

#include "base/arena.h"
#include "base/err.h"
#include "oci/image-config.h"

/* Where an image carries its OCI image configuration, byte for byte. */
#define IMAGE_CONFIG_DIR ".coracle"
#define IMAGE_CONFIG_NAME "config.json"

struct image {
    const struct oci_image_config *config; /* NULL: the image has none */
};

/*
 * Looks at the directory PATH. 0, or -1: it does not exist (ERR_IMAGE_MISSING),
 * is closed to us (ERR_IMAGE_UNREADABLE), is something that cannot be run
 * (ERR_IMAGE_UNKNOWN), or its configuration is broken (ERR_IMAGE_CONFIG).
 * Everything belongs to ARENA; no descriptor stays open.
 */
int image_inspect(struct image *image, const char *path, struct arena *arena, struct err *err);

#endif
