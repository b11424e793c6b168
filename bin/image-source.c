#include "image-source.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "image-download.h"
#include "image-tree.h"
#include "layer/spool.h"
#include "oci/rootfs.h"

int image_source_check_platform(const struct image_source *source, const struct oci_platform *platform,
                                const struct image_source_options *options, struct arena *arena,
                                struct err *err)
{
    struct oci_platform said = *platform;
    const char *text;

    if (!said.os || !*said.os)
        said.os = options->platform.os;
    if (options->any_platform || !said.architecture || !*said.architecture ||
        oci_platform_rank(&options->platform, &said))
        return 0;
    text = oci_platform_text(&said, arena);
    return err_set(err, ERR_IMAGE_PLATFORM,
                   "the image %s is for %s alone, not for %s; coracle pull and coracle convert take it with "
                   "--platform %s",
                   source->name, text, oci_platform_text(&options->platform, arena), text);
}

/* A root file system has no platform but that of the image it was made of, which few are asked for. */
static int open_tree(struct image_source *source, const struct reference *reference,
                     const struct image_source_options *options, struct arena *arena, struct err *err)
{
    struct oci_rootfs rootfs;
    struct err ignored;

    if (image_tree_open(source, reference, arena, err) < 0)
        return -1;
    return options->platform_given && source->config &&
                   oci_rootfs_parse(&rootfs, source->config, source->config_length, arena, &ignored) == 0
               ? image_source_check_platform(source, &rootfs.platform, options, arena, err)
               : 0;
}

static int open_layout(struct image_source *source, const struct reference *reference,
                       const struct image_source_options *options, struct arena *arena, struct err *err)
{
    struct layout_image *image = &source->layout;
    int archive = -1;

    if (reference->transport != REFERENCE_OCI && options->spool && spool_needed(reference->path)) {
        archive = spool_open(reference->path, options->spool, arena, err);
        if (archive < 0)
            return err_prefix(err, "image %s", source->name);
    }
    if (layout_open(image, reference, &options->platform, archive, arena, err) < 0)
        return -1;
    if (image_source_check_platform(source, &image->platform, options, arena, err) < 0)
        return -1;
    source->id = image->config_digest;
    source->digest = image->digest;
    source->manifest = image->manifest;
    source->manifest_length = image->manifest_length;
    source->config = image->config;
    source->config_length = image->config_length;
    source->layers = image->layers;
    source->layer_count = image->layer_count;
    return 0;
}

/* TEXT is no file's. Without a registry, a tag or a digest it was more likely meant as one. */
static int parse_name(struct reference *reference, const char *text, struct arena *arena, struct err *err)
{
    if (reference_parse(reference, text, arena, ERR_USAGE, err) < 0)
        return -1;
    if (reference->domain || strchr(text, ':') || strchr(text, '@'))
        return 0;
    return err_set(err, ERR_IMAGE_MISSING,
                   "there is no file or directory %s; a name in a registry is written with it: docker.io/%s",
                   str_quote(arena, text), text);
}

int image_source_parse(struct reference *reference, const char *text, struct arena *arena, struct err *err)
{
    struct err ignored;

    if (reference_parse(reference, text, arena, ERR_USAGE, &ignored) == 0 &&
        reference->transport != REFERENCE_REGISTRY)
        return 0;
    if (strncmp(text, "docker://", strlen("docker://")) == 0 || access(text, F_OK) < 0)
        return parse_name(reference, text, arena, err);
    *reference = (struct reference){.transport = REFERENCE_PATH, .path = text, .index = -1};
    return 0;
}

int image_source_open(struct image_source *source, const struct reference *reference,
                      const struct image_source_options *options, struct arena *arena, struct err *err)
{
    struct reference recognised = *reference;

    *source = (struct image_source){.name = str_quote(arena, reference_print(reference, arena)),
                                    .progress = options->progress};
    if (reference->transport == REFERENCE_PATH &&
        layout_recognise(reference->path, &recognised.transport, arena, err) < 0)
        return -1;
    reference = &recognised;
    switch (reference->transport) {
    case REFERENCE_REGISTRY:
#ifdef HAVE_REGISTRY
        return image_download_open(source, reference, options, arena, err);
#else
        return err_set(err, ERR_USAGE, "%s: this build fetches nothing: configure found no libcurl",
                       source->name);
#endif
    case REFERENCE_PATH:
    case REFERENCE_OCI:
    case REFERENCE_OCI_ARCHIVE:
    case REFERENCE_DOCKER_ARCHIVE:
        return open_layout(source, reference, options, arena, err);
    default:
        return open_tree(source, reference, options, arena, err);
    }
}

/* What a layer is called where it is shown; NULL: nothing, as it is made while it is read. */
static const char *shown_digest(const struct layer *layer)
{
    return layer->digest ? layer->digest : layer->diff_id;
}

void image_source_show_layers(const struct image_source *source, size_t first)
{
    struct progress_layer *layers = calloc(source->layer_count + 1, sizeof(*layers));
    size_t count = 0;

    while (layers && count < source->layer_count && shown_digest(&source->layers[count])) {
        layers[count] =
            (struct progress_layer){shown_digest(&source->layers[count]), source->layers[count].size};
        count++;
    }
    if (layers && count == source->layer_count)
        progress_layers(source->progress, layers, count, first);
    else if (source->tree)
        progress_size(source->progress, source->layers[0].size);
    for (size_t i = 0; count == source->layer_count && !source->download && i < count; i++)
        progress_there(source->progress, first + i);
    free(layers);
}

int image_source_fetch(struct image_source *source, const char *folder, struct err *err)
{
#ifdef HAVE_REGISTRY
    if (source->download)
        return image_download_fetch(source, folder, err);
#endif
    (void)source, (void)folder, (void)err;
    return 0;
}

int image_source_wait(const struct image_source *source, size_t index, struct err *err)
{
#ifdef HAVE_REGISTRY
    if (source->download)
        return image_download_wait(source->download, index, err);
#endif
    (void)source, (void)index, (void)err;
    return 0;
}

int image_source_fetch_config(struct image_source *source, const char *folder, struct err *err)
{
#ifdef HAVE_REGISTRY
    if (source->download)
        return image_download_config(source, folder, err);
#endif
    (void)source, (void)folder, (void)err;
    return 0;
}

int image_source_needs_files(const struct image_source *source)
{
    return source->tree && !source->config;
}

int image_source_failed(const struct image_source *source, struct err *err)
{
    return err->id == ERR_LAYER || err->id == ERR_DIGEST || err->id == ERR_IMAGE_EMPTY
               ? err_prefix(err, "the image %s", source->name)
               : -1;
}

void image_source_warn(const struct image_source *source)
{
    if (source->tree)
        image_tree_warn(source->tree);
}

void image_source_discard(struct image_source *source)
{
#ifdef HAVE_REGISTRY
    if (source->download)
        image_download_discard(source->download);
#endif
    (void)source;
}

void image_source_close(struct image_source *source)
{
#ifdef HAVE_REGISTRY
    if (source->download)
        image_download_close(source->download);
#endif
    source->download = NULL;
    if (source->tree)
        image_tree_close(source->tree);
    source->tree = NULL;
    layout_close(&source->layout);
}
