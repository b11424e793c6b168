#include "layout/layer-blob.h"

#include <stddef.h>
#include <string.h>

#include "layout/compress.h"

static int put(void *data, const void *bytes, size_t length, struct err *err)
{
    struct layer_blob *blob = data;

    checksum_add(&blob->file, bytes, length);
    blob->size += length;
    return store_write(blob->store, bytes, length, err);
}

static int put_range(struct layer_copy *copy, const void *bytes, size_t length, struct err *err)
{
    struct layer_blob *blob = (struct layer_blob *)(void *)((char *)copy - offsetof(struct layer_blob, copy));

    return blob->copies ? put(blob, bytes, length, err) : 0;
}

/* A tar that is no blob yet: what was copied of it before that was known goes. 0 or -1. */
static int compress_instead(struct layer_blob *blob, struct err *err)
{
    blob->copies = 0;
    blob->size = 0;
    checksum_begin(&blob->file, "sha256");
    blob->compressor = compressor_create(blob->write->compression, blob->write->level, err);
    return blob->compressor ? store_rewind(blob->store, err) : -1;
}

/* The layer's tar, while its range is copied, or to be written itself. 0 or -1. */
static int put_tar(struct layer_blob *blob, struct layer_reader *reader, struct err *err)
{
    const struct layout_write *write = blob->write;
    const void *bytes;
    size_t length;

    do {
        if (layer_read(reader, &bytes, &length, err) < 0)
            return -1;
        checksum_add(&blob->tar, bytes, length);
        if (blob->compressor &&
            compressor_add(blob->compressor, bytes, length, length == 0, put, blob, err) < 0)
            return -1;
        if (blob->is_plain && length && put(blob, bytes, length, err) < 0)
            return -1;
        if (write->progress &&
            write->progress(write->progress_data, blob->done + layer_position(reader), err) < 0)
            return -1;
    } while (length);
    return layer_finish(reader, err);
}

static const char *media_type(const struct layer_blob *blob, const char *compression)
{
    if (blob->compressor)
        compression = blob->write->compression == LAYOUT_GZIP ? "gzip" : "zstd";
    if (!compression)
        return DOCUMENT_LAYER;
    return strcmp(compression, "gzip") == 0 ? DOCUMENT_LAYER "+gzip" : DOCUMENT_LAYER "+zstd";
}

/* 0, or -1 with ERR. */
static int put_layer(struct layer_blob *blob, const struct layer *layer, const char **compression,
                     struct err *err)
{
    struct layer_reader *reader;
    int result = 0;

    if (store_begin(blob->store, err) < 0)
        return -1;
    reader = layer_open_copy(layer, &blob->copy, err);
    if (!reader)
        return -1;
    *compression = layer_compression(reader);
    if (!blob->is_plain && !*compression && !layer->digest)
        result = compress_instead(blob, err);
    if (result == 0)
        result = put_tar(blob, reader, err);
    blob->done += layer_position(reader);
    layer_close(reader);
    return result;
}

static int name_layer(struct layer_blob *blob, const struct layer *layer, const char *compression,
                      struct written *written, struct err *err)
{
    char text[CHECKSUM_TEXT];
    const char *hex;

    checksum_end(&blob->file, text);
    written->digest = arena_strdup(blob->arena, text);
    checksum_end(&blob->tar, text);
    if (!*written->digest || !*text)
        return err_set(err, ERR_NO_MEMORY, "no memory for the digests of a layer");
    written->diff_id = layer->diff_id ? layer->diff_id : arena_strdup(blob->arena, text);
    written->media_type = media_type(blob, compression);
    written->size = blob->size;
    hex = strchr(written->digest, ':') + 1;
    written->name = blob->is_plain ? arena_join(blob->arena, hex, ".tar", NULL)
                                   : arena_join(blob->arena, STORE_BLOBS "/", hex, NULL);
    return store_end(blob->store, written->name, err);
}

int layer_blob_put(struct layer_blob *blob, const struct layer *layer, struct written *written,
                   struct err *err)
{
    const char *compression = NULL;
    int result;

    blob->copy.write = put_range;
    blob->copies = !blob->is_plain;
    blob->compressor = NULL;
    blob->size = 0;
    checksum_begin(&blob->file, "sha256");
    checksum_begin(&blob->tar, "sha256");
    result = put_layer(blob, layer, &compression, err);
    if (result == 0)
        result = name_layer(blob, layer, compression, written, err);
    checksum_drop(&blob->file);
    checksum_drop(&blob->tar);
    compressor_destroy(blob->compressor);
    return result;
}
