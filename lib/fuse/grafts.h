/*
 * grafts - mount points that an image lacks, made up by the server.
 *
 * A graft is an empty directory or file that is not in the image. It costs
 * nothing per access of anything else. Paths are walked as the kernel would walk
 * them with the image as root: links lead within the image.
 */
#ifndef CORACLE_FUSE_GRAFTS_H
#define CORACLE_FUSE_GRAFTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "fuse/nodes.h"
#include "squash/squash.h"

struct graft {
    uint64_t parent; /* node id */
    const char *name;
    size_t length;
    int is_directory;
};

struct grafts {
    struct arena *arena;
    struct graft *items;
    size_t count, room;
};

/*
 * Makes PATH, absolute, appear where it does not exist, with the directories on
 * its way. ON_NAME: a link of that name counts as existing. 0; -1 where it cannot
 * be (a file on the way, a loop, a damaged image): nothing is made then.
 */
int grafts_add(struct grafts *grafts, struct squash *squash, const char *path, int is_directory, int on_name);

/* The node id of NAME in the directory PARENT; 0: no graft. */
uint64_t grafts_lookup(const struct grafts *grafts, uint64_t parent, const char *name, size_t length);

/* The first graft in PARENT with an index of at least FROM; `count` where there is none. */
size_t grafts_next(const struct grafts *grafts, uint64_t parent, size_t from);

/* The graft that NODE is, NULL for an id that was never given. */
const struct graft *grafts_get(const struct grafts *grafts, uint64_t node);

static inline uint64_t graft_node(size_t index)
{
    return NODE_GRAFT | (index + 1);
}

#endif
