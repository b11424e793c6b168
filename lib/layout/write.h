/*
 * write - an image becomes an OCI image layout (oci:), one in a tar archive (oci-archive:), or
 * an archive that `docker load` and `podman load` take (docker-archive:).
 *
 *     struct layout_writer *writer = layout_create(&reference, 0, &arena, err);
 *     if (writer && layout_write(writer, &write, err) == 0) ...
 *     layout_writer_close(writer);
 *
 * Sources: OCI image-spec 1.1, image-layout.md, manifest.md, config.md; for docker-archive
 * oci/saved.h.
 *
 * - Layers: one that has a digest is a blob of another place, and is copied byte for byte; so is
 *   one that is compressed with gzip or zstd. Another tar without a digest is compressed here. In a
 *   docker-archive layers are plain. Whatever digest and diff_id a layer has are verified, before the
 *   image has a name; where it has none its tar is walked through: one that ends within an entry is
 *   ERR_LAYER.
 * - The configuration is the source's, byte for byte, where layers are those that it names;
 *   else rootfs and history in it are replaced. A source that has none gets the least one.
 * - So is the manifest kept, and with it the digest of the image, where it is an OCI image's and all
 *   that it names is written as it was. Else a new one is made: of an image of a docker-archive or of
 *   Docker's schema 2, and where a layer has another compression than it said, or a digest but sha256.
 *   Its annotations are lost then.
 * - Blobs are named by sha256. The same image gives the same bytes: no times but those of the
 *   source.
 * - A directory and an archive are made beside their place and named when they are complete
 *   (base/unfinished.h). What is added to a layout is made in a hidden directory of it and moved to its
 *   places in the end, index.json last. What a kill has left goes when the same is written again.
 * - Several may add images to one layout at once, and each is there: oci-layout is locked (base/lock.h)
 *   while index.json is read, changed and replaced. Other programs know nothing of that lock.
 */
#ifndef CORACLE_LAYOUT_WRITE_H
#define CORACLE_LAYOUT_WRITE_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "layer/layer.h"
#include "oci/platform.h"
#include "reference/reference.h"

enum layout_compression { LAYOUT_GZIP, LAYOUT_ZSTD };

struct layout_write {
    const struct layer *layers; /* the lowest first */
    size_t layer_count;
    const void *config; /* the source's; NULL: it has none */
    size_t config_length;
    const void *manifest; /* the source's, verified; NULL: it has none */
    size_t manifest_length;
    int needs_files;              /* a layer without a digest that has no entry is refused: ERR_IMAGE_EMPTY */
    struct oci_platform platform; /* where it names none; NULL in it: linux, amd64 */
    enum layout_compression compression;
    unsigned level; /* 0: gzip 6, zstd 3 */
    /* Called now and then; NULL: not. DONE bytes of the layers were read. 0, or -1 with ERR: it is to end. */
    int (*progress)(void *data, uint64_t done, struct err *err);
    void *progress_data;
};

struct layout_writer;

/*
 * Looks at DESTINATION (REFERENCE_OCI, REFERENCE_OCI_ARCHIVE,
 * REFERENCE_DOCKER_ARCHIVE), and makes nothing yet. A file that is there is an error, unless REPLACE; a
 * directory, unless it is an OCI layout: it gets one image more, in place of that with the same name where
 * REPLACE. DESTINATION and ARENA must stay. NULL: ERR_OUTPUT, ERR_USAGE, or what is wrong with the layout.
 */
struct layout_writer *layout_create(const struct reference *destination, int replace, struct arena *arena,
                                    struct err *err);

/*
 * Writes the image. 0, or -1: ERR_OUTPUT, ERR_IMAGE_CONFIG, ERR_IMAGE_EMPTY, or what layer_read() says. Then
 * nothing of it is left after layout_writer_close().
 */
int layout_write(struct layout_writer *writer, const struct layout_write *write, struct err *err);

/* NULL is fine. */
void layout_writer_close(struct layout_writer *writer);

#endif
