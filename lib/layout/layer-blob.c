#include "layout/layer-blob.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
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

/* The layer's tar, while its range is copied, or to be written itself. */
struct passing {
    struct layer_blob *blob;
    struct layer_reader *reader;
    struct err *err;
    uint64_t header; /* bytes that were given for the headers of the next entry */
    int is_within_header;
    int failed; /* and ERR says why */
    int has_ended;
};

/* The next bytes; *LENGTH is 0 at the end. 0 or -1. */
static int pass_bytes(struct passing *passing, const void **bytes, size_t *length)
{
    struct layer_blob *blob = passing->blob;
    const struct layout_write *write = blob->write;
    struct err *err = passing->err;

    *length = 0;
    if (passing->has_ended)
        return 0;
    passing->failed = 1;
    if (layer_read(passing->reader, bytes, length, err) < 0)
        return -1;
    checksum_add(&blob->tar, *bytes, *length);
    if (blob->compressor &&
        compressor_add(blob->compressor, *bytes, *length, *length == 0, put, blob, err) < 0)
        return -1;
    if (blob->is_plain && *length && put(blob, *bytes, *length, err) < 0)
        return -1;
    if (write->progress &&
        write->progress(write->progress_data, blob->done + layer_position(passing->reader), err) < 0)
        return -1;
    passing->failed = 0;
    passing->has_ended = *length == 0;
    return 0;
}

/* archive_read_callback(3) */
static la_ssize_t next_bytes(struct archive *archive, void *data, const void **bytes)
{
    struct passing *passing = data;
    size_t length;

    passing->failed |= passing->is_within_header && layer_check_header(passing->header, passing->err) < 0;
    if (!passing->failed && pass_bytes(passing, bytes, &length) == 0) {
        passing->header += length;
        return (la_ssize_t)length;
    }
    archive_set_error(archive, EIO, "failed");
    return ARCHIVE_FATAL;
}

static int archive_failed(const struct passing *passing, struct archive *archive)
{
    const char *reason = archive_error_string(archive);

    return passing->failed ? -1
                           : err_set(passing->err, ERR_LAYER, "the tar archive is damaged: %s",
                                     reason ? reason : "no reason is known");
}

static int is_root(struct archive_entry *member)
{
    const char *name = archive_entry_pathname(member);

    return name && name[strspn(name, "./")] == 0;
}

/* As archive_read_next_header(3), which would go over the contents of the last entry as well. */
static int next_entry(struct passing *passing, struct archive *archive, struct archive_entry **member)
{
    int result = *member ? archive_read_data_skip(archive) : ARCHIVE_OK;

    if (result == ARCHIVE_EOF || result == ARCHIVE_FATAL)
        return ARCHIVE_FATAL;
    passing->header = 0;
    passing->is_within_header = 1;
    result = archive_read_next_header(archive, member);
    passing->is_within_header = 0;
    return result;
}

static int walk(struct passing *passing, struct archive *archive)
{
    struct archive_entry *member = NULL;
    int result, has_files = !passing->blob->write->needs_files;

    if (!archive)
        return err_set(passing->err, ERR_NO_MEMORY, "no memory to read a layer");
    archive_read_support_filter_none(archive);
    archive_read_support_format_tar(archive);
    archive_read_support_format_empty(archive);
    if (archive_read_open(archive, passing, NULL, next_bytes, NULL) != ARCHIVE_OK)
        return archive_failed(passing, archive);
    while ((result = next_entry(passing, archive, &member)) == ARCHIVE_OK || result == ARCHIVE_WARN)
        has_files |= !is_root(member);
    if (result != ARCHIVE_EOF || passing->failed)
        return archive_failed(passing, archive);
    return has_files ? 0 : layer_refuse_empty(passing->err);
}

/*
 * Goes from entry to entry of a tar that no digest vouches for, as whoever reads it later will: one
 * that ends within an entry is refused. The blocks that mark its end may be missing, as GNU tar and
 * libarchive take it: then nothing of an entry is. 0 or -1.
 */
static int check_entries(struct passing *passing)
{
    struct archive *archive = archive_read_new();
    int result = walk(passing, archive);

    archive_read_free(archive);
    return result;
}

/* 0 or -1. */
static int put_tar(struct layer_blob *blob, const struct layer *layer, struct layer_reader *reader,
                   struct err *err)
{
    struct passing passing = {.blob = blob, .reader = reader, .err = err};
    const void *bytes;
    size_t length;

    if (!layer->digest && !layer->diff_id && check_entries(&passing) < 0)
        return -1;
    do {
        if (pass_bytes(&passing, &bytes, &length) < 0)
            return -1;
    } while (length);
    return layer_finish(reader, err);
}

/* What a layer may be compressed with. */
static int is_for_layers(const char *compression)
{
    return strcmp(compression, "gzip") == 0 || strcmp(compression, "zstd") == 0;
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
    if (!blob->is_plain && !layer->digest && (!*compression || !is_for_layers(*compression)))
        result = compress_instead(blob, err);
    if (result == 0)
        result = put_tar(blob, layer, reader, err);
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
