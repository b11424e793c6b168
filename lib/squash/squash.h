/*
 * squash - reads a SquashFS image, whatever is in it.
 *
 * libsquashfuse decodes blocks, keeps them and knows the layout of inodes. It
 * takes what an image says on trust: offsets lead beyond a block, names beyond
 * a buffer, one inode's index serves another. So every position is checked here
 * before the library reads from it, and what it would do unchecked (look names
 * up through an index, find a block of a file, read attributes) is done here.
 *
 * Where a function fails it returns -1 with errno: EIO for an image that is
 * damaged or unreadable, ENOMEM, or what its own comment says. One caller, one
 * thread.
 */
#ifndef CORACLE_SQUASH_SQUASH_H
#define CORACLE_SQUASH_SQUASH_H

#include <stddef.h>
#include <stdint.h>
#include <squashfuse/squashfuse.h>

#include "base/err.h"

/* Names in directories, as Linux has them (NAME_MAX). */
enum { SQUASH_NAME_LIMIT = 255 };

struct squash {
    sqfs fs;
    uint64_t length;                 /* of the file system, bytes */
    struct squash_file_index *files; /* where blocks of large files are; see data.c */
    size_t next_file;                /* the one to be replaced next */
    int has_xattrs;
    /* A name as an image gives it: as long as its length field can say. */
    char name[65536 + 1];
};

/* An inode, its fields checked. `inode` is the library's. */
struct squash_node {
    uint64_t reference; /* place in the inode table: what an inode is called */
    sqfs_inode inode;
};

/*
 * Opens the file system of LENGTH bytes at OFFSET of FD, which stays the
 * caller's. 0, or -1 with ERR (ERR_IMAGE_DAMAGED, ERR_IMAGE_UNKNOWN,
 * ERR_IMAGE_UNREADABLE or ERR_NO_MEMORY), to be closed in either case.
 */
int squash_open(struct squash *squash, int fd, uint64_t offset, uint64_t length, struct err *err);
void squash_close(struct squash *squash);

uint64_t squash_root(const struct squash *squash);

/* Reads the inode at REFERENCE. */
int squash_node(struct squash *squash, uint64_t reference, struct squash_node *node);

/* Looks NAME of LENGTH bytes up in the directory NODE. 1 and *REFERENCE; 0: it is not there. */
int squash_lookup(struct squash *squash, const struct squash_node *node, const char *name, size_t length,
                  uint64_t *reference);

/* A place in a directory, for squash_next(). */
struct squash_entries {
    sqfs_dir dir;
};

struct squash_entry {
    uint64_t reference;
    uint32_t number;  /* of the inode */
    unsigned mode;    /* its type, as in st_mode */
    const char *name; /* not terminated; until the next call */
    size_t length;
    uint64_t next; /* position behind it, for squash_entries() */
};

/* Prepares to read the directory NODE from POSITION: 0 or what squash_next() gave. */
int squash_entries(struct squash *squash, const struct squash_node *node, uint64_t position,
                   struct squash_entries *entries);
/* The next entry. 1 and *ENTRY; 0 at the end. */
int squash_next(struct squash *squash, struct squash_entries *entries, struct squash_entry *entry);

/*
 * Reads up to SIZE bytes of the regular file NODE from OFFSET. How many: fewer at the end of the
 * file only.
 */
int64_t squash_read(struct squash *squash, const struct squash_node *node, uint64_t offset, size_t size,
                    char *buffer);

/*
 * Whether the regular file NODE has data at OFFSET, which is a multiple of the block size: 1,
 * or 0: a hole. *LENGTH bytes of it are the same.
 */
int squash_extent(struct squash *squash, const struct squash_node *node, uint64_t offset, uint64_t *length);

/*
 * Where the contents of the regular file NODE stand among all: who writes files one after
 * the other, ordered by block, then within, stores them as they are stored here. 0 or -1.
 */
struct squash_order {
    uint64_t block, within;
};
int squash_order(struct squash *squash, const struct squash_node *node, struct squash_order *order);

/* The owner of NODE. 0 or -1. */
int squash_ids(struct squash *squash, const struct squash_node *node, uint32_t *uid, uint32_t *gid);

/* Copies the text of the link NODE to BUFFER, which has SIZE bytes; not terminated. Its length. */
int64_t squash_readlink(struct squash *squash, const struct squash_node *node, char *buffer, size_t size);

/*
 * The value of the extended attribute NAME. SIZE 0 asks for its length. Its
 * length, or -1: ENODATA, ERANGE where BUFFER is too small.
 */
int64_t squash_getxattr(struct squash *squash, const struct squash_node *node, const char *name, char *buffer,
                        size_t size);
/* The names of all, each with a zero byte. The same rules. */
int64_t squash_listxattr(struct squash *squash, const struct squash_node *node, char *buffer, size_t size);

/* For the files of this room: whether the library may read at CURSOR. 0 or -1. */
int squash_settle(struct squash *squash, const sqfs_md_cursor *cursor);
/* The same: copies entry INDEX of a table of COUNT, each SIZE bytes. 0 or -1. */
int squash_table_get(struct squash *squash, const sqfs_table *table, uint64_t count, uint64_t index,
                     void *entry, size_t size);

#endif
