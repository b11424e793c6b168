/* What is in a cache. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "base/str.h"
#include "cache/name.h"
#include "cache/store.h"

/* Of names in directories: a repository has at most 255 bytes. */
enum { DEPTH_LIMIT = 140 };

struct listing {
    struct store *store;
    struct arena *arena;
    struct err *err;
};

/* "oci:/path:name" of "oci/%2Fpath:name@STAMP"; of what came from a registry INNER itself. */
static const char *written(const char *inner, struct arena *arena)
{
    static const char *const transports[] = {"oci", "oci-archive", "docker-archive", "tar", "path"};
    const char *slash = strchr(inner, '/'), *end = strrchr(inner, '@');
    struct str out = {.arena = arena};

    for (size_t i = 0; slash && i < sizeof(transports) / sizeof(transports[0]); i++) {
        if (strncmp(inner, transports[i], strlen(transports[i])) != 0 || inner[strlen(transports[i])] != '/')
            continue;
        if (strcmp(transports[i], "path") != 0)
            str_addf(&out, "%s:", transports[i]);
        for (const char *p = slash + 1; *p && p != end; p++) {
            unsigned value = 0;

            if (*p == '%' && p[1] && p[2]) {
                value = (unsigned)strtoul(arena_strndup(arena, p + 1, 2), NULL, 16);
                p += 2;
            }
            str_add_char(&out, value ? (char)value : *p);
        }
        return str_text(&out);
    }
    return inner;
}

static int fail(const struct listing *listing, const char *path)
{
    return err_set(listing->err, ERR_CONFIG, "cannot look through the cache at %s: %s",
                   str_quote(listing->arena, path), err_reason(errno));
}

static void add_name(const struct listing *listing, const char *path, const char *machine, const char *inner,
                     const struct stat *st)
{
    struct store *store = listing->store;
    char target[PATH_MAX];
    ssize_t length = readlink(path, target, sizeof(target) - 1);
    struct store_name *name;

    target[length > 0 ? length : 0] = 0;
    if (!store_is_link(target))
        return;
    store->names =
        arena_grow(listing->arena, store->names, store->name_count, &store->name_room, sizeof(*store->names));
    name = &store->names[store->name_count++];
    *name = (struct store_name){.machine = machine,
                                .name = written(inner, listing->arena),
                                .path = path,
                                .image = path_basename(arena_strdup(listing->arena, target)),
                                .made = st->st_mtime};
}

/* All names in the directory PATH; INNER is what of it belongs to them, NULL: nothing yet. */
static int walk_names(const struct listing *listing, const char *path, const char *machine, const char *inner,
                      int depth)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    struct stat st;
    int result = 0;

    if (!dir)
        return errno == ENOENT || errno == ENOTDIR ? 0 : fail(listing, path);
    while (result == 0 && (entry = readdir(dir))) {
        const char *below, *name;

        if (*entry->d_name == '.') /* and what is being made */
            continue;
        below = arena_join(listing->arena, path, "/", entry->d_name, NULL);
        name = inner ? arena_join(listing->arena, inner, *inner ? "/" : "", entry->d_name, NULL) : "";
        if (lstat(below, &st) < 0)
            continue;
        if (S_ISDIR(st.st_mode) && depth < DEPTH_LIMIT)
            result =
                walk_names(listing, below, machine ? machine : arena_strdup(listing->arena, entry->d_name),
                           name, depth + 1);
        else if (S_ISLNK(st.st_mode) && machine)
            add_name(listing, below, machine, name, &st);
    }
    closedir(dir);
    return result;
}

static void add_image(const struct listing *listing, const char *path, const char *algorithm,
                      const char *file)
{
    struct store *store = listing->store;
    const char *end = strrchr(file, '.');
    struct stat st;

    if (!store_is_image(algorithm, file) || lstat(path, &st) < 0 || !S_ISREG(st.st_mode))
        return;
    store->images = arena_grow(listing->arena, store->images, store->image_count, &store->image_room,
                               sizeof(*store->images));
    store->images[store->image_count++] = (struct store_image){
        .id = arena_join(listing->arena, algorithm, ":",
                         arena_strndup(listing->arena, file, (size_t)(end - file)), NULL),
        .path = path,
        .size = (uint64_t)st.st_size,
        .made = st.st_mtime};
}

/* The images in the directory PATH, or, where ALGORITHM is NULL, in those in it. */
static int walk_images(const struct listing *listing, const char *path, const char *algorithm)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    int result = 0;

    if (!dir)
        return errno == ENOENT || errno == ENOTDIR ? 0 : fail(listing, path);
    while (result == 0 && (entry = readdir(dir))) {
        const char *below = arena_join(listing->arena, path, "/", entry->d_name, NULL);

        if (*entry->d_name == '.')
            continue;
        if (algorithm)
            add_image(listing, below, algorithm, entry->d_name);
        else
            result = walk_images(listing, below, arena_strdup(listing->arena, entry->d_name));
    }
    closedir(dir);
    return result;
}

static int compare_names(const void *a, const void *b)
{
    const struct store_name *x = a, *y = b;
    int order = strcmp(x->name, y->name);

    return order ? order : strcmp(x->machine, y->machine);
}

static int compare_images(const void *a, const void *b)
{
    return strcmp(((const struct store_image *)a)->id, ((const struct store_image *)b)->id);
}

/* A name leads to an image of ours, by its file's name, or to none. */
static void find_image(struct store_name *name, const struct store *store)
{
    for (size_t i = 0; i < store->image_count; i++)
        if (strcmp(path_basename(store->images[i].path), name->image) == 0) {
            name->image = store->images[i].path;
            return;
        }
    name->image = NULL;
}

int store_list(struct store *store, const char *directory, struct arena *arena, struct err *err)
{
    const struct listing listing = {store, arena, err};

    *store = (struct store){0};
    if (walk_names(&listing, arena_join(arena, directory, "/" CACHE_NAMES, NULL), NULL, NULL, 0) < 0 ||
        walk_images(&listing, arena_join(arena, directory, "/" CACHE_IMAGES, NULL), NULL) < 0)
        return -1;
    if (store->name_count)
        qsort(store->names, store->name_count, sizeof(*store->names), compare_names);
    if (store->image_count)
        qsort(store->images, store->image_count, sizeof(*store->images), compare_images);
    for (size_t i = 0; i < store->name_count; i++)
        find_image(&store->names[i], store);
    return 0;
}
