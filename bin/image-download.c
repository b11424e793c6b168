#include "image-download.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "checksum/checksum.h"
#include "image-fetch.h"
#include "oci/document.h"
#include "oci/rootfs.h"
#include "registry/registry.h"

enum { FOLDER_TRIES = 8 };

struct image_download {
    const struct image_source_options *options;
    const char *name;
    struct registry *registry;
    struct oci_manifest manifest;
    struct oci_platform platform;        /* that the index says; os is NULL where it says none */
    struct registry_manifest answer;     /* that was the last: the manifest */
    struct registry_blob config, *blobs; /* and the layers, the lowest first */
    struct layer *layers;
    struct image_fetch *fetch; /* NULL: not begun */
    const char *path;          /* of the folder; NULL: not opened yet */
    int folder;
    struct arena *arena;
};

/* What the registry has under WHAT. The registry's errors name the image themselves. */
static int fetch_document(struct image_download *download, const char *what, struct oci_document *document,
                          struct err *err)
{
    struct registry_manifest *answer = &download->answer;

    if (registry_manifest(download->registry, what, answer, download->arena, err) < 0)
        return -1;
    return oci_document_parse(document, answer->bytes, answer->length,
                              *answer->media_type ? answer->media_type : NULL, download->arena, err) < 0
               ? err_prefix(err, "%s", download->name)
               : 0;
}

/* Of several platforms the one that is asked for; indexes may be in each other. */
static int find_manifest(struct image_download *download, const char *what, struct err *err)
{
    struct oci_document document;
    const struct oci_entry *entry;

    for (int depth = 0; depth <= OCI_NESTING_MAX; depth++) {
        if (fetch_document(download, what, &document, err) < 0)
            return -1;
        if (document.kind == OCI_DOCUMENT_MANIFEST) {
            download->manifest = document.manifest;
            return 0;
        }
        entry = oci_index_choose(&document.index, &download->options->platform, download->arena, err);
        if (!entry)
            return err_prefix(err, "%s", download->name);
        what = entry->blob.digest;
        download->platform = entry->platform;
    }
    return err_set(err, ERR_IMAGE_MANIFEST, "%s: its indexes are nested more than %d deep", download->name,
                   OCI_NESTING_MAX);
}

/* The digest's colon is a slash in no file name. */
static struct registry_blob want(const struct oci_descriptor *descriptor)
{
    return (struct registry_blob){
        .digest = descriptor->digest, .size = descriptor->size, .name = descriptor->digest, .fd = -1};
}

static void list_blobs(struct image_download *download)
{
    const struct oci_manifest *manifest = &download->manifest;

    download->config = want(&manifest->config);
    download->blobs = arena_alloc(download->arena, (manifest->layer_count + 1) * sizeof(*download->blobs));
    for (size_t i = 0; i < manifest->layer_count; i++)
        download->blobs[i] = want(&manifest->layers[i].blob);
}

/* As far as the manifest says: what is in them is not known, and they are not here. */
static void list_layers(struct image_source *source)
{
    const struct oci_manifest *manifest = &source->download->manifest;
    struct layer *layers =
        arena_alloc(source->download->arena, (manifest->layer_count + 1) * sizeof(*layers));

    for (size_t i = 0; i < manifest->layer_count; i++)
        layers[i] = (struct layer){
            .fd = -1, .size = manifest->layers[i].blob.size, .digest = manifest->layers[i].blob.digest};
    source->download->layers = layers;
    source->layers = layers;
    source->layer_count = manifest->layer_count;
}

int image_download_open(struct image_source *source, const struct reference *reference,
                        const struct image_source_options *options, struct arena *arena, struct err *err)
{
    struct image_download *download = arena_alloc(arena, sizeof(*download));

    *download = (struct image_download){
        .options = options, .name = source->name, .config.fd = -1, .folder = -1, .arena = arena};
    source->download = download;
    download->registry = registry_open_configured(reference, options->config, &options->registry,
                                                  options->environment, arena, err);
    if (!download->registry || find_manifest(download,
                                             reference->digest ? reference->digest
                                             : reference->tag  ? reference->tag
                                                               : "latest",
                                             err) < 0)
        return -1;
    list_blobs(download);
    source->id = download->manifest.config.digest;
    source->digest = download->answer.digest;
    source->manifest = download->answer.bytes;
    source->manifest_length = download->answer.length;
    list_layers(source);
    progress_resolved(source->progress, reference_print(reference, arena), source->digest,
                      oci_platform_text(&options->platform, arena));
    return 0;
}

/* It may be there from before, but who could change what is in it could do so after it was verified. */
static int open_folder(struct image_download *download, const char *path, struct err *err)
{
    const char *name = str_quote(download->arena, path);
    struct stat st;

    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return err_set(err, ERR_OUTPUT, "cannot make %s: %s%s", name, err_reason(errno), err_way_out(errno));
    download->folder = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (download->folder < 0 || fstat(download->folder, &st) < 0)
        return err_set(err, ERR_OUTPUT, "cannot open %s: %s", name, err_reason(errno));
    if (st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)))
        return err_set(err, ERR_OUTPUT,
                       "others can change what is in %s; remove it, or name another destination", name);
    /* store_sweep() shall see that it is in use: what is in it may be old. */
    (void)futimens(download->folder, NULL);
    download->path = path;
    return 0;
}

/* The configuration as its digest names it: it was verified when it was fetched, and is read only now. */
static int read_config(struct image_source *source, struct err *err)
{
    const struct registry_blob *blob = &source->download->config;
    char digest[CHECKSUM_TEXT];

    source->config = fd_read_all(blob->fd, OCI_DOCUMENT_MAX, source->download->arena, &source->config_length);
    if (!source->config)
        return err_set(err, ERR_IMAGE_CONFIG, "%s: its configuration cannot be read: %s", source->name,
                       err_reason(errno));
    if (strcmp(checksum_of(digest, blob->digest, source->config, source->config_length), blob->digest) != 0)
        return err_set(err, ERR_DIGEST, "%s: its configuration is not %s any more", source->name,
                       blob->digest);
    return 0;
}

/* What is in the layers, by the configuration. */
static int take_layers(struct image_source *source, struct err *err)
{
    const struct image_download *download = source->download;
    struct oci_rootfs rootfs;

    if (oci_rootfs_parse(&rootfs, source->config, source->config_length, download->arena, err) < 0)
        return err_prefix(err, "%s", source->name);
    if (rootfs.count != source->layer_count)
        return err_set(err, ERR_IMAGE_CONFIG, "%s: the manifest has %zu layers, the configuration %zu",
                       source->name, source->layer_count, rootfs.count);
    for (size_t i = 0; i < rootfs.count; i++)
        download->layers[i].diff_id = rootfs.diff_ids[i];
    return 0;
}

/* Of a layer that registries may not have. Blobs are named in ERR by their digests. */
static void explain_foreign(const struct image_download *download, struct err *err)
{
    const struct oci_manifest *manifest = &download->manifest;

    for (size_t i = 0; err->id == ERR_IMAGE_MISSING && i < manifest->layer_count; i++)
        if (manifest->layers[i].is_foreign && strstr(err->text, manifest->layers[i].blob.digest)) {
            err_prefix(err, "foreign layer, which may not be distributed");
            return;
        }
}

/* Whether PATH does not lead to the folder any more: another pull to the same place has ended. */
static int is_taken_away(const struct image_download *download, const char *path)
{
    struct stat opened, named;

    if (lstat(path, &named) < 0)
        return errno == ENOENT;
    return download->folder >= 0 && fstat(download->folder, &opened) == 0 &&
           (opened.st_dev != named.st_dev || opened.st_ino != named.st_ino);
}

/* Where there is no room, or whose blob does not come. Returns -1. */
static int name_place(const struct image_download *download, struct err *err)
{
    if (err->id == ERR_SYSTEM && is_taken_away(download, download->path))
        return err_set(err, ERR_OUTPUT,
                       "the image %s: another pull to the same place has ended and taken away %s, where the "
                       "layers were; see what it has made, or pull again",
                       download->name, str_quote(download->arena, download->path));
    explain_foreign(download, err);
    return err->id == ERR_LIMIT ? err_prefix(err, "%s", str_quote(download->arena, download->path))
                                : err_prefix(err, "the image %s", download->name);
}

/* What the index says of its images counts, as they were chosen by it. */
static int check_platform(const struct image_source *source, struct err *err)
{
    const struct image_download *download = source->download;
    struct oci_rootfs rootfs;
    struct err ignored;

    return !download->platform.os && oci_rootfs_parse(&rootfs, source->config, source->config_length,
                                                      download->arena, &ignored) == 0
               ? image_source_check_platform(source, &rootfs.platform, download->options, download->arena,
                                             err)
               : 0;
}

/* Until something is in it the folder may be taken away by a pull that ends: then it is made once more. */
static int fetch_config(struct image_download *download, const char *folder, struct err *err)
{
    int result, tries = 0;

    do {
        fd_close(&download->folder);
        result = open_folder(download, folder, err);
        if (result == 0)
            result = registry_blobs(download->registry, &download->config, 1, download->folder, NULL, err);
    } while (result < 0 && is_taken_away(download, folder) && ++tries < FOLDER_TRIES);
    return result < 0 && download->path ? name_place(download, err) : result;
}

int image_download_config(struct image_source *source, const char *folder, struct err *err)
{
    struct image_download *download = source->download;

    if (fetch_config(download, folder, err) < 0 || read_config(source, err) < 0)
        return -1;
    if (check_platform(source, err) == 0)
        return 0;
    unlinkat(download->folder, download->config.name, 0); /* of no use to another pull */
    return -1;
}

int image_download_fetch(struct image_source *source, const char *folder, struct err *err)
{
    struct image_download *download = source->download;

    image_source_show_layers(source, 1);
    if (image_download_config(source, folder, err) < 0 || take_layers(source, err) < 0)
        return -1;
    download->fetch = image_fetch_start(download->registry, download->blobs, source->layer_count,
                                        download->folder, source->progress, err);
    return download->fetch ? 0 : -1;
}

int image_download_wait(struct image_download *download, size_t index, struct err *err)
{
    return image_fetch_wait(download->fetch, index, &download->layers[index].fd, err) < 0
               ? name_place(download, err)
               : 0;
}

/* Another image's, of an interrupted pull, stays. */
void image_download_discard(struct image_download *download)
{
    image_fetch_end(download->fetch);
    download->fetch = NULL;
    unlinkat(download->folder, download->config.name, 0);
    for (size_t i = 0; i < download->manifest.layer_count; i++)
        unlinkat(download->folder, download->blobs[i].name, 0);
}

void image_download_close(struct image_download *download)
{
    image_fetch_end(download->fetch);
    if (download->registry)
        registry_close(download->registry);
    fd_close(&download->config.fd);
    fd_close(&download->folder);
    if (download->path)
        rmdir(download->path); /* where nothing is in it */
}
