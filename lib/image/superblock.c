#include "image/superblock.h"

#include <stddef.h>
#include <string.h>

#include "base/num.h"

enum { MINIMUM_BLOCK = 4096, MAXIMUM_BLOCK = 1024 * 1024, SQUASHFS_MAJOR = 4, SQUASHFS_MINOR = 0 };

static const char *const compressors[] = {NULL, "gzip", "lzma", "lzo", "xz", "lz4", "zstd"};

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
    unsigned major = num_le16(bytes + 28), minor = num_le16(bytes + 30);

    *s = (struct superblock){
        .inodes = num_le32(bytes + 4),
        .block_size = num_le32(bytes + 12),
        .fragments = num_le32(bytes + 16),
        .compressor = num_le16(bytes + 20),
        .ids = num_le16(bytes + 26),
        .root = num_le64(bytes + 32),
        .bytes = num_le64(bytes + 40),
        .id_table = num_le64(bytes + 48),
        .xattr_table = num_le64(bytes + 56),
        .inode_table = num_le64(bytes + 64),
        .directory_table = num_le64(bytes + 72),
        .fragment_table = num_le64(bytes + 80),
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
    return check(s, num_le16(bytes + 22), room, err);
}
