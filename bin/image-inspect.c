/* coracle inspect: what an image says of itself. */
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/path.h"
#include "base/str.h"
#include "cache/name.h"
#include "cache/store.h"
#include "image-commands.h"
#include "image-names.h"
#include "image-source.h"
#include "image/image.h"
#include "layer/spool.h"
#include "output.h"

struct inspect_options {
    struct arena *arena;
    struct image_source_options source;
    int platform_given, help;
};

/* What is known; NULL and 0: not. */
struct description {
    const char *name, *path, *kind, *id, *config;
    size_t config_length;
    uint64_t size;
    const struct layer *layers;
    size_t layer_count;
};

static int set_platform(void *target, const char *value, const struct opt_origin *origin, struct err *err)
{
    struct inspect_options *options = target;

    options->platform_given = 1;
    return oci_platform_parse(&options->source.platform, value, options->arena, origin->error, err) < 0
               ? err_prefix(err, "%s", origin->name)
               : 0;
}

static OPT_FLAG_SETTER(set_help, struct inspect_options, help);

static const char usage[] = "coracle inspect [OPTIONS] IMAGE";

static const struct opt_row rows[] = {
    {"--platform", 0, OPT_VALUE, "OS/ARCH[/VARIANT]", NULL, OPT_SINGLE,
     "of several platforms this one, in place of the host's", set_platform},
    {"--help", 'h', OPT_FLAG, NULL, NULL, OPT_SINGLE, "print this", set_help},
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

static void add_text(struct json_writer *json, const char *name, const char *value)
{
    if (value)
        json_text(json, name, value);
}

static int print(const struct description *what, struct arena *arena, struct err *err)
{
    struct str out = {.arena = arena};
    struct json_writer json = {.out = &out, .empty = 1};

    json_object(&json, NULL);
    add_text(&json, "name", what->name);
    add_text(&json, "path", what->path);
    add_text(&json, "kind", what->kind);
    add_text(&json, "id", what->id);
    if (what->size)
        json_number(&json, "size", what->size);
    if (what->layers) {
        json_array(&json, "layers");
        for (size_t i = 0; i < what->layer_count; i++) {
            json_object(&json, NULL);
            add_text(&json, "digest", what->layers[i].digest);
            json_number(&json, "size", what->layers[i].size);
            json_end(&json, '}');
        }
        json_end(&json, ']');
    }
    if (what->config)
        json_raw(&json, "config", what->config, what->config_length);
    else
        json_null(&json, "config");
    json_end(&json, '}');
    return output_print(&out, err);
}

/* PATH is a directory or a file that coracle run would take. */
static int describe_path(struct description *what, const char *path, char *const environment[],
                         struct arena *arena, struct err *err)
{
    struct image image;
    struct stat st;

    if (image_inspect(&image, path, environment, arena, err) < 0)
        return -1;
    what->path = path;
    what->kind = image.kind == IMAGE_DIRECTORY ? "directory" : "squashfs";
    /* What another system left in the image is none. */
    what->config = image.foreign ? NULL : image.config_bytes;
    what->config_length = image.config_length;
    if (image.kind == IMAGE_SQUASHFS && stat(path, &st) == 0)
        what->size = (uint64_t)st.st_size;
    fd_close(&image.server.socket);
    return 0;
}

/* The digest that the file has its name from which PATH, a name in the cache, leads to. */
static const char *id_of(const char *path, struct arena *arena)
{
    char target[PATH_MAX];
    const ssize_t length = readlink(path, target, sizeof(target) - 1);
    const char *file, *end;

    if (length < 0)
        return NULL;
    target[length] = 0;
    file = path_basename(target);
    end = strrchr(file, '.');
    return end ? arena_join(arena, path_basename(path_parent(arena, arena_join(arena, "/", target, NULL))),
                            ":", arena_strndup(arena, file, (size_t)(end - file)), NULL)
               : NULL;
}

/* The cache's file for REFERENCE, where it is there. */
static const char *cached(const struct reference *reference, const struct image_names *names,
                          struct arena *arena)
{
    struct err ignored;
    const char *path;

    return names->directory && store_check(names->directory, arena, &ignored) == 1 &&
                   cache_name(&path, names->directory, reference, arena, &ignored) == 0 &&
                   access(path, R_OK) == 0
               ? path
               : NULL;
}

/* Of a registry only the manifest and the configuration are fetched. */
static int describe_source(struct description *what, struct image_source *source,
                           const struct image_names *names, struct arena *arena, struct err *err)
{
    const char *folder =
        names->directory ? arena_join(arena, names->directory, "/" CACHE_LAYERS "/", source->id, NULL) : NULL;

    if (source->download &&
        (image_names_need_cache(names, err) < 0 || store_make(names->directory, arena, err) < 0 ||
         image_source_fetch_config(source, folder, err) < 0))
        return -1;
    if (!*what->kind)
        what->kind =
            reference_transport_name(source->manifest ? REFERENCE_OCI_ARCHIVE : REFERENCE_DOCKER_ARCHIVE);
    what->id = source->id;
    what->config = source->config;
    what->config_length = source->config_length;
    what->layers = source->layers;
    what->layer_count = source->layer_count;
    return 0;
}

/*
 * In the cache, as there is no output beside which an archive could be laid down. NULL: it need not be, or
 * there is no cache.
 */
static const char *spool_of(const struct reference *reference, const struct image_names *names,
                            struct arena *arena)
{
    struct err ignored;

    return reference->path && spool_needed(reference->path) && names->directory &&
                   store_make(names->directory, arena, &ignored) == 0
               ? path_join(arena, names->directory, CACHE_LAYERS)
               : NULL;
}

static int inspect_reference(struct inspect_options *options, const char *text, struct reference *reference,
                             struct err *err)
{
    struct arena *arena = options->arena;
    struct description what = {.name = text};
    struct image_source source;
    struct image_names names;
    const char *path;
    int result;

    if (image_names_load(&names, options->source.environment, arena, err) < 0 ||
        image_names_check(&names, reference, text, arena, err) < 0 ||
        (reference->transport == REFERENCE_REGISTRY &&
         cache_complete(reference, names.registry, arena, err) < 0))
        return -1;
    options->source.config = &names.config;
    options->source.any_platform = !options->platform_given;
    what.kind = reference->transport == REFERENCE_REGISTRY ? "registry"
                                                           : reference_transport_name(reference->transport);
    /* What is in the cache is this machine's. */
    path = options->platform_given ? NULL : cached(reference, &names, arena);
    what.id = path ? id_of(path, arena) : NULL;
    if (path)
        return describe_path(&what, path, options->source.environment, arena, err) < 0
                   ? -1
                   : print(&what, arena, err);
    options->source.spool = spool_of(reference, &names, arena);
    result = image_source_open(&source, reference, &options->source, arena, err);
    if (result == 0)
        result = describe_source(&what, &source, &names, arena, err);
    if (result == 0)
        result = print(&what, arena, err);
    image_source_close(&source);
    return result;
}

/* PATH is a tar of a root file system: nothing in it says what it is. */
static int describe_tar(const char *path, struct arena *arena, struct err *err)
{
    struct description what = {.path = path, .kind = "tar"};
    struct stat st;

    if (stat(path, &st) == 0)
        what.size = (uint64_t)st.st_size;
    return print(&what, arena, err);
}

/* What is told by its content. */
static int inspect_path(struct inspect_options *options, const char *path, struct err *err)
{
    struct reference reference = {.path = path, .index = -1};
    struct description what = {0};
    int result = layout_recognise(path, &reference.transport, options->arena, err);

    if (result < 0 && err->id == ERR_IMAGE_UNKNOWN)
        return -1;
    if (result == 0 && reference.transport == REFERENCE_TAR)
        return describe_tar(path, options->arena, err);
    if (result == 0 &&
        (reference.transport == REFERENCE_OCI || reference.transport == REFERENCE_OCI_ARCHIVE ||
         reference.transport == REFERENCE_DOCKER_ARCHIVE || reference.transport == REFERENCE_PATH))
        return inspect_reference(options, path, &reference, err);
    return describe_path(&what, path, options->source.environment, options->arena, err) < 0
               ? -1
               : print(&what, options->arena, err);
}

static int inspect(struct inspect_options *options, const char *text, struct err *err)
{
    struct description what = {0};
    struct reference reference;
    const char *path = NULL;

    if (*text == '/' || *text == '.' || !*text ||
        (strncmp(text, "docker://", strlen("docker://")) != 0 && access(text, F_OK) == 0))
        return inspect_path(options, text, err);
    if (reference_parse(&reference, text, options->arena, ERR_USAGE, err) < 0)
        return -1;
    if (reference.transport == REFERENCE_TAR)
        return inspect_path(options, reference.path, err);
    if (reference.transport == REFERENCE_DIR || reference.transport == REFERENCE_SQFS ||
        reference.transport == REFERENCE_SIF)
        path = reference.path;
    if (!path)
        return inspect_reference(options, text, &reference, err);
    return describe_path(&what, path, options->source.environment, options->arena, err) < 0
               ? -1
               : print(&what, options->arena, err);
}

int cmd_inspect(int argc, char *argv[], char *const environment[], struct arena *arena, struct err *err)
{
    struct inspect_options options = {.arena = arena, .source = {.environment = environment}};
    int index;

    options.source.platform = images_host_platform(arena);
    index = opt_parse(rows, ROW_COUNT, argc, argv, &options, err);
    if (index < 0)
        return -1;
    if (options.help)
        return images_help(
            usage,
            "Prints as JSON what IMAGE says of itself: its OCI configuration, with the layers\n"
            "where it has some. IMAGE is what coracle run takes; of one in a registry that is\n"
            "not in the cache only the manifest and the configuration are fetched.",
            rows, ROW_COUNT, arena, err);
    if (images_operands(usage, rows, ROW_COUNT, argc, argv, index, &options, err) < 0)
        return -1;
    if (argc - index != 1)
        return err_set(err, ERR_USAGE, "coracle inspect takes one image; coracle inspect --help");
    return inspect(&options, argv[index], err);
}
