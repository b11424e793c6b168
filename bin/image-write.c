#include "image-write.h"

#include <string.h>

#include "image-interrupt.h"
#include "image-tree.h"

/* Of layers that are made; gzip is read by all. */
static int choose_compression(struct layout_write *write, const struct output_options *options,
                              struct err *err)
{
    if (!options->compression_given)
        return 0;
    if (options->output.options.compression != PACK_ZSTD && options->output.options.compression != PACK_GZIP)
        return err_set(err, ERR_USAGE, "--compression: layers of an image are compressed by gzip or zstd");
    write->compression = options->output.options.compression == PACK_ZSTD ? LAYOUT_ZSTD : LAYOUT_GZIP;
    write->level = options->output.options.level;
    return 0;
}

int image_write_open(struct image_writing *writing, const char *destination,
                     const struct output_options *options, struct arena *arena, struct err *err)
{
    static const char *const prefixes[] = {"oci:", "oci-archive:", "docker-archive:"};
    struct layout_write checked = {0};
    int is_layout = 0;

    *writing = (struct image_writing){0};
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        is_layout |= strncmp(destination, prefixes[i], strlen(prefixes[i])) == 0;
    if (!is_layout)
        return 0;
    if (choose_compression(&checked, options, err) < 0 ||
        reference_parse(&writing->destination, destination, arena, ERR_USAGE, err) < 0)
        return -1;
    writing->writer = layout_create(&writing->destination, options->output.replace, arena, err);
    return writing->writer ? 1 : -1;
}

void image_write_close(struct image_writing *writing)
{
    layout_writer_close(writing->writer);
    writing->writer = NULL;
}

static int show(void *data, uint64_t done, struct err *err)
{
    progress_flattened(data, done);
    return interrupt_check(err);
}

/*
 * Of a root file system that does not say. Which of an architecture's processors made it, says nothing
 * of what is in it: image-index.md has variants of ARM alone.
 */
static struct oci_platform platform_of(const struct output_options *options)
{
    struct oci_platform platform = options->platform;

    if (!options->platform_given && strcmp(platform.architecture, "amd64") == 0)
        platform.variant = "";
    return platform;
}

int image_write(struct image_writing *writing, const struct image_source *source,
                const struct output_options *options, struct err *err)
{
    struct layout_write write = {.layers = source->layers,
                                 .layer_count = source->layer_count,
                                 .config = source->config,
                                 .config_length = source->config_length,
                                 .manifest = source->manifest,
                                 .manifest_length = source->manifest_length,
                                 .needs_files = image_source_needs_files(source),
                                 .platform = platform_of(options),
                                 .progress = show,
                                 .progress_data = source->progress};
    int result;

    if (choose_compression(&write, options, err) < 0)
        return -1;
    for (size_t i = 0; i < source->layer_count; i++)
        if (image_source_wait(source, i, err) < 0)
            return -1;
    progress_flatten_begin(source->progress);
    interrupt_begin();
    result = layout_write(writing->writer, &write, err);
    image_write_close(writing);
    interrupt_obey();
    if (result < 0)
        return image_source_failed(source, err);
    image_source_warn(source);
    if (source->tree && !source->config)
        image_tree_warn_foreign(source->tree);
    return 0;
}
