/* coracle convert: an image from a layout or archive becomes a SquashFS file or a directory. */
#include "base/str.h"
#include "image-commands.h"
#include "image-output-options.h"
#include "image-output.h"
#include "image-source.h"

static const struct opt_row rows[] = {
    OUTPUT_OPTIONS,
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

static int print_help(struct arena *arena, struct err *err)
{
    return images_help("coracle convert [OPTIONS] SOURCE DESTINATION",
                       "Makes one image of all layers of SOURCE:\n"
                       "  oci:DIRECTORY[:NAME]            an OCI image layout\n"
                       "  oci-archive:FILE[:NAME]         the same in a tar archive\n"
                       "  docker-archive:FILE[:NAME:TAG]  what `docker save` and `podman save` write\n"
                       "DESTINATION is a SquashFS file, or dir:DIRECTORY.",
                       rows, ROW_COUNT, arena, err);
}

static int convert(const char *text, struct output_options *options, char *const environment[],
                   struct arena *arena, struct err *err)
{
    const struct image_source_options source_options = {
        .platform = options->platform, .environment = environment, .progress = options->progress};
    struct reference reference;
    struct image_source source;
    int result;

    if (reference_parse(&reference, text, arena, ERR_USAGE, err) < 0)
        return -1;
    if (reference.transport == REFERENCE_REGISTRY)
        return err_set(err, ERR_USAGE,
                       "%s is no source for coracle convert; write oci:DIRECTORY, oci-archive:FILE or "
                       "docker-archive:FILE (coracle pull takes names in a registry)",
                       str_quote(arena, text));
    result = image_source_open(&source, &reference, &source_options, arena, err);
    if (result == 0)
        image_source_show_layers(&source, 0);
    if (result == 0)
        result = output_write_source(&options->output, &source, arena, err);
    if (result == 0)
        output_progress_done(options, options->output.path, source.digest);
    image_source_close(&source);
    return result;
}

int cmd_convert(int argc, char *argv[], char *const environment[], struct arena *arena, struct err *err)
{
    struct output_options options = {.arena = arena, .platform = images_host_platform(arena)};
    int index = opt_parse(rows, ROW_COUNT, argc, argv, &options, err), result;

    if (index < 0)
        return -1;
    if (options.help)
        return print_help(arena, err);
    if (argc - index != 2)
        return err_set(err, ERR_USAGE,
                       "coracle convert takes a source and a destination; coracle convert --help");
    if (output_open(&options.output, argv[index + 1], arena, err) < 0)
        return -1;
    output_progress_begin(&options, environment);
    result = convert(argv[index], &options, environment, arena, err);
    output_progress_end(&options, result, err);
    return result;
}
