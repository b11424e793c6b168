/* coracle images: what is in the cache. */
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/str.h"
#include "image-cached.h"
#include "image-commands.h"
#include "output.h"

/* As much of a digest as people compare, and where columns begin. */
enum { SHORT_ID = 12, ID_COLUMN = 48, SIZE_COLUMN = 62, AGE_COLUMN = 72 };

struct images_options {
    int json, help;
};

static OPT_FLAG_SETTER(set_json, struct images_options, json);
static OPT_FLAG_SETTER(set_help, struct images_options, help);

static const char *age(int64_t made, struct arena *arena)
{
    const long long seconds = (long long)time(NULL) - made;

    if (seconds < 120)
        return arena_printf(arena, "%lld s", seconds < 0 ? 0 : seconds);
    if (seconds < 2 * 3600)
        return arena_printf(arena, "%lld min", seconds / 60);
    return seconds < 48 * 3600 ? arena_printf(arena, "%lld h", seconds / 3600)
                               : arena_printf(arena, "%lld d", seconds / 86400);
}

static const char *short_id(const char *id, struct arena *arena)
{
    const char *colon = strchr(id, ':');

    return arena_strndup(arena, colon ? colon + 1 : id, SHORT_ID);
}

static void add_line(struct str *out, const char *name, const struct store_image *image, int64_t made)
{
    size_t start = out->length;

    str_add(out, name);
    str_pad(out, start, ID_COLUMN);
    str_add(out, image ? short_id(image->id, out->arena) : "(gone)");
    str_pad(out, start, SIZE_COLUMN);
    if (image)
        str_addf(out, "%.1f MB", (double)image->size / 1e6);
    str_pad(out, start, AGE_COLUMN);
    str_addf(out, "%s\n", age(made, out->arena));
}

static void print_text(const struct store *store, struct str *out)
{
    size_t start = out->length;

    str_add(out, "NAME");
    str_pad(out, start, ID_COLUMN);
    str_add(out, "ID");
    str_pad(out, start, SIZE_COLUMN);
    str_add(out, "SIZE");
    str_pad(out, start, AGE_COLUMN);
    str_add(out, "AGE\n");
    for (size_t i = 0; i < store->name_count; i++) {
        struct str name = {.arena = out->arena};

        str_add_quoted(&name, store->names[i].name);
        add_line(out, str_text(&name), image_cached_of(store, &store->names[i]), store->names[i].made);
    }
    for (size_t i = 0; i < store->image_count; i++)
        if (!image_cached_names(store, &store->images[i]))
            add_line(out, "-", &store->images[i], store->images[i].made);
}

static void print_json(const struct store *store, struct str *out)
{
    struct json_writer json = {.out = out, .empty = 1};

    json_object(&json, NULL);
    json_array(&json, "names");
    for (size_t i = 0; i < store->name_count; i++) {
        const struct store_name *name = &store->names[i];
        const struct store_image *image = image_cached_of(store, name);

        json_object(&json, NULL);
        json_text(&json, "name", name->name);
        json_text(&json, "machine", name->machine);
        json_text(&json, "path", name->path);
        if (image)
            json_text(&json, "id", image->id);
        else
            json_null(&json, "id");
        json_number(&json, "made", (uint64_t)name->made);
        json_end(&json, '}');
    }
    json_end(&json, ']');
    json_array(&json, "images");
    for (size_t i = 0; i < store->image_count; i++) {
        json_object(&json, NULL);
        json_text(&json, "id", store->images[i].id);
        json_text(&json, "path", store->images[i].path);
        json_number(&json, "size", store->images[i].size);
        json_number(&json, "made", (uint64_t)store->images[i].made);
        json_end(&json, '}');
    }
    json_end(&json, ']');
    json_end(&json, '}');
}

static const struct opt_row rows[] = {
    {"--json", 0, OPT_FLAG, NULL, NULL, OPT_SINGLE, "print JSON, with the whole digests and the paths",
     set_json},
    {"--help", 'h', OPT_FLAG, NULL, NULL, OPT_SINGLE, "print this", set_help},
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

int cmd_images(int argc, char *argv[], char *const environment[], struct arena *arena, struct err *err)
{
    struct images_options options = {0};
    struct image_names names;
    struct store store;
    struct str out = {.arena = arena};
    int index = opt_parse(rows, ROW_COUNT, argc, argv, &options, err);

    if (index < 0)
        return -1;
    if (options.help)
        return images_help(
            "coracle images [--json]",
            "Lists the images in the cache: names, the digest of the configuration, the size of\n"
            "the file, and since when the name leads to it. \"-\" has lost its name to a newer one.",
            rows, ROW_COUNT, arena, err);
    if (index < argc)
        return err_set(err, ERR_USAGE, "coracle images takes no %s; coracle images --help",
                       str_quote(arena, argv[index]));
    if (image_cached_list(&store, &names, environment, arena, err) < 0)
        return -1;
    (options.json ? print_json : print_text)(&store, &out);
    return output_print(&out, err);
}
