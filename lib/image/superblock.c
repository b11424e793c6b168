#include "image/superblock.h"

#include <stddef.h>
#include <string.h>

enum { MINIMUM_BLOCK = 4096, MAXIMUM_BLOCK = 1024 * 1024, SQUASHFS_MAJOR = 4, SQUASHFS_MINOR = 0 };

static const char *const compressors[] = {NULL, "gzip", "lzma", "lzo", "xz", "lz4", "zstd"};

/* Little-endian numbers of N bytes. */
static uint64_t number(const unsigned char *bytes, int n)
{
    uint64_t value = 0;

    while (n-- > 0)
        value = value << 8 | bytes[n];
    return value;
}

int superblock_has_magic(const unsigned char bytes[4])
{
    return memcmp(bytes, "hsqs", 4) == 0;
}

const char *superblock_compressor(const struct superblock *superblock)
{
    return superblock->compressor < sizeof(compressors) / sizeof(compressors[0])
               ? compressors[superblock->compressor]
               : NULL;
}

/* Whether a table that must be there starts behind the superblock and within the file system. */
static int lies_within(uint64_t start, uint64_t bytes)
{
    return start >= SUPERBLOCK_SIZE && start < bytes;
}

static int check(const struct superblock *s, unsigned block_log, uint64_t room, struct err *err)
{
    if (s->block_size < MINIMUM_BLOCK || s->block_size > MAXIMUM_BLOCK ||
        (s->block_size & (s->block_size - 1)) || block_log > 20 || s->block_size != 1u << block_log)
        return err_set(err, ERR_IMAGE_DAMAGED, "its superblock gives an impossible block size");
    if (s->bytes > room)
        return err_set(err, ERR_IMAGE_DAMAGED,
                       "it is cut off: it should have %llu bytes and has %llu; copy it again",
                       (unsigned long long)s->bytes, (unsigned long long)room);
    if (!lies_within(s->inode_table, s->bytes) || !lies_within(s->directory_table, s->bytes) ||
        !lies_within(s->id_table, s->bytes) || s->directory_table <= s->inode_table ||
        (s->fragments && !lies_within(s->fragment_table, s->bytes)) ||
        (s->xattr_table != SUPERBLOCK_NO_TABLE && !lies_within(s->xattr_table, s->bytes)))
        return err_set(err, ERR_IMAGE_DAMAGED, "its superblock points outside the file");
    if (!s->inodes || !s->ids || (s->root >> 16) >= s->directory_table - s->inode_table)
        return err_set(err, ERR_IMAGE_DAMAGED, "its superblock names no root directory");
    return 0;
}

int superblock_parse(struct superblock *s, const unsigned char bytes[SUPERBLOCK_SIZE], uint64_t room,
                     struct err *err)
{
    unsigned major = (unsigned)number(bytes + 28, 2), minor = (unsigned)number(bytes + 30, 2);

    *s = (struct superblock){
        .inodes = (uint32_t)number(bytes + 4, 4),
        .block_size = (uint32_t)number(bytes + 12, 4),
        .fragments = (uint32_t)number(bytes + 16, 4),
        .compressor = (uint16_t)number(bytes + 20, 2),
        .ids = (uint16_t)number(bytes + 26, 2),
        .root = number(bytes + 32, 8),
        .bytes = number(bytes + 40, 8),
        .id_table = number(bytes + 48, 8),
        .xattr_table = number(bytes + 56, 8),
        .inode_table = number(bytes + 64, 8),
        .directory_table = number(bytes + 72, 8),
        .fragment_table = number(bytes + 80, 8),
    };
    if (!superblock_has_magic(bytes))
        return err_set(err, ERR_IMAGE_UNKNOWN, "it does not begin like a SquashFS");
    if (major != SQUASHFS_MAJOR || minor != SQUASHFS_MINOR)
        return err_set(
            err, ERR_IMAGE_UNKNOWN,
            "it is SquashFS version %u.%u; only 4.0, which mksquashfs makes since 2009, can be run", major,
            minor);
    if (!superblock_compressor(s))
        return err_set(err, ERR_IMAGE_UNKNOWN, "it is compressed by a method of unknown number %u",
                       s->compressor);
    return check(s, (unsigned)number(bytes + 22, 2), room, err);
}
