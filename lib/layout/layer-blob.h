/* layer-blob - a layer becomes a file of what is written. For the files of this room. */
#ifndef CORACLE_LAYOUT_LAYER_BLOB_H
#define CORACLE_LAYOUT_LAYER_BLOB_H

#include "checksum/checksum.h"
#include "layout/documents.h"
#include "layout/store.h"

struct compressor;

struct layer_blob {
    struct store *store;
    const struct layout_write *write;
    int is_plain; /* a docker-archive: no layer is compressed */
    struct arena *arena;
    uint64_t done; /* bytes of layers that were read */
    /* Of the current layer. */
    struct layer_copy copy; /* its range goes into the store */
    int copies;             /* it does */
    struct compressor *compressor;
    struct checksum file, tar; /* what is written; the layer's tar */
    uint64_t size;             /* of what is written */
};

/* Writes LAYER, verified, and fills *WRITTEN. 0, or -1. */
int layer_blob_put(struct layer_blob *blob, const struct layer *layer, struct written *written,
                   struct err *err);

#endif
