/* files - where the blocks of large files are; private to the room. */
#ifndef CORACLE_SQUASH_FILES_H
#define CORACLE_SQUASH_FILES_H

#include <stddef.h>
#include <stdint.h>
#include <squashfuse/squashfuse.h>

enum { SQUASH_FILES_KEPT = 16 };

/* A place in a file's list of block sizes. */
struct squash_place {
    sqfs_md_cursor cursor; /* where the size of the next block stands */
    uint64_t data;         /* where the next block is */
};

/* Every so many blocks a place, as far as the file was read. */
struct squash_file_index {
    uint64_t reference; /* of the inode; 0 places: not in use */
    struct squash_place *places;
    size_t count, room;
};

#endif
