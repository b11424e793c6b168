/*
 * layout - an image from an OCI image layout (oci:, oci-archive:) or from what `docker save`
 * writes (docker-archive:).
 *
 *     struct layout_image image;
 *     if (layout_open(&image, &reference, &platform, &arena, &err) == 0)
 *         ... image.config, image.layers ...
 *     layout_close(&image);
 *
 * Sources: OCI image-spec 1.1, image-layout.md; for docker-archive oci/saved.h.
 *
 * - Nothing is extracted: a layer is a file of the layout, or a range of the archive. An
 *   archive that is compressed is refused, with what undoes that; layer/spool.h does.
 * - Manifest, indexes and configuration are verified by size and digest here; layers by size
 *   here, and by digest and diff_id by whoever reads them.
 * - Which image, where there are several: by its name (org.opencontainers.image.ref.name, or
 *   io.containerd.image.name), its tag, or its place in index.json or manifest.json; else an
 *   error lists them. Entries that differ in nothing but the platform are one image.
 * - A tag is compared as Docker does: docker.io/ and library/ may be there or not. Without a
 *   tag a repository is enough where the archive has one image of it.
 * - A docker-archive is what its manifest.json says, also where it is an OCI layout besides.
 */
#ifndef CORACLE_LAYOUT_LAYOUT_H
#define CORACLE_LAYOUT_LAYOUT_H

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "layer/layer.h"
#include "oci/platform.h"
#include "reference/reference.h"

struct layout_image {
    const char *digest;   /* of the manifest; NULL: a docker-archive has none */
    const char *manifest; /* byte for byte; NULL too */
    size_t manifest_length;
    const char *config; /* the configuration, byte for byte, with a zero byte behind it */
    size_t config_length;
    const char *config_digest;
    struct oci_platform platform; /* that the index, or else the configuration, names ("": neither); of an
                                     image of one platform it may not be the one asked for */
    struct layer *layers;         /* the lowest first; their descriptors are the image's */
    size_t layer_count;           /* may be 0 */
    int *fds;                     /* for layout_close() */
    size_t fd_count;
};

/*
 * Opens the image that REFERENCE (REFERENCE_OCI, REFERENCE_OCI_ARCHIVE,
 * REFERENCE_DOCKER_ARCHIVE; REFERENCE_PATH: an archive of which nobody knows which of the two)
 * names, of several platforms the one for PLATFORM. The archive is that of the descriptor ARCHIVE,
 * which is the image's from here on; -1: it is at the path of REFERENCE. What *IMAGE points to belongs
 * to ARENA. 0, or -1 and an error that begins with the image's name; with IMAGE_MISSING,
 * IMAGE_AMBIGUOUS and IMAGE_PLATFORM it lists what there is.
 */
int layout_open(struct layout_image *image, const struct reference *reference,
                const struct oci_platform *platform, int archive, struct arena *arena, struct err *err);

/* Closes the layers' descriptors. May be called after a layout_open() that failed, and twice. */
void layout_close(struct layout_image *image);

/*
 * What the file or directory PATH is, by its content: an OCI layout or another directory, a
 * SquashFS, a SIF, an archive of docker or of a layout, or another tar, compressed or not. 0 and
 * *TRANSPORT: REFERENCE_PATH where it is an archive of docker or of a layout that is compressed. -1: it
 * is not there or closed to us, or nothing of these (ERR_IMAGE_UNKNOWN).
 */
int layout_recognise(const char *path, enum reference_transport *transport, struct arena *arena,
                     struct err *err);

#endif
