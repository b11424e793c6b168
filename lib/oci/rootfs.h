/*
 * rootfs - what an image's configuration says about its layers, and for which platform it
 * is. What it says about how to run it is in image-config.h.
 *
 * Source: OCI image-spec 1.1, config.md; Docker's application/vnd.docker.container.image.v1+json
 * has the same members.
 */
#ifndef CORACLE_OCI_ROOTFS_H
#define CORACLE_OCI_ROOTFS_H

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "oci/platform.h"

struct oci_rootfs {
    struct oci_platform platform; /* os or architecture is "" where it is not said */
    const char **diff_ids;        /* rootfs.diff_ids, the lowest first; each is a digest (descriptor.h) */
    size_t count;                 /* at most OCI_LAYERS_MAX */
};

/*
 * Fills *ROOTFS from LENGTH bytes. Strings belong to ARENA and do not point into BYTES. 0,
 * or -1 and ERR_IMAGE_CONFIG with a text that begins "image configuration"; the caller puts
 * the image's name before it.
 */
int oci_rootfs_parse(struct oci_rootfs *rootfs, const char *bytes, size_t length, struct arena *arena,
                     struct err *err);

#endif
