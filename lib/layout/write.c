#include "layout/write.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/path.h"
#include "checksum/checksum.h"
#include "layout/documents.h"
#include "layout/layer-blob.h"
#include "layout/store.h"
#include "oci/document.h"
#include "oci/layout-file.h"

#define LAYOUT_FILE "{\"imageLayoutVersion\":\"1.0.0\"}"

enum { LAYOUT_FILE_MAX = 4096 };

struct layout_writer {
    struct store store;
    const struct reference *destination;
    struct arena *arena;
    int replace;
};

/* The index of the layout that is there, as it is now. 0, or -1. */
static int read_index(const struct store *store, struct index_text *index, struct arena *arena,
                      struct err *err)
{
    index->bytes =
        fd_read_file(store->place, "index.json", O_NOFOLLOW, OCI_DOCUMENT_MAX, arena, &index->length);
    return index->bytes
               ? 0
               : err_set(err, ERR_OUTPUT, "%s has no index.json that can be read: this is no OCI layout",
                         store->shown);
}

/* Whether the image may be added to the layout, as it is now. 0 and its INDEX, or -1. */
static int check_index(const struct layout_writer *writer, struct index_text *index, struct err *err)
{
    const struct store *store = &writer->store;
    const char *name = writer->destination->name;
    int has;

    if (read_index(store, index, writer->arena, err) < 0)
        return -1;
    has = document_index_has(index, name, writer->arena, err);
    if (has < 0)
        return err_prefix(err, "%s", store->shown);
    if (has && !writer->replace)
        return err_set(err, ERR_OUTPUT, "%s has an image %s%s already; --force replaces it", store->shown,
                       name ? "called " : "without a name", name ? str_quote(writer->arena, name) : "");
    return 0;
}

/* The directory is to get one image more. 0, or -1. */
static int check_layout(const struct layout_writer *writer, struct err *err)
{
    const struct store *store = &writer->store;
    struct index_text index;
    size_t length;
    const char *bytes =
        fd_read_file(store->place, STORE_MARK, O_NOFOLLOW, LAYOUT_FILE_MAX, writer->arena, &length);

    if (!bytes)
        return err_set(err, ERR_OUTPUT,
                       "%s is there already and is no OCI image layout; name another directory",
                       store->shown);
    if (oci_layout_file_check(bytes, length, writer->arena, err) < 0)
        return err_prefix(err, "%s", store->shown);
    return check_index(writer, &index, err);
}

static int open_store(struct layout_writer *writer, struct err *err)
{
    const struct reference *destination = writer->destination;
    struct store *store = &writer->store;
    struct stat st;

    if (destination->index >= 0)
        return err_set(err, ERR_USAGE, "what is written has no place yet: leave the number after @ away");
    if (destination->transport != REFERENCE_OCI || stat(destination->path, &st) < 0 || !S_ISDIR(st.st_mode))
        return store_open(store, destination->path, destination->transport != REFERENCE_OCI, writer->replace,
                          writer->arena, err);
    return store_open_read(store, destination->path, writer->arena, err) < 0 ? -1 : check_layout(writer, err);
}

static int make_store(struct layout_writer *writer, struct err *err)
{
    struct store *store = &writer->store;

    if (store_start(store, err) < 0)
        return -1;
    if (writer->destination->transport != REFERENCE_OCI_ARCHIVE)
        return 0;
    return archive_directory(store, "blobs/", err) < 0 ? -1 : archive_directory(store, STORE_BLOBS "/", err);
}

struct layout_writer *layout_create(const struct reference *destination, int replace, struct arena *arena,
                                    struct err *err)
{
    struct layout_writer *writer = arena_alloc(arena, sizeof(*writer));

    store_init(&writer->store);
    writer->destination = destination;
    writer->arena = arena;
    writer->replace = replace;
    if (open_store(writer, err) == 0)
        return writer;
    layout_writer_close(writer);
    return NULL;
}

/* A small blob. 0 or -1. */
static int put_blob(struct layout_writer *writer, const char *media_type, const char *bytes, size_t length,
                    struct written *blob, struct err *err)
{
    char digest[CHECKSUM_TEXT];
    const char *hex;

    checksum_of(digest, "sha256", bytes, length);
    *blob = (struct written){
        .media_type = media_type, .digest = arena_strdup(writer->arena, digest), .size = length};
    hex = strchr(blob->digest, ':') + 1;
    blob->name = writer->destination->transport == REFERENCE_DOCKER_ARCHIVE
                     ? arena_join(writer->arena, hex, ".json", NULL)
                     : arena_join(writer->arena, STORE_BLOBS "/", hex, NULL);
    return store_put(&writer->store, blob->name, bytes, length, err);
}

/* REPOSITORY:TAG, or NULL. */
static const char *tag_of(const struct reference *reference, struct arena *arena)
{
    if (!reference->repository)
        return NULL;
    return arena_join(arena, reference->domain ? reference->domain : "", reference->domain ? "/" : "",
                      reference->repository, ":", reference->tag ? reference->tag : "latest", NULL);
}

static int put_index(struct layout_writer *writer, const struct written *manifest,
                     const struct oci_platform *platform, struct err *err)
{
    struct store *store = &writer->store;
    struct str out = {.arena = writer->arena};
    struct index_text old;

    /* Another process may have added an image since. */
    if (store->is_there && (store_lock(store, err) < 0 || check_index(writer, &old, err) < 0))
        return -1;
    if (document_index(&out, store->is_there ? &old : NULL, manifest, platform, writer->destination->name,
                       err) < 0)
        return err_prefix(err, "%s", store->shown);
    if (!store->is_there && store_put(store, STORE_MARK, LAYOUT_FILE, strlen(LAYOUT_FILE), err) < 0)
        return -1;
    return store_put(store, "index.json", out.data, out.length, err);
}

/* What is said about the layers. 0 or -1. */
static int put_documents(struct layout_writer *writer, const struct layout_write *write,
                         const struct written *layers, struct err *err)
{
    struct str out = {.arena = writer->arena};
    struct written config, manifest;
    struct oci_platform platform;
    const char *bytes;
    size_t length;

    if (document_config(write, layers, &bytes, &length, &platform, writer->arena, err) < 0 ||
        put_blob(writer, DOCUMENT_CONFIG, bytes, length, &config, err) < 0)
        return -1;
    if (writer->destination->transport == REFERENCE_DOCKER_ARCHIVE) {
        document_saved(&out, &config, layers, write->layer_count, tag_of(writer->destination, writer->arena));
        return store_put(&writer->store, "manifest.json", out.data, out.length, err);
    }
    if (document_is_kept(write, &config, layers, writer->arena))
        str_add_bytes(&out, write->manifest, write->manifest_length);
    else
        document_manifest(&out, &config, layers, write->layer_count);
    if (put_blob(writer, DOCUMENT_MANIFEST, out.data, out.length, &manifest, err) < 0)
        return -1;
    return put_index(writer, &manifest, &platform, err);
}

int layout_write(struct layout_writer *writer, const struct layout_write *write, struct err *err)
{
    struct written *layers = arena_alloc(writer->arena, (write->layer_count + 1) * sizeof(*layers));
    struct layer_blob blob = {.store = &writer->store,
                              .write = write,
                              .is_plain = writer->destination->transport == REFERENCE_DOCKER_ARCHIVE,
                              .arena = writer->arena};

    if (make_store(writer, err) < 0)
        return -1;
    for (size_t i = 0; i < write->layer_count; i++) {
        if (layer_blob_put(&blob, &write->layers[i], &layers[i], err) == 0)
            continue;
        return !write->layers[i].stream && (err->id == ERR_LAYER || err->id == ERR_DIGEST)
                   ? err_prefix(err, "layer %zu of %zu", i + 1, write->layer_count)
                   : -1;
    }
    return put_documents(writer, write, layers, err) < 0 ? -1 : store_publish(&writer->store, err);
}

void layout_writer_close(struct layout_writer *writer)
{
    if (writer)
        store_close(&writer->store);
}
