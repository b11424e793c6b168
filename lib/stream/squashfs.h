/*
 * squashfs - what the files share that read a SquashFS.
 */
#ifndef CORACLE_STREAM_SQUASHFS_H
#define CORACLE_STREAM_SQUASHFS_H

#include "squash/squash.h"
#include "stream/work.h"

/* A directory on the way to a file. */
struct squashfs_directory {
    const struct squashfs_directory *parent; /* NULL: of the root */
    const char *name;
};

/* A regular file with contents, put last. */
struct squashfs_file {
    const struct squashfs_directory *directory;
    const char *name;
    uint64_t reference;
    struct squash_order order;
    size_t number; /* in the tree's order */
};

struct squashfs {
    struct squash squash;
    struct squashfs_file *files;
    size_t file_count, file_room;
    uint64_t entries, inodes;
    char path[WORK_PATH_LIMIT + 1]; /* of the current member */
    int depth;
};

int squashfs_make(struct stream *stream);

/* The contents of NODE, a regular file, as MEMBER. 0, or -1 with stream->err. */
int squashfs_contents(struct stream *stream, const struct squash_node *node, struct member *member);

/* Attributes of NODE for the next member. 0 or -1. */
int squashfs_attributes(struct stream *stream, const struct squash_node *node);

/* errno says why the image's PATH cannot be read. Returns -1. */
int squashfs_damaged(struct stream *stream, const char *path);

#endif
