#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "fuse/answer.h"
#include "fuse/nodes.h"

enum { BLOCK = 4096, SECTOR = 512 };

/* The device numbers of SquashFS and of FUSE are both the kernel's new encoding. */
static uint32_t device_number(const sqfs_inode *inode)
{
    uint32_t major = (uint32_t)inode->xtra.dev.major, minor = (uint32_t)inode->xtra.dev.minor;

    return (minor & 0xff) | major << 8 | (minor & ~0xffu) << 12;
}

void attributes_of_inode(const struct serve *serve, const struct squash_node *node, struct fuse_attr *attr)
{
    const sqfs_inode *inode = &node->inode;

    *attr = (struct fuse_attr){
        .ino = inode->base.inode_number,
        .mtime = inode->base.mtime,
        .atime = inode->base.mtime,
        .ctime = inode->base.mtime,
        .mode = inode->base.mode,
        .nlink = (uint32_t)inode->nlink,
        .uid = serve->uid,
        .gid = serve->gid,
        .blksize = BLOCK,
    };
    if (S_ISREG(attr->mode))
        attr->size = inode->xtra.reg.file_size;
    else if (S_ISLNK(attr->mode))
        attr->size = inode->xtra.symlink_size;
    else if (S_ISDIR(attr->mode))
        attr->size = inode->xtra.dir.dir_size;
    else if (S_ISBLK(attr->mode) || S_ISCHR(attr->mode))
        attr->rdev = device_number(inode);
    attr->blocks = attr->size / SECTOR + (attr->size % SECTOR != 0);
}

static void attributes_of_graft(const struct serve *serve, const struct graft *graft, size_t index,
                                struct fuse_attr *attr)
{
    *attr = (struct fuse_attr){
        .ino = (uint64_t)serve->squash->fs.sb.inodes + 1 + index,
        .mode = graft->is_directory ? S_IFDIR | 0755 : S_IFREG | 0444,
        .nlink = graft->is_directory ? 2 : 1,
        .uid = serve->uid,
        .gid = serve->gid,
        .mtime = serve->squash->fs.sb.mkfs_time,
        .atime = serve->squash->fs.sb.mkfs_time,
        .ctime = serve->squash->fs.sb.mkfs_time,
        .blksize = BLOCK,
    };
}

int node_read(const struct serve *serve, uint64_t node, struct squash_node *inode)
{
    return squash_node(serve->squash, reference_of_node(node, squash_root(serve->squash)), inode);
}

int attributes_of_node(const struct serve *serve, uint64_t node, struct fuse_attr *attr)
{
    struct squash_node inode;

    if (node_is_graft(node)) {
        const struct graft *graft = grafts_get(serve->grafts, node);

        errno = ENOENT;
        if (!graft)
            return -1;
        attributes_of_graft(serve, graft, (size_t)(graft - serve->grafts->items), attr);
        return 0;
    }
    if (node_read(serve, node, &inode) < 0)
        return -1;
    attributes_of_inode(serve, &inode, attr);
    return 0;
}

void fill_entry(struct fuse_entry_out *entry, uint64_t node, const struct fuse_attr *attr)
{
    *entry = (struct fuse_entry_out){
        .nodeid = node,
        .entry_valid = KEEP_SECONDS,
        .attr_valid = KEEP_SECONDS,
        .attr = *attr,
    };
}
