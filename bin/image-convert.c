/* coracle convert: an image becomes one of another kind. */
#include "base/path.h"
#include "cache/name.h"
#include "image-commands.h"
#include "image-names.h"
#include "image-output-options.h"
#include "image-output.h"
#include "image-source.h"
#include "image-write.h"

static const char usage[] = "coracle convert [OPTIONS] SOURCE DESTINATION";

static const struct opt_row rows[] = {
    OUTPUT_OPTIONS,
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

static int print_help(struct arena *arena, struct err *err)
{
    return images_help(
        usage,
        "Makes an image of another kind. SOURCE is a path, which is told by its content, or\n"
        "  oci:DIRECTORY[:NAME]            an OCI image layout\n"
        "  oci-archive:FILE[:NAME]         the same in a tar archive\n"
        "  docker-archive:FILE[:NAME:TAG]  what `docker save` and `podman save` write\n"
        "  docker://REGISTRY/NAME[:TAG]    in a registry\n"
        "  dir:DIRECTORY, sqfs:FILE, sif:FILE, tar:FILE\n"
        "                                  a root file system\n"
        "An archive and a tar may be compressed; - in place of FILE is standard input.\n"
        "DESTINATION is a SquashFS file (FILE or sqfs:FILE), or dir:DIRECTORY, oci:DIRECTORY[:NAME],\n"
        "oci-archive:FILE[:NAME] or docker-archive:FILE[:NAME:TAG].",
        rows, ROW_COUNT, arena, err);
}

static const char *path_of(const struct output_options *options, const struct image_writing *writing)
{
    return writing->destination.path ? writing->destination.path : options->output.path;
}

/* What is needed meanwhile is beside the destination: /tmp may be small. */
static const char *download_folder(const struct output_options *options, const struct image_writing *writing,
                                   struct arena *arena)
{
    const struct output beside = {.path = path_clean(arena, path_of(options, writing))};

    return output_beside(&beside, ".download", arena);
}

static const char *spool_of(const struct output_options *options, const struct image_writing *writing,
                            struct arena *arena)
{
    const char *path = path_clean(arena, path_of(options, writing));
    const char *name = path_basename(path);

    return name == path ? "." : path_clean(arena, arena_strndup(arena, path, (size_t)(name - path)));
}

static int make(struct image_source *source, struct output_options *options, struct image_writing *writing,
                struct arena *arena, struct err *err)
{
    if (!source->download)
        image_source_show_layers(source, 0);
    if (image_source_fetch(source, download_folder(options, writing, arena), err) < 0 ||
        (writing->writer ? image_write(writing, source, options, err)
                         : output_write_source(&options->output, source, arena, err)) < 0)
        return -1;
    image_source_discard(source);
    output_progress_done(options, path_of(options, writing), source->digest);
    return 0;
}

static int convert(const char *text, struct output_options *options, struct image_writing *writing,
                   char *const environment[], struct arena *arena, struct err *err)
{
    struct image_names names;
    const struct image_source_options source_options = {.platform = options->platform,
                                                        .platform_given = options->platform_given,
                                                        .spool = spool_of(options, writing, arena),
                                                        .config = &names.config,
                                                        .environment = environment,
                                                        .progress = options->progress};
    struct reference reference;
    struct image_source source;
    int result;

    if (image_source_parse(&reference, text, arena, err) < 0 ||
        image_names_load(&names, environment, arena, err) < 0 ||
        output_configure(options, &names.config, err) < 0 ||
        (reference.transport == REFERENCE_REGISTRY &&
         cache_complete(&reference, names.registry, arena, err) < 0))
        return -1;
    result = image_source_open(&source, &reference, &source_options, arena, err);
    if (result == 0)
        result = make(&source, options, writing, arena, err);
    image_source_close(&source);
    return result;
}

int cmd_convert(int argc, char *argv[], char *const environment[], struct arena *arena, struct err *err)
{
    struct output_options options = {.arena = arena, .platform = images_host_platform(arena)};
    struct image_writing writing;
    int index = opt_parse(rows, ROW_COUNT, argc, argv, &options, err), result;

    if (index < 0)
        return -1;
    if (options.help)
        return print_help(arena, err);
    if (images_operands(usage, rows, ROW_COUNT, argc, argv, index, &options, err) < 0)
        return -1;
    if (argc - index != 2)
        return err_set(err, ERR_USAGE,
                       "coracle convert takes a source and a destination; coracle convert --help");
    result = image_write_open(&writing, argv[index + 1], &options, arena, err);
    if (result < 0 || (result == 0 && output_open(&options.output, argv[index + 1], arena, err) < 0))
        return -1;
    output_progress_begin(&options, environment);
    result = convert(argv[index], &options, &writing, environment, arena, err);
    output_progress_end(&options, result, err);
    image_write_close(&writing);
    return result;
}
