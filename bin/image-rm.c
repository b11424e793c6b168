/* coracle rm: takes images out of the cache. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "cache/name.h"
#include "image-cached.h"
#include "image-commands.h"
#include "reference/reference.h"

/* A beginning of a digest that names an image must not be shorter. */
enum { SHORT_ID = 4 };

struct rm_options {
    struct arena *arena;
    struct image_names names;
    struct store store;
    const char *id; /* that what is removed has; NULL: it is a name */
    int all, help;
};

static OPT_FLAG_SETTER(set_all, struct rm_options, all);
static OPT_FLAG_SETTER(set_help, struct rm_options, help);

static int remove_file(const char *path, struct arena *arena, struct err *err)
{
    if (unlink(path) == 0 || errno == ENOENT)
        return 0;
    return err_set(err, ERR_OUTPUT, "cannot remove %s: %s", str_quote(arena, path), err_reason(errno));
}

/* The path of TEXT's name in the cache; NULL where it is none. */
static const char *path_of(const struct rm_options *options, const char *text)
{
    struct reference reference;
    struct err ignored;
    const char *path;

    return reference_parse(&reference, text, options->arena, ERR_USAGE, &ignored) == 0 &&
                   (reference.transport != REFERENCE_REGISTRY ||
                    cache_complete(&reference, options->names.registry, options->arena, &ignored) == 0) &&
                   cache_name(&path, options->names.directory, &reference, options->arena, &ignored) == 0
               ? path
               : NULL;
}

static int is_id(const struct rm_options *options, const struct store_image *image)
{
    return options->id && strcmp(image->id, options->id) == 0;
}

static int is_name(const struct store_name *found, const char *text, const char *path)
{
    /* By what is listed too: what was converted may have changed, and has another name now. */
    return strcmp(found->name, text) == 0 || (path && strcmp(found->path, path) == 0);
}

/* The image whose digest is or begins with TEXT becomes options->id; a name comes before a beginning. 0 or
 * -1. */
static int find_id(struct rm_options *options, const char *text, const char *path, struct err *err)
{
    const size_t length = strlen(text);
    const int can_begin = length >= SHORT_ID && strspn(text, "0123456789abcdef") == length;

    options->id = NULL;
    for (size_t i = 0; i < options->store.image_count; i++)
        if (strcmp(options->store.images[i].id, text) == 0)
            options->id = text;
    for (size_t i = 0; i < options->store.name_count; i++)
        if (is_name(&options->store.names[i], text, path))
            return 0;
    for (size_t i = 0; can_begin && i < options->store.image_count; i++) {
        const char *id = options->store.images[i].id, *colon = strchr(id, ':');

        if (!colon || strncmp(colon + 1, text, length) != 0)
            continue;
        if (options->id && strcmp(options->id, id) != 0)
            return err_set(err, ERR_IMAGE_AMBIGUOUS,
                           "%s is the beginning of several images: %s, %s; write more of it", text,
                           options->id, id);
        options->id = id;
    }
    return 0;
}

/* The names that TEXT is, or that lead to the image whose digest it is. How many; -1. */
static int remove_names(struct rm_options *options, const char *text, const char *path, struct err *err)
{
    int count = 0;

    for (size_t i = 0; i < options->store.name_count; i++) {
        const struct store_name *found = &options->store.names[i];
        const struct store_image *image = image_cached_of(&options->store, found);

        if (!is_name(found, text, path) && (!image || !is_id(options, image)))
            continue;
        if (remove_file(found->path, options->arena, err) < 0)
            return -1;
        count++;
    }
    return count;
}

/* The images in BEFORE that TEXT is, or that had names and have none any more. How many; -1. */
static int remove_images(struct rm_options *options, const struct store *before, struct err *err)
{
    int count = 0;

    for (size_t i = 0; i < options->store.image_count; i++) {
        const struct store_image *image = &options->store.images[i];
        const struct store_image *old = NULL;

        for (size_t k = 0; k < before->image_count && !old; k++)
            if (strcmp(before->images[k].path, image->path) == 0)
                old = &before->images[k];
        if (image_cached_names(&options->store, image) || !old ||
            (!is_id(options, image) && !image_cached_names(before, old)))
            continue;
        if (remove_file(image->path, options->arena, err) < 0)
            return -1;
        count++;
    }
    return count;
}

static int remove_one(struct rm_options *options, const char *text, struct err *err)
{
    const struct store before = options->store;
    const char *path = path_of(options, text);
    int names, images;

    if (find_id(options, text, path, err) < 0)
        return -1;
    names = remove_names(options, text, path, err);
    if (names < 0 || store_list(&options->store, options->names.directory, options->arena, err) < 0)
        return -1;
    images = remove_images(options, &before, err);
    if (images < 0)
        return -1;
    if (!names && !images)
        return err_set(err, ERR_IMAGE_MISSING, "%s is not in the cache %s; coracle images lists what is",
                       str_quote(options->arena, text), str_quote(options->arena, options->names.directory));
    return store_list(&options->store, options->names.directory, options->arena, err);
}

static const char usage[] = "coracle rm NAME|ID... | --all";

static const struct opt_row rows[] = {
    {"--all", 'a', OPT_FLAG, NULL, NULL, OPT_SINGLE, "all that are in the cache", set_all},
    {"--help", 'h', OPT_FLAG, NULL, NULL, OPT_SINGLE, "print this", set_help},
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

int cmd_rm(int argc, char *argv[], char *const environment[], struct arena *arena, struct err *err)
{
    struct rm_options options = {.arena = arena};
    int index = opt_parse(rows, ROW_COUNT, argc, argv, &options, err);

    if (index < 0)
        return -1;
    if (options.help)
        return images_help(
            usage,
            "Removes images from the cache: names, and what has no name after that. ID is the\n"
            "digest, or a beginning of it of 4 digits or more that no other image has. On a shared\n"
            "file system no other node may be running the image.",
            rows, ROW_COUNT, arena, err);
    if (images_operands(usage, rows, ROW_COUNT, argc, argv, index, &options, err) < 0)
        return -1;
    if ((index == argc) != options.all)
        return err_set(err, ERR_USAGE, "coracle rm takes the names of images, or --all; coracle rm --help");
    if (image_cached_list(&options.store, &options.names, environment, arena, err) < 0)
        return -1;
    if (options.all)
        return store_clear(options.names.directory, arena, err);
    for (; index < argc; index++)
        if (remove_one(&options, argv[index], err) < 0)
            return -1;
    store_sweep(options.names.directory, NULL, arena);
    return 0;
}
