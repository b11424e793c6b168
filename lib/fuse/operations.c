/* The operations, one for each request that is not answered with ENOSYS. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "fuse/answer.h"
#include "fuse/nodes.h"
#include "image/server-message.h"

#define OPERATION(name)                                                                             \
    static int64_t name(struct serve *serve, const struct fuse_in_header *header, const char *body, \
                        size_t length)
#define UNUSED(name) ((void)(name))

static int64_t put(struct serve *serve, const void *answer, size_t length)
{
    memcpy(serve->answer, answer, length);
    return (int64_t)length;
}

static int64_t put_entry(struct serve *serve, uint64_t node)
{
    struct fuse_entry_out entry;
    struct fuse_attr attr;

    if (attributes_of_node(serve, node, &attr) < 0)
        return -errno;
    fill_entry(&entry, node, &attr);
    return put(serve, &entry, sizeof(entry));
}

/* Nothing has this name, and that will not change. */
static int64_t put_nothing(struct serve *serve)
{
    const struct fuse_entry_out entry = {.entry_valid = KEEP_SECONDS};

    return put(serve, &entry, sizeof(entry));
}

/* A file that only the launcher asks for, once: it is forgotten at once. */
static int64_t put_prime(struct serve *serve)
{
    const struct fuse_entry_out entry = {
        .nodeid = NODE_GRAFT - 1,
        .attr_valid = KEEP_SECONDS,
        .attr = {.mode = S_IFREG | 0444, .nlink = 1, .uid = serve->uid, .gid = serve->gid}};

    return put(serve, &entry, sizeof(entry));
}

OPERATION(op_lookup)
{
    struct squash_node directory;
    uint64_t reference, graft;
    size_t name = strnlen(body, length);
    int found = 0;

    if (name > SQUASH_NAME_LIMIT)
        return -ENAMETOOLONG;
    if (!serve->primed && header->nodeid == NODE_ROOT && strcmp(body, SERVER_PRIME_NAME) == 0)
        return put_prime(serve);
    if (!node_is_graft(header->nodeid)) {
        if (node_read(serve, header->nodeid, &directory) < 0)
            return -errno;
        found = squash_lookup(serve->squash, &directory, body, name, &reference);
    }
    if (found < 0)
        return -errno;
    if (found)
        return put_entry(serve, node_of_reference(reference, squash_root(serve->squash)));
    graft = grafts_lookup(serve->grafts, header->nodeid, body, name);
    return graft ? put_entry(serve, graft) : put_nothing(serve);
}

OPERATION(op_getattr)
{
    struct fuse_attr_out out = {.attr_valid = KEEP_SECONDS};

    UNUSED(body), UNUSED(length);
    if (attributes_of_node(serve, header->nodeid, &out.attr) < 0)
        return -errno;
    return put(serve, &out, sizeof(out));
}

OPERATION(op_readlink)
{
    struct squash_node node;
    int64_t n;

    UNUSED(body), UNUSED(length);
    if (node_is_graft(header->nodeid))
        return -EINVAL;
    if (node_read(serve, header->nodeid, &node) < 0)
        return -errno;
    n = squash_readlink(serve->squash, &node, serve->answer, SERVE_DATA_LIMIT);
    return n < 0 ? -errno : n;
}

OPERATION(op_read)
{
    struct squash_node node;
    struct fuse_read_in in;
    int64_t n;

    if (length < sizeof(in))
        return -EINVAL;
    if (node_is_graft(header->nodeid))
        return 0;
    memcpy(&in, body, sizeof(in));
    if (node_read(serve, header->nodeid, &node) < 0)
        return -errno;
    n = squash_read(serve->squash, &node, in.offset, in.size < SERVE_DATA_LIMIT ? in.size : SERVE_DATA_LIMIT,
                    serve->answer);
    return n < 0 ? -errno : n;
}

OPERATION(op_statfs)
{
    const struct squash *squash = serve->squash;
    const struct fuse_statfs_out out = {.st = {
                                            .blocks = (squash->length + 1023) / 1024,
                                            .files = squash->fs.sb.inodes,
                                            .bsize = squash->fs.sb.block_size,
                                            .frsize = 1024,
                                            .namelen = SQUASH_NAME_LIMIT,
                                        }};

    UNUSED(header), UNUSED(body), UNUSED(length);
    return put(serve, &out, sizeof(out));
}

/* A value or a list: SIZE 0 asks for the length of it only. */
static int64_t put_sized(struct serve *serve, int64_t n, uint32_t size)
{
    const struct fuse_getxattr_out out = {.size = (uint32_t)n};

    if (n < 0)
        return -errno;
    return size ? n : put(serve, &out, sizeof(out));
}

OPERATION(op_getxattr)
{
    struct squash_node node;
    struct fuse_getxattr_in in;

    if (!serve->squash->has_xattrs)
        return -ENOSYS;
    if (length < sizeof(in) + 1)
        return -EINVAL;
    memcpy(&in, body, sizeof(in));
    if (node_is_graft(header->nodeid))
        return -ENODATA;
    if (node_read(serve, header->nodeid, &node) < 0)
        return -errno;
    return put_sized(serve,
                     squash_getxattr(serve->squash, &node, body + sizeof(in), serve->answer,
                                     in.size < SERVE_DATA_LIMIT ? in.size : SERVE_DATA_LIMIT),
                     in.size);
}

OPERATION(op_listxattr)
{
    struct squash_node node;
    struct fuse_getxattr_in in;

    if (!serve->squash->has_xattrs)
        return -ENOSYS;
    if (length < sizeof(in))
        return -EINVAL;
    memcpy(&in, body, sizeof(in));
    if (node_is_graft(header->nodeid))
        return put_sized(serve, 0, in.size);
    if (node_read(serve, header->nodeid, &node) < 0)
        return -errno;
    return put_sized(serve,
                     squash_listxattr(serve->squash, &node, serve->answer,
                                      in.size < SERVE_DATA_LIMIT ? in.size : SERVE_DATA_LIMIT),
                     in.size);
}

/* What a file that no driver is behind says. */
OPERATION(op_ioctl)
{
    UNUSED(serve), UNUSED(header), UNUSED(body), UNUSED(length);
    return -ENOTTY;
}

/* The first close of a file: the kernel learns that it need not tell, and the launcher that it is served. */
OPERATION(op_flush)
{
    UNUSED(header), UNUSED(body), UNUSED(length);
    serve->primed = 1;
    return -ENOSYS;
}

operation *operation_of(uint32_t opcode)
{
    static operation *const operations[] = {
        [FUSE_LOOKUP] = op_lookup,           [FUSE_GETATTR] = op_getattr,
        [FUSE_READLINK] = op_readlink,       [FUSE_READ] = op_read,
        [FUSE_STATFS] = op_statfs,           [FUSE_GETXATTR] = op_getxattr,
        [FUSE_LISTXATTR] = op_listxattr,     [FUSE_FLUSH] = op_flush,
        [FUSE_READDIR] = op_readdir,         [FUSE_IOCTL] = op_ioctl,
        [FUSE_READDIRPLUS] = op_readdirplus,
    };

    return opcode < sizeof(operations) / sizeof(operations[0]) ? operations[opcode] : NULL;
}
