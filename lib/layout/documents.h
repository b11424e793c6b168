/* documents - what is written about an image. For the files of this room. */
#ifndef CORACLE_LAYOUT_DOCUMENTS_H
#define CORACLE_LAYOUT_DOCUMENTS_H

#include "base/str.h"
#include "layout/write.h"

#define DOCUMENT_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define DOCUMENT_INDEX "application/vnd.oci.image.index.v1+json"
#define DOCUMENT_CONFIG "application/vnd.oci.image.config.v1+json"
#define DOCUMENT_LAYER "application/vnd.oci.image.layer.v1.tar"
#define DOCUMENT_FOREIGN_LAYER "application/vnd.oci.image.layer.nondistributable.v1.tar"

/* A layer or another blob that was written. */
struct written {
    const char *media_type, *digest;
    const char *diff_id; /* of a layer */
    const char *name;    /* in a docker-archive */
    uint64_t size;
};

/*
 * The configuration for LAYERS of WRITE, and its platform. 0, or -1 with ERR_IMAGE_CONFIG.
 * *BYTES belongs to ARENA or is that of WRITE.
 */
int document_config(const struct layout_write *write, const struct written *layers, const char **bytes,
                    size_t *length, struct oci_platform *platform, struct arena *arena, struct err *err);

/* Whether the source's manifest names just CONFIG and LAYERS, as an OCI image's. */
int document_is_kept(const struct layout_write *write, const struct written *config,
                     const struct written *layers, struct arena *arena);

/* manifest.json of an OCI image, and of a docker-archive whose TAG may be NULL. */
void document_manifest(struct str *out, const struct written *config, const struct written *layers,
                       size_t count);
void document_saved(struct str *out, const struct written *config, const struct written *layers, size_t count,
                    const char *tag);

/*
 * index.json: OLD (NULL: none) with the image NAME (NULL: without a name), in place of the one
 * that has that name. 0, or -1 with ERR_IMAGE_MANIFEST: OLD is broken.
 */
struct index_text {
    const char *bytes;
    size_t length;
};
int document_index(struct str *out, const struct index_text *old, const struct written *manifest,
                   const struct oci_platform *platform, const char *name, struct err *err);

/* Whether INDEX lists an image NAME. 1, 0, or -1 with ERR_IMAGE_MANIFEST. */
int document_index_has(const struct index_text *index, const char *name, struct arena *arena,
                       struct err *err);

#endif
