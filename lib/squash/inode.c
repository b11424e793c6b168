#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "squash/squash.h"

static int is_good_file(const struct squash *squash, const sqfs_inode *inode)
{
    uint64_t size = inode->xtra.reg.file_size;
    uint64_t tail = size % squash->fs.sb.block_size;

    if (size > INT64_MAX || inode->xtra.reg.start_block > squash->length)
        return 0;
    if (inode->xtra.reg.frag_idx == SQUASHFS_INVALID_FRAG)
        return 1;
    return inode->xtra.reg.frag_idx < squash->fs.sb.fragments &&
           inode->xtra.reg.frag_off + tail <= squash->fs.sb.block_size;
}

static int is_good(const struct squash *squash, const sqfs_inode *inode)
{
    if (S_ISREG(inode->base.mode))
        return is_good_file(squash, inode);
    if (S_ISLNK(inode->base.mode))
        return inode->xtra.symlink_size > 0 && inode->xtra.symlink_size < PATH_MAX;
    return (inode->base.mode & S_IFMT) != 0;
}

int squash_node(struct squash *squash, uint64_t reference, struct squash_node *node)
{
    const uint64_t table = squash->fs.sb.inode_table_start;
    sqfs_md_cursor cursor = {(sqfs_off_t)(table + (reference >> 16)), reference & 0xffff};

    if ((reference >> 16) >= squash->fs.sb.directory_table_start - table ||
        squash_settle(squash, &cursor) < 0 ||
        sqfs_inode_get(&squash->fs, &node->inode, reference) != SQFS_OK || !is_good(squash, &node->inode)) {
        errno = EIO;
        return -1;
    }
    node->reference = reference;
    return 0;
}

/* The inode holds places in the table of ids. */
int squash_ids(struct squash *squash, const struct squash_node *node, uint32_t *uid, uint32_t *gid)
{
    const sqfs_table *table = &squash->fs.id_table;
    const uint64_t count = squash->fs.sb.no_ids;

    if (squash_table_get(squash, table, count, node->inode.base.uid, uid, sizeof(*uid)) < 0 ||
        squash_table_get(squash, table, count, node->inode.base.guid, gid, sizeof(*gid)) < 0)
        return -1;
    *uid = le32toh(*uid);
    *gid = le32toh(*gid);
    return 0;
}

int64_t squash_readlink(struct squash *squash, const struct squash_node *node, char *buffer, size_t size)
{
    sqfs_md_cursor cursor = node->inode.next;
    size_t length = node->inode.xtra.symlink_size;

    errno = EINVAL;
    if (!S_ISLNK(node->inode.base.mode) || length > size)
        return -1;
    errno = EIO;
    if (squash_settle(squash, &cursor) < 0 || sqfs_md_read(&squash->fs, &cursor, buffer, length) != SQFS_OK)
        return -1;
    return memchr(buffer, 0, length) ? -1 : (int64_t)length;
}
