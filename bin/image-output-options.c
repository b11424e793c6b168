#include "image-output-options.h"

#include <sys/stat.h>

#include "base/num.h"
#include "base/str.h"

enum { SMALLEST_BLOCK = 4096, LARGEST_BLOCK = 1024 * 1024 };

int output_set_compression(void *target, const char *value, const struct opt_origin *origin, struct err *err)
{
    struct output_options *options = target;

    options->compression_given = 1;
    return pack_parse_compression(value, &options->output.options, err) < 0
               ? err_prefix(err, "%s", origin->name)
               : 0;
}

int output_set_block_size(void *target, const char *value, const struct opt_origin *origin, struct err *err)
{
    struct output_options *options = target;
    uint64_t size;

    if (num_parse_size(value, &size) < 0 || size < SMALLEST_BLOCK || size > LARGEST_BLOCK ||
        (size & (size - 1)))
        return err_set(err, origin->error, "%s: %s is not a power of two from 4K to 1M", origin->name,
                       str_quote(options->arena, value));
    options->output.options.block_size = (uint32_t)size;
    options->block_size_given = 1;
    return 0;
}

int output_set_platform(void *target, const char *value, const struct opt_origin *origin, struct err *err)
{
    struct output_options *options = target;

    options->platform_given = 1;
    return oci_platform_parse(&options->platform, value, options->arena, origin->error, err) < 0
               ? err_prefix(err, "%s", origin->name)
               : 0;
}

OPT_FLAG_SETTER(output_set_force, struct output_options, output.replace);
OPT_FLAG_SETTER(output_set_json, struct output_options, json);
OPT_FLAG_SETTER(output_set_quiet, struct output_options, quiet);
OPT_FLAG_SETTER(output_set_help, struct output_options, help);

int output_configure(struct output_options *options, const struct config *config, struct err *err)
{
    const struct opt_origin compression = {config->compression.origin, ERR_CONFIG},
                            block_size = {config->block_size.origin, ERR_CONFIG};
    const int for_layers = options->compression_given;

    if (!options->compression_given && config->compression.value &&
        output_set_compression(options, config->compression.value, &compression, err) < 0)
        return -1;
    /* It is about a SquashFS: layers are not. */
    options->compression_given = for_layers;
    return !options->block_size_given && config->block_size.value
               ? output_set_block_size(options, config->block_size.value, &block_size, err)
               : 0;
}

void output_progress_begin(struct output_options *options, char *const environment[])
{
    arena_init(&options->progress_arena, options->arena->exhausted);
    options->progress =
        progress_open(progress_style(options->json, options->quiet, environment), &options->progress_arena);
}

void output_progress_done(const struct output_options *options, const char *path, const char *digest)
{
    struct stat st;

    progress_done(options->progress, path,
                  stat(path, &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0, digest);
}

void output_progress_end(struct output_options *options, int result, const struct err *err)
{
    if (!options->progress)
        return;
    if (result < 0)
        progress_failed(options->progress, err);
    progress_close(options->progress);
    arena_free(&options->progress_arena);
}
