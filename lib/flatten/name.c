/* Names of a layer: as text, without looking at any tree. */
#include <string.h>

#include "flatten/work.h"

#define WHITEOUT ".wh."
#define WHITEOUT_META ".wh..wh."
#define WHITEOUT_OPAQUE ".wh..wh..opq"

static int begins_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Where the last component of the LENGTH bytes at PATH begins to be cut off. */
static size_t parent_length(const char *path, size_t length)
{
    while (length && path[length - 1] != '/')
        length--;
    return length ? length - 1 : 0;
}

const char *name_clean(struct work *work, const char *path, struct err *err)
{
    size_t length = strnlen(path, FLATTEN_PATH_LIMIT + 1), used = 0;
    char clean[FLATTEN_PATH_LIMIT + 1];

    if (length > FLATTEN_PATH_LIMIT) {
        err_set(err, ERR_LAYER, "an entry's path has more than %d bytes: %.100s...", FLATTEN_PATH_LIMIT,
                path);
        return NULL;
    }
    while (*path) {
        size_t part = strcspn(path, "/");

        if (part > FLATTEN_NAME_LIMIT) {
            err_set(err, ERR_LAYER, "an entry's name has more than %d bytes: %.100s...", FLATTEN_NAME_LIMIT,
                    path);
            return NULL;
        }
        if (part == 2 && path[0] == '.' && path[1] == '.') {
            used = parent_length(clean, used);
        } else if (part && !(part == 1 && path[0] == '.')) {
            if (used)
                clean[used++] = '/';
            memcpy(clean + used, path, part);
            used += part;
        }
        path += part;
        path += *path == '/';
    }
    return arena_strndup(work->arena, clean, used);
}

/* A path may be longer than a message, and what is wrong stands behind it. */
int name_blame(const char *path, const char *what, struct err *err)
{
    return err_prefix(err, "%s/%.200s%s", what, path, strlen(path) > 200 ? "..." : "");
}

/* The last component of PATH, at NAME, is a whiteout's or opaque marker's. 0 or -1. */
static int classify_marker(struct work *work, const char *path, const char *name, struct entry *entry,
                           struct err *err)
{
    size_t directory = name > path ? (size_t)(name - path) - 1 : 0;
    const char *hidden = name + strlen(WHITEOUT);

    if (strcmp(name, WHITEOUT_OPAQUE) == 0) {
        entry->kind = ENTRY_OPAQUE;
        entry->path = arena_strndup(work->arena, path, directory);
        return 0;
    }
    if (*hidden == '\0' || strcmp(hidden, ".") == 0 || strcmp(hidden, "..") == 0)
        return err_set(err, ERR_LAYER,
                       "the whiteout \"%s\" would remove a directory itself or what is above it", path);
    entry->kind = ENTRY_WHITEOUT;
    entry->path = directory ? arena_printf(work->arena, "%.*s/%s", (int)directory, path, hidden) : hidden;
    return 0;
}

static int is_ignored(const char *path)
{
    return strcmp(path, "stargz.index.json") == 0 || strcmp(path, ".prefetch.landmark") == 0 ||
           strcmp(path, ".no.prefetch.landmark") == 0;
}

int name_classify(struct work *work, const char *path, struct entry *entry, struct err *err)
{
    const char *name = path, *end;

    entry->path = path;
    if (is_ignored(path)) {
        entry->kind = ENTRY_IGNORED;
        return 0;
    }
    for (;; name = end + 1) {
        end = strchr(name, '/');
        if (begins_with(name, WHITEOUT_META) && (end || strcmp(name, WHITEOUT_OPAQUE) != 0)) {
            entry->kind = ENTRY_IGNORED;
            return 0;
        }
        if (begins_with(name, WHITEOUT) && end)
            return err_set(err, ERR_LAYER, "\"%s\": a name that begins with .wh. cannot be a directory",
                           path);
        if (!end)
            break;
    }
    return begins_with(name, WHITEOUT) ? classify_marker(work, path, name, entry, err) : 0;
}
