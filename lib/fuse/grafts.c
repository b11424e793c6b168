#include "fuse/grafts.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "fuse/nodes.h"

enum { MAX_LINKS = 40, MAX_DEPTH = 256 }; /* path_resolution(7) */

/* A walk from the root; `nodes` are the directories on the way, for "..". */
struct walk {
    struct grafts *grafts;
    struct squash *squash;
    const char *rest;
    uint64_t nodes[MAX_DEPTH];
    size_t depth;
    int links;
};

uint64_t grafts_lookup(const struct grafts *grafts, uint64_t parent, const char *name, size_t length)
{
    for (size_t i = 0; i < grafts->count; i++) {
        const struct graft *graft = &grafts->items[i];

        if (graft->parent == parent && graft->length == length && memcmp(graft->name, name, length) == 0)
            return graft_node(i);
    }
    return 0;
}

size_t grafts_next(const struct grafts *grafts, uint64_t parent, size_t from)
{
    while (from < grafts->count && grafts->items[from].parent != parent)
        from++;
    return from < grafts->count ? from : grafts->count;
}

const struct graft *grafts_get(const struct grafts *grafts, uint64_t node)
{
    uint64_t index = (node & ~NODE_GRAFT) - 1;

    return index < grafts->count ? &grafts->items[index] : NULL;
}

static uint64_t add(struct grafts *grafts, uint64_t parent, const char *name, size_t length, int is_directory)
{
    grafts->items =
        arena_grow(grafts->arena, grafts->items, grafts->count, &grafts->room, sizeof(*grafts->items));
    grafts->items[grafts->count++] = (struct graft){
        .parent = parent,
        .name = arena_strndup(grafts->arena, name, length),
        .length = length,
        .is_directory = is_directory,
    };
    return graft_node(grafts->count - 1);
}

static int enter(struct walk *walk, uint64_t node)
{
    if (walk->depth == MAX_DEPTH)
        return -1;
    walk->nodes[walk->depth++] = node;
    return 0;
}

/* The text of the link takes the place of its name; REST follows. */
static int follow(struct walk *walk, const struct squash_node *link, const char *rest)
{
    char text[PATH_MAX];
    int64_t length = squash_readlink(walk->squash, link, text, sizeof(text) - 1);

    if (length < 0 || ++walk->links > MAX_LINKS)
        return -1;
    text[length] = 0;
    if (*text == '/')
        walk->depth = 1;
    walk->rest = arena_join(walk->grafts->arena, text, "/", rest, NULL);
    return 0;
}

/*
 * Looks NAME up where the walk is. 1: it is there, and the walk has gone on. 0:
 * it is missing. -1.
 */
static int step(struct walk *walk, const char *name, size_t length, const char *rest, int on_name)
{
    uint64_t here = walk->nodes[walk->depth - 1];
    uint64_t root = squash_root(walk->squash);
    uint64_t graft = grafts_lookup(walk->grafts, here, name, length);
    struct squash_node node;
    uint64_t reference;
    int found;

    walk->rest = rest;
    if (graft) {
        const struct graft *item = grafts_get(walk->grafts, graft);

        return !item || (*rest && !item->is_directory) || enter(walk, graft) < 0 ? -1 : 1;
    }
    if (node_is_graft(here))
        return 0;
    if (squash_node(walk->squash, reference_of_node(here, root), &node) < 0)
        return -1;
    found = squash_lookup(walk->squash, &node, name, length, &reference);
    if (found <= 0)
        return found;
    if (squash_node(walk->squash, reference, &node) < 0)
        return -1;
    if (S_ISLNK(node.inode.base.mode) && (*rest || !on_name))
        return follow(walk, &node, rest) < 0 ? -1 : 1;
    if (*rest && !S_ISDIR(node.inode.base.mode))
        return -1;
    return enter(walk, node_of_reference(reference, root)) < 0 ? -1 : 1;
}

/* Makes NAME and what follows it, or nothing. A ".." behind a name that is not there has no meaning. */
static int make(struct walk *walk, const char *name, int is_directory)
{
    uint64_t parent = walk->nodes[walk->depth - 1];

    for (const char *part = name; *part; part += strspn(part, "/")) {
        size_t length = strcspn(part, "/");

        if (length > SQUASH_NAME_LIMIT || (length == 2 && memcmp(part, "..", 2) == 0))
            return -1;
        part += length;
    }
    while (*name) {
        size_t length = strcspn(name, "/");
        const char *rest = name + length + strspn(name + length, "/");

        if (length != 1 || *name != '.')
            parent = add(walk->grafts, parent, name, length, *rest || is_directory);
        name = rest;
    }
    return 0;
}

int grafts_add(struct grafts *grafts, struct squash *squash, const char *path, int is_directory, int on_name)
{
    struct walk walk = {.grafts = grafts, .squash = squash, .rest = path};

    enter(&walk, NODE_ROOT);
    for (;;) {
        const char *name = walk.rest + strspn(walk.rest, "/");
        size_t length = strcspn(name, "/");
        const char *rest = name + length + strspn(name + length, "/");
        int found;

        if (!length)
            return 0;
        if (length == 1 && *name == '.') {
            walk.rest = rest;
            continue;
        }
        if (length == 2 && memcmp(name, "..", 2) == 0) {
            walk.depth -= walk.depth > 1;
            walk.rest = rest;
            continue;
        }
        found = step(&walk, name, length, rest, on_name);
        if (found < 0)
            return -1;
        if (!found)
            return make(&walk, name, is_directory);
    }
}
