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
 *   one that is compressed. A tar without a digest is compressed here. In a docker-archive layers
 *   are plain. Whatever digest and diff_id a layer has are verified, before the image has a name.
 * - The configuration is the source's, byte for byte, where layers are those that it names;
 *   else rootfs and history in it are replaced. A source that has none gets the least one.
 * - Blobs are named by sha256. The same image gives the same bytes: no times but those of the
 *   source.
 * - A directory and an archive are made beside their place and named when they are complete.
 *   An image that is added to a layout is there when index.json is replaced; blobs before.
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
    struct oci_platform platform; /* where it names none; NULL in it: linux, amd64 */
    enum layout_compression compression;
    unsigned level; /* 0: gzip 6, zstd 3 */
    /* Called now and then; NULL: not. DONE bytes of the layers were read. */
    void (*progress)(void *data, uint64_t done);
    void *progress_data;
};

struct layout_writer;

/*
 * Prepares to write to DESTINATION (REFERENCE_OCI, REFERENCE_OCI_ARCHIVE,
 * REFERENCE_DOCKER_ARCHIVE). A file that is there is an error, unless REPLACE; a directory,
 * unless it is an OCI layout: it gets one image more, in place of that with the same name
 * where REPLACE. DESTINATION and ARENA must stay. NULL: ERR_OUTPUT, ERR_USAGE, or what is wrong
 * with the layout.
 */
struct layout_writer *layout_create(const struct reference *destination, int replace, struct arena *arena,
                                    struct err *err);

/*
 * Writes the image. 0, or -1: ERR_OUTPUT, ERR_IMAGE_CONFIG, or what layer_read() says. Then
 * nothing of it is left after layout_writer_close().
 */
int layout_write(struct layout_writer *writer, const struct layout_write *write, struct err *err);

/* The file that is made, as long as it is not complete: for who is ended by a signal. NULL: a directory is.
 */
const char *layout_unfinished(const struct layout_writer *writer);

/* NULL is fine. */
void layout_writer_close(struct layout_writer *writer);

#endif
