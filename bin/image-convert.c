/* coracle convert: an image from a layout or archive becomes a SquashFS file or a directory. */
#include <string.h>

#include "base/str.h"
#include "image-commands.h"
#include "image-output.h"
#include "image-output-options.h"
#include "layout/layout.h"

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

static int convert(const char *source, struct output_options *options, struct arena *arena, struct err *err)
{
    struct flatten_request request = {0};
    struct reference reference;
    struct layout_image image;
    int result;

    if (reference_parse(&reference, source, arena, ERR_USAGE, err) < 0)
        return -1;
    if (reference.transport != REFERENCE_OCI && reference.transport != REFERENCE_OCI_ARCHIVE &&
        reference.transport != REFERENCE_DOCKER_ARCHIVE)
        return err_set(err, ERR_USAGE,
                       "%s is no source for coracle convert; write oci:DIRECTORY, oci-archive:FILE or "
                       "docker-archive:FILE (coracle pull takes names in a registry)",
                       str_quote(arena, source));
    result = layout_open(&image, &reference, &options->platform, arena, err);
    if (result == 0) {
        request.layers = image.layers;
        request.layer_count = image.layer_count;
        request.config = image.config;
        request.config_length = image.config_length;
        result = output_write(&options->output, &request, arena, err);
    }
    layout_close(&image);
    return result;
}

int cmd_convert(int argc, char *argv[], char *const environment[], struct arena *arena, struct err *err)
{
    struct output_options options = {.arena = arena, .platform = images_host_platform(arena)};
    int index = opt_parse(rows, ROW_COUNT, argc, argv, &options, err);

    (void)environment;
    if (index < 0)
        return -1;
    if (options.help)
        return print_help(arena, err);
    if (argc - index != 2)
        return err_set(err, ERR_USAGE,
                       "coracle convert takes a source and a destination; coracle convert --help");
    if (output_open(&options.output, argv[index + 1], arena, err) < 0)
        return -1;
    return convert(argv[index], &options, arena, err);
}
