/* The file system as a whole, and the checks that the rest of the room stands on. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/superblock.h"
#include "squash/files.h"
#include "squash/squash.h"

/* The library keeps one data block and eight of metadata: too few for several programs at once. */
enum { METADATA_KEPT = 64, FRAGMENTS_KEPT = 8, DATA_BYTES_KEPT = 8 * 1024 * 1024, DATA_KEPT_AT_LEAST = 4 };

/* Replaces the empty CACHE by one of COUNT blocks. Where that fails the library would free it twice. */
static int resize_cache(sqfs_cache *cache, size_t count)
{
    sqfs_cache_destroy(cache);
    if (sqfs_block_cache_init(cache, count) == SQFS_OK)
        return 0;
    memset(cache, 0, sizeof(*cache));
    return -1;
}

static int keep_more_blocks(sqfs *fs)
{
    size_t data = DATA_BYTES_KEPT / fs->sb.block_size;

    data = data < DATA_KEPT_AT_LEAST ? DATA_KEPT_AT_LEAST : data > METADATA_KEPT ? METADATA_KEPT : data;
    return resize_cache(&fs->md_cache, METADATA_KEPT) < 0 || resize_cache(&fs->data_cache, data) < 0 ||
                   resize_cache(&fs->frag_cache, FRAGMENTS_KEPT) < 0
               ? -1
               : 0;
}

/* The library says no more than that it failed. */
static int refuse(const struct superblock *superblock, sqfs_err result, struct err *err)
{
    if (result == SQFS_BADCOMP)
        return err_set(err, ERR_IMAGE_UNKNOWN,
                       "it is compressed with %s, which cannot be read; make it anew: mksquashfs DIRECTORY "
                       "FILE -comp zstd",
                       superblock_compressor(superblock));
    if (errno == ENOMEM)
        return err_set(err, ERR_NO_MEMORY, "there is no memory for its tables");
    return err_set(err, ERR_IMAGE_DAMAGED, "its tables cannot be read");
}

static int check_root(struct squash *squash, struct err *err)
{
    struct squash_node root;

    if (squash_node(squash, squash_root(squash), &root) < 0)
        return err_set(err, ERR_IMAGE_DAMAGED, "its root directory cannot be read");
    if (!S_ISDIR(root.inode.base.mode))
        return err_set(err, ERR_IMAGE_DAMAGED, "its root is not a directory");
    return 0;
}

int squash_open(struct squash *squash, int fd, uint64_t offset, uint64_t length, struct err *err)
{
    unsigned char bytes[SUPERBLOCK_SIZE];
    struct superblock superblock;
    ssize_t n = pread(fd, bytes, sizeof(bytes), (off_t)offset);
    sqfs_err result;

    memset(squash, 0, offsetof(struct squash, name));
    if (n < 0)
        return err_set(err, ERR_IMAGE_UNREADABLE, "it cannot be read: %s", err_reason(errno));
    if (n < (ssize_t)sizeof(bytes))
        return err_set(err, ERR_IMAGE_DAMAGED, "it is cut off within its superblock");
    if (superblock_parse(&superblock, bytes, length, err) < 0)
        return -1;
    errno = 0;
    result = sqfs_init(&squash->fs, fd, offset);
    if (result != SQFS_OK) {
        sqfs_table_destroy(&squash->fs.xattr_table); /* it has freed the others */
        memset(&squash->fs, 0, sizeof(squash->fs));
        return refuse(&superblock, result, err);
    }
    squash->length = superblock.bytes;
    squash->has_xattrs = squash->fs.xattr_info.xattr_ids != 0;
    squash->files = calloc(SQUASH_FILES_KEPT, sizeof(*squash->files));
    if (!squash->files || keep_more_blocks(&squash->fs) < 0)
        return err_set(err, ERR_NO_MEMORY, "there is no memory to keep its blocks");
    return check_root(squash, err);
}

void squash_close(struct squash *squash)
{
    for (size_t i = 0; squash->files && i < SQUASH_FILES_KEPT; i++)
        free(squash->files[i].places);
    free(squash->files);
    if (squash->length) {
        sqfs_table_destroy(&squash->fs.xattr_table); /* which the library forgets */
        sqfs_destroy(&squash->fs);
    }
    memset(squash, 0, offsetof(struct squash, name));
}

uint64_t squash_root(const struct squash *squash)
{
    return squash->fs.sb.root_inode;
}

int squash_settle(struct squash *squash, const sqfs_md_cursor *cursor)
{
    sqfs_off_t position = cursor->block;
    sqfs_block *block;

    if (position < SUPERBLOCK_SIZE || (uint64_t)position >= squash->length ||
        sqfs_md_cache(&squash->fs, &position, &block) != SQFS_OK || cursor->offset > block->size) {
        errno = EIO;
        return -1;
    }
    return 0;
}

int squash_table_get(struct squash *squash, const sqfs_table *table, uint64_t count, uint64_t index,
                     void *entry, size_t size)
{
    uint64_t at = index * size;
    sqfs_md_cursor cursor = {0};
    sqfs_off_t position;
    sqfs_block *block;

    errno = EIO;
    if (index >= count || !table->blocks)
        return -1;
    cursor.block = (sqfs_off_t)table->blocks[at / SQUASHFS_METADATA_SIZE];
    cursor.offset = at % SQUASHFS_METADATA_SIZE;
    position = cursor.block;
    if (squash_settle(squash, &cursor) < 0 || sqfs_md_cache(&squash->fs, &position, &block) != SQFS_OK ||
        block->size - cursor.offset < size)
        return -1;
    memcpy(entry, (const char *)block->data + cursor.offset, size);
    return 0;
}
