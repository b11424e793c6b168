/*
 * superblock - the first 96 bytes of a SquashFS 4.0 file system, checked.
 *
 * Pure. What is checked is what can be told without reading on; the source is
 * the kernel's Documentation/filesystems/squashfs.rst and fs/squashfs/super.c.
 */
#ifndef CORACLE_IMAGE_SUPERBLOCK_H
#define CORACLE_IMAGE_SUPERBLOCK_H

#include <stdint.h>

#include "base/err.h"

enum { SUPERBLOCK_SIZE = 96 };

struct superblock {
    uint32_t inodes, block_size, fragments;
    uint16_t compressor, ids;
    uint64_t root; /* reference of the root directory's inode */
    uint64_t bytes;
    uint64_t id_table, xattr_table, inode_table, directory_table, fragment_table;
};

/* What a table's start holds where there is no such table. */
#define SUPERBLOCK_NO_TABLE UINT64_MAX

/* Whether the four bytes are those that a SquashFS begins with. */
int superblock_has_magic(const unsigned char bytes[4]);

/*
 * Reads BYTES of a file system for which the file has ROOM bytes. 0, or -1 with
 * ERR_IMAGE_DAMAGED (it contradicts itself, or the file is shorter than it
 * says) or ERR_IMAGE_UNKNOWN (another version, a compressor nobody knows).
 */
int superblock_parse(struct superblock *superblock, const unsigned char bytes[SUPERBLOCK_SIZE], uint64_t room,
                     struct err *err);

/* "zstd" and the like; NULL for a number that stands for none. */
const char *superblock_compressor(const struct superblock *superblock);

#endif
