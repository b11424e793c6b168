/*
 * Reading directories: "." and "..", the entries of the image, then grafts. A
 * position is 1 or 2 behind the first two, what squash_next() gave behind an
 * entry of the image (at least 21), and beyond all of those behind a graft.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "fuse/answer.h"
#include "fuse/nodes.h"

#define GRAFT_POSITION (1ull << 48)

/* A listing that is being filled. */
struct listing {
    struct serve *serve;
    uint64_t directory; /* node id */
    int plus;           /* with attributes: every name is then known to the kernel */
    size_t size, used;
};

/* One name with its record. NODE 0: "." and "..", which the kernel knows. Whether it found room. */
static int add(struct listing *listing, const char *name, size_t length, uint64_t node,
               const struct fuse_attr *attr, uint64_t next)
{
    struct fuse_dirent dirent = {
        .ino = attr->ino, .off = next, .namelen = (uint32_t)length, .type = (attr->mode & S_IFMT) >> 12};
    struct fuse_entry_out entry = {0};
    size_t head = listing->plus ? FUSE_NAME_OFFSET_DIRENTPLUS : FUSE_NAME_OFFSET;
    size_t whole = FUSE_DIRENT_ALIGN(head + length);
    char *out = listing->serve->answer + listing->used;

    if (whole > listing->size - listing->used)
        return 0;
    if (listing->plus) {
        if (node)
            fill_entry(&entry, node, attr);
        memcpy(out, &entry, sizeof(entry));
        out += sizeof(entry);
    }
    memcpy(out, &dirent, FUSE_NAME_OFFSET);
    memcpy(out + FUSE_NAME_OFFSET, name, length);
    memset(listing->serve->answer + listing->used + head + length, 0, whole - head - length);
    listing->used += whole;
    return 1;
}

/* "." and "..", from position 0 or 1. The number of the parent is nobody's concern: the kernel has it. */
static int add_dots(struct listing *listing, uint64_t position)
{
    struct fuse_attr attr = {.ino = 1, .mode = S_IFDIR};

    if (attributes_of_node(listing->serve, listing->directory, &attr) < 0)
        return -1;
    if (position == 0 && !add(listing, ".", 1, 0, &attr, 1))
        return 0;
    return add(listing, "..", 2, 0, &attr, 2);
}

static int add_entry(struct listing *listing, const struct squash_entry *entry)
{
    struct squash *squash = listing->serve->squash;
    struct fuse_attr attr = {.ino = entry->number, .mode = entry->mode};
    uint64_t node = node_of_reference(entry->reference, squash_root(squash));

    /* An inode that cannot be read fails where it is used; its name is there. */
    if (listing->plus) {
        struct squash_node inode;

        if (squash_node(squash, entry->reference, &inode) < 0)
            node = 0;
        else
            attributes_of_inode(listing->serve, &inode, &attr);
    }
    return add(listing, entry->name, entry->length, node, &attr, entry->next);
}

/* The image's entries from POSITION. 1: all of them are in; 0: no more room; -1. */
static int add_entries(struct listing *listing, uint64_t position)
{
    struct squash *squash = listing->serve->squash;
    struct squash_entries entries;
    struct squash_entry entry;
    struct squash_node node;
    int more;

    if (node_is_graft(listing->directory))
        return 1;
    if (node_read(listing->serve, listing->directory, &node) < 0 ||
        squash_entries(squash, &node, position > 2 ? position : 0, &entries) < 0)
        return -1;
    while ((more = squash_next(squash, &entries, &entry)) > 0)
        if (!add_entry(listing, &entry))
            return 0;
    return more < 0 ? -1 : 1;
}

static void add_grafts(struct listing *listing, size_t from)
{
    const struct grafts *grafts = listing->serve->grafts;

    for (size_t i = from; (i = grafts_next(grafts, listing->directory, i)) < grafts->count; i++) {
        const struct graft *graft = &grafts->items[i];
        struct fuse_attr attr;

        if (attributes_of_node(listing->serve, graft_node(i), &attr) < 0 ||
            !add(listing, graft->name, graft->length, graft_node(i), &attr, GRAFT_POSITION + i + 1))
            return;
    }
}

static int64_t list(struct serve *serve, const struct fuse_in_header *header, const char *body, size_t length,
                    int plus)
{
    struct listing listing = {.serve = serve, .directory = header->nodeid, .plus = plus};
    struct fuse_read_in in;
    int more = 1;

    if (length < sizeof(in))
        return -EINVAL;
    memcpy(&in, body, sizeof(in));
    listing.size = in.size < SERVE_DATA_LIMIT ? in.size : SERVE_DATA_LIMIT;
    if (in.offset < 2)
        more = add_dots(&listing, in.offset);
    if (more > 0 && in.offset < GRAFT_POSITION)
        more = add_entries(&listing, in.offset);
    if (more > 0)
        add_grafts(&listing, in.offset > GRAFT_POSITION ? (size_t)(in.offset - GRAFT_POSITION) : 0);
    /* What was read before the damage is given first. */
    return more < 0 && !listing.used ? -errno : (int64_t)listing.used;
}

int64_t op_readdir(struct serve *serve, const struct fuse_in_header *header, const char *body, size_t length)
{
    return list(serve, header, body, length, 0);
}

int64_t op_readdirplus(struct serve *serve, const struct fuse_in_header *header, const char *body,
                       size_t length)
{
    return list(serve, header, body, length, 1);
}
