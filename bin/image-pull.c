/* coracle pull: an image of a registry comes into the cache, or becomes a SquashFS file or a directory. */
#include <string.h>

#include "base/num.h"
#include "base/path.h"
#include "base/str.h"
#include "cache/name.h"
#include "image-commands.h"
#include "image-keep.h"
#include "image-names.h"
#include "image-output-options.h"
#include "image-output.h"
#include "image-source.h"
#include "output.h"

struct pull_options {
    struct output_options output; /* first: the setters of the common options take it for this */
    struct image_source_options source;
    struct image_names names;
    int is_packed_so; /* an option says how */
};

static OPT_FLAG_SETTER(set_plain_http, struct pull_options, source.registry.plain_http);
static OPT_TEXT_SETTER(set_ca_file, struct pull_options, source.registry.ca_file);
static OPT_TEXT_SETTER(set_auth_file, struct pull_options, source.registry.auth_file);

static int set_timeout(void *target, const char *value, const struct opt_origin *origin, struct err *err)
{
    uint64_t seconds;

    if (num_parse(value, CONFIG_TIMEOUT_MAX, &seconds) < 0 || seconds == 0)
        return err_set(err, origin->error, "%s is a number of seconds from 1 to %d", origin->name,
                       CONFIG_TIMEOUT_MAX);
    ((struct pull_options *)target)->source.registry.timeout = (unsigned)seconds;
    return 0;
}

static const char usage[] = "coracle pull [OPTIONS] [REGISTRY/]REPOSITORY[:TAG][@DIGEST] [DESTINATION]";

static const struct opt_row rows[] = {
    OUTPUT_OPTIONS,
    {"--authfile", 0, OPT_VALUE, "FILE", NULL, OPT_SINGLE,
     "take credentials from this file alone, which docker or podman wrote", set_auth_file},
    {"--ca-file", 0, OPT_VALUE, "FILE", NULL, OPT_SINGLE, "trust the certificates in FILE too", set_ca_file},
    {"--plain-http", 0, OPT_FLAG, NULL, NULL, OPT_SINGLE, "speak to this registry without TLS",
     set_plain_http},
    {"--timeout", 0, OPT_VALUE, "SECONDS", NULL, OPT_SINGLE,
     "give a connection up that brings nothing for so long (30)", set_timeout},
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

static int print_help(struct arena *arena, struct err *err)
{
    return images_help(usage,
                       "Fetches an image and makes one SquashFS file of its layers. DESTINATION is that\n"
                       "file, or dir:DIRECTORY. Without it the image comes into the cache, where coracle\n"
                       "run finds it by its name, and the path is printed. TAG is \"latest\" where neither\n"
                       "it nor a digest is given. Docker Hub is docker.io. What was fetched of a pull that\n"
                       "was interrupted stays for the next one, in .DESTINATION.download or the cache.",
                       rows, ROW_COUNT, arena, err);
}

static int pull_to_file(struct pull_options *options, const struct reference *reference,
                        const char *destination, struct arena *arena, struct err *err)
{
    const struct output *output = &options->output.output;
    struct image_source source;
    struct output beside;
    int result;

    if (output_open(&options->output.output, destination, arena, err) < 0)
        return -1;
    beside = (struct output){.path = path_clean(arena, output->path)};
    result = image_source_open(&source, reference, &options->source, arena, err);
    /* Beside the destination: /tmp may be small. */
    if (result == 0)
        result = image_source_fetch(&source, output_beside(&beside, ".download", arena), err);
    if (result == 0)
        result = output_write_source(output, &source, arena, err);
    if (result == 0) {
        image_source_discard(&source);
        output_progress_done(&options->output, output->path, source.digest);
    }
    image_source_close(&source);
    return result;
}

/* What is in the cache under a name is what this machine runs. */
static int check_platform(const struct pull_options *options, struct arena *arena, struct err *err)
{
    const struct oci_platform host = images_host_platform(arena);

    return oci_platform_rank(&host, &options->output.platform)
               ? 0
               : err_set(err, ERR_USAGE,
                         "--platform %s: this machine runs no such image from the cache; name a DESTINATION "
                         "for it",
                         oci_platform_text(&options->output.platform, arena));
}

static int pull_to_cache(struct pull_options *options, const struct reference *reference, struct arena *arena,
                         struct err *err)
{
    struct str out = {.arena = arena};
    const struct image_keeping keeping = {.directory = options->names.directory,
                                          .reference = reference,
                                          .source = &options->source,
                                          .pack = &options->output.output.options,
                                          .anew = 1,
                                          .remake = options->is_packed_so};
    const char *path;

    if (image_keep(&keeping, &path, arena, err) < 0)
        return -1;
    output_progress_done(&options->output, path, NULL);
    if (options->output.json)
        return 0;
    str_addf(&out, "%s\n", path);
    return output_print(&out, err);
}

/* "pull FILE docker://NAME", as Apptainer has it. */
static int is_turned_round(const char *text, const char *destination)
{
    static const char begin[] = "docker://";

    return destination && strncmp(destination, begin, sizeof(begin) - 1) == 0 &&
           strncmp(text, begin, sizeof(begin) - 1) != 0;
}

static int pull(struct pull_options *options, const char *text, const char *destination, struct arena *arena,
                struct err *err)
{
    struct reference reference;

    if (is_turned_round(text, destination))
        return err_set(err, ERR_USAGE, "the image comes first, then where it goes: coracle pull %s FILE.sqfs",
                       str_quote(arena, destination));
    if (reference_parse(&reference, text, arena, ERR_USAGE, err) < 0)
        return -1;
    if (reference.transport != REFERENCE_REGISTRY)
        return err_set(err, ERR_USAGE, "%s is not in a registry; coracle convert makes an image of it",
                       str_quote(arena, text));
    options->source.platform = options->output.platform;
    options->is_packed_so = options->output.compression_given || options->output.block_size_given;
    if (image_names_load(&options->names, options->source.environment, arena, err) < 0 ||
        image_names_check(&options->names, &reference, text, arena, err) < 0 ||
        output_configure(&options->output, &options->names.config, err) < 0 ||
        cache_complete(&reference, options->names.registry, arena, err) < 0)
        return -1;
    options->source.config = &options->names.config;
    if (destination)
        return pull_to_file(options, &reference, destination, arena, err);
    return image_names_need_cache(&options->names, err) < 0 || check_platform(options, arena, err) < 0
               ? -1
               : pull_to_cache(options, &reference, arena, err);
}

int cmd_pull(int argc, char *argv[], char *const environment[], struct arena *arena, struct err *err)
{
    struct pull_options options = {.output = {.arena = arena, .platform = images_host_platform(arena)},
                                   .source = {.environment = environment}};
    int index = opt_parse(rows, ROW_COUNT, argc, argv, &options, err), result;

    if (index < 0)
        return -1;
    if (options.output.help)
        return print_help(arena, err);
    if (images_operands(usage, rows, ROW_COUNT, argc, argv, index, &options, err) < 0)
        return -1;
    if (argc - index != 1 && argc - index != 2)
        return err_set(err, ERR_USAGE,
                       "coracle pull takes the name of an image and a destination; coracle pull --help");
    output_progress_begin(&options.output, environment);
    options.source.progress = options.output.progress;
    result = pull(&options, argv[index], argv[index + 1], arena, err);
    output_progress_end(&options.output, result, err);
    return result;
}
