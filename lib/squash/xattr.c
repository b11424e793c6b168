/* Extended attributes: lists in metadata blocks, found through a table of ids. */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "squash/squash.h"

enum { NAME_LIMIT = 255, VALUE_LIMIT = 65536 }; /* xattr(7) */

/* Trusted attributes are for nobody whom we serve. */
static const char *const prefixes[] = {"user.", NULL, "security."};

static const char *prefix_of(unsigned type)
{
    type &= SQUASHFS_XATTR_PREFIX_MASK;
    return type < sizeof(prefixes) / sizeof(prefixes[0]) ? prefixes[type] : NULL;
}

/* A walk through the attributes of an inode. */
struct walk {
    struct squash *squash;
    sqfs_md_cursor cursor; /* behind the name: at the value */
    uint32_t left;
    unsigned type;
    char name[NAME_LIMIT + 16]; /* with its prefix, terminated */
};

static int get(struct walk *walk, sqfs_md_cursor *cursor, void *bytes, size_t size)
{
    return sqfs_md_read(&walk->squash->fs, cursor, bytes, size) == SQFS_OK ? 0 : -1;
}

static int settle_at(struct squash *squash, uint64_t reference, sqfs_md_cursor *cursor)
{
    cursor->block = (sqfs_off_t)(squash->fs.xattr_info.xattr_table_start + (reference >> 16));
    cursor->offset = reference & 0xffff;
    return squash_settle(squash, cursor);
}

static int begin(struct squash *squash, const struct squash_node *node, struct walk *walk)
{
    struct squashfs_xattr_id id;

    walk->squash = squash;
    walk->left = 0;
    if (!squash->has_xattrs || node->inode.xattr == SQUASHFS_INVALID_XATTR)
        return 0;
    if (squash_table_get(squash, &squash->fs.xattr_table, squash->fs.xattr_info.xattr_ids, node->inode.xattr,
                         &id, sizeof(id)) < 0)
        return -1;
    walk->left = le32toh(id.count);
    return settle_at(squash, le64toh(id.xattr), &walk->cursor);
}

/* The next name; 1, 0 at the end, -1. One of a kind that is not shown has an empty name. */
static int next_name(struct walk *walk)
{
    struct squashfs_xattr_entry entry;
    const char *prefix;
    size_t length, size;

    if (!walk->left)
        return 0;
    walk->left--;
    if (get(walk, &walk->cursor, &entry, sizeof(entry)) < 0)
        return -1;
    walk->type = le16toh(entry.type);
    prefix = prefix_of(walk->type);
    length = prefix ? strlen(prefix) : 0;
    size = le16toh(entry.size);
    if (size > NAME_LIMIT || length + size > NAME_LIMIT)
        return -1;
    memcpy(walk->name, prefix ? prefix : "", length);
    if (get(walk, &walk->cursor, walk->name + length, size) < 0)
        return -1;
    walk->name[prefix ? length + size : 0] = 0;
    return 1;
}

/* The length of the value at the cursor, which is put on its first byte. */
static int64_t value_length(struct walk *walk, sqfs_md_cursor *cursor)
{
    uint32_t length;

    if (get(walk, cursor, &length, sizeof(length)) < 0 || le32toh(length) > VALUE_LIMIT)
        return -1;
    return le32toh(length);
}

/* Goes past the value. */
static int skip_value(struct walk *walk)
{
    int64_t length = value_length(walk, &walk->cursor);

    return length < 0 ? -1 : get(walk, &walk->cursor, NULL, (size_t)length);
}

/* Puts *CURSOR on the value, which may be kept elsewhere. Its length, or -1. */
static int64_t find_value(struct walk *walk, sqfs_md_cursor *cursor)
{
    int64_t length = value_length(walk, &walk->cursor);
    uint64_t reference;

    *cursor = walk->cursor;
    if (length < 0 || !(walk->type & SQUASHFS_XATTR_VALUE_OOL))
        return length;
    if (length != sizeof(reference) || get(walk, cursor, &reference, sizeof(reference)) < 0 ||
        settle_at(walk->squash, le64toh(reference), cursor) < 0)
        return -1;
    return value_length(walk, cursor);
}

static int64_t copy_value(struct walk *walk, char *buffer, size_t size)
{
    sqfs_md_cursor cursor;
    int64_t length = find_value(walk, &cursor);

    errno = EIO;
    if (length < 0 || !size)
        return length;
    if ((size_t)length > size) {
        errno = ERANGE;
        return -1;
    }
    return get(walk, &cursor, buffer, (size_t)length) < 0 ? -1 : length;
}

int64_t squash_getxattr(struct squash *squash, const struct squash_node *node, const char *name, char *buffer,
                        size_t size)
{
    struct walk walk;
    int more = begin(squash, node, &walk);

    if (more < 0)
        return -1;
    errno = EIO;
    while ((more = next_name(&walk)) > 0) {
        if (*walk.name && strcmp(walk.name, name) == 0)
            return copy_value(&walk, buffer, size);
        if (skip_value(&walk) < 0)
            return -1;
    }
    if (more == 0)
        errno = ENODATA;
    return -1;
}

int64_t squash_listxattr(struct squash *squash, const struct squash_node *node, char *buffer, size_t size)
{
    struct walk walk;
    size_t used = 0;
    int more = begin(squash, node, &walk);

    if (more < 0)
        return -1;
    errno = EIO;
    while ((more = next_name(&walk)) > 0) {
        size_t length = strlen(walk.name) + 1;

        if (skip_value(&walk) < 0)
            return -1;
        if (length == 1)
            continue;
        if (used + length > VALUE_LIMIT || (size && used + length > size)) {
            errno = ERANGE;
            return -1;
        }
        if (size)
            memcpy(buffer + used, walk.name, length);
        used += length;
    }
    return more < 0 ? -1 : (int64_t)used;
}
