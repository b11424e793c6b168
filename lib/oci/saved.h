/*
 * saved - manifest.json of a docker-archive: the images that `docker save` wrote.
 *
 * Source: moby, image/tarexport (the format has no specification): an array of objects with
 * Config and Layers, names of files in the archive, and RepoTags, REPOSITORY:TAG or null.
 * The names may be anything; who opens them has to look at them (layout/tar.h does).
 */
#ifndef CORACLE_OCI_SAVED_H
#define CORACLE_OCI_SAVED_H

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

enum { OCI_SAVED_MAX = 1024 }; /* images in one archive */

struct oci_saved_image {
    const char *config;  /* not empty */
    const char **layers; /* the lowest first; none is empty */
    size_t layer_count;  /* at most OCI_LAYERS_MAX */
    const char **tags;
    size_t tag_count;
};

struct oci_saved {
    struct oci_saved_image *images;
    size_t count;
};

/*
 * Fills *SAVED from LENGTH bytes. Strings belong to ARENA. 0, or -1 and ERR_IMAGE_MANIFEST
 * with a text that begins "manifest.json"; the caller puts the archive's name before it.
 */
int oci_saved_parse(struct oci_saved *saved, const char *bytes, size_t length, struct arena *arena,
                    struct err *err);

#endif
