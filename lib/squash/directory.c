/* Directories: entries sorted by name, with an index where they are large. */
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "squash/squash.h"

/* Reads entry headers of the index at CURSOR into INDEX and its name into the name buffer. -1: damaged. */
static int read_index(struct squash *squash, sqfs_md_cursor *cursor, struct squashfs_dir_index *index)
{
    if (sqfs_md_read(&squash->fs, cursor, index, sizeof(*index)) != SQFS_OK)
        return -1;
    index->index = le32toh(index->index);
    index->start_block = le32toh(index->start_block);
    index->size = le32toh(index->size);
    if (index->size >= SQUASH_NAME_LIMIT)
        return -1;
    return sqfs_md_read(&squash->fs, cursor, squash->name, index->size + 1) == SQFS_OK ? 0 : -1;
}

/* Names in the order that SquashFS has: by bytes, a shorter one first. */
static int compare(const char *a, size_t a_length, const char *b, size_t b_length)
{
    int order = memcmp(a, b, a_length < b_length ? a_length : b_length);

    return order ? order : (a_length > b_length) - (a_length < b_length);
}

/*
 * Puts ENTRIES, which are at the start of NODE, on the last header of the index
 * that lies at or before POSITION or, where a NAME is given, that begins with no
 * later name.
 */
static int skip_by_index(struct squash *squash, const struct squash_node *node, uint64_t position,
                         const char *name, size_t length, struct squash_entries *entries)
{
    sqfs_md_cursor cursor = node->inode.next;
    sqfs_dir *dir = &entries->dir;

    if (node->inode.xtra.dir.idx_count && squash_settle(squash, &cursor) < 0)
        return -1;
    for (unsigned i = 0; i < node->inode.xtra.dir.idx_count; i++) {
        struct squashfs_dir_index index;

        if (read_index(squash, &cursor, &index) < 0)
            return -1;
        if (name ? compare(squash->name, index.size + 1, name, length) > 0 : index.index > position)
            break;
        dir->cur.block = (sqfs_off_t)(squash->fs.sb.directory_table_start + index.start_block);
        dir->cur.offset = (node->inode.xtra.dir.offset + (size_t)index.index) % SQUASHFS_METADATA_SIZE;
        dir->offset = index.index;
    }
    return 0;
}

static int begin(struct squash *squash, const struct squash_node *node, uint64_t position, const char *name,
                 size_t length, struct squash_entries *entries)
{
    errno = ENOTDIR;
    if (sqfs_dir_open(&squash->fs, (sqfs_inode *)(uintptr_t)&node->inode, &entries->dir, 0) != SQFS_OK)
        return -1;
    errno = EIO;
    if (entries->dir.total <= 0 || (!position && !name))
        return 0;
    return skip_by_index(squash, node, position, name, length, entries);
}

int squash_entries(struct squash *squash, const struct squash_node *node, uint64_t position,
                   struct squash_entries *entries)
{
    if (begin(squash, node, position, NULL, 0, entries) < 0)
        return -1;
    while ((uint64_t)entries->dir.offset < position) {
        struct squash_entry entry;
        int more = squash_next(squash, entries, &entry);

        if (more <= 0)
            return more;
    }
    return 0;
}

/* Neither a name that a path cannot have nor one that would mean another directory. */
static int is_good_name(const char *name, size_t length)
{
    return length <= SQUASH_NAME_LIMIT && !memchr(name, 0, length) && !memchr(name, '/', length) &&
           !(name[0] == '.' && (length == 1 || (length == 2 && name[1] == '.')));
}

int squash_next(struct squash *squash, struct squash_entries *entries, struct squash_entry *entry)
{
    sqfs_dir_entry found = {.name = squash->name};
    const sqfs_dir *dir = &entries->dir;
    sqfs_err result;

    /* A block that was put out meanwhile is read anew, from a file that may have changed. */
    if ((dir->header.count || dir->offset < dir->total) && squash_settle(squash, &dir->cur) < 0)
        return -1;
    if (!sqfs_dir_next(&squash->fs, &entries->dir, &found, &result)) {
        errno = EIO;
        return result == SQFS_OK ? 0 : -1;
    }
    /* The library goes on as long as a header says, beyond the directory's size. */
    if (dir->offset > dir->total || !is_good_name(squash->name, found.name_size)) {
        errno = EIO;
        return -1;
    }
    *entry = (struct squash_entry){
        .reference = found.inode,
        .number = found.inode_number,
        .mode = (unsigned)sqfs_dentry_mode(&found),
        .name = squash->name,
        .length = found.name_size,
        .next = (uint64_t)dir->offset,
    };
    return 1;
}

int squash_lookup(struct squash *squash, const struct squash_node *node, const char *name, size_t length,
                  uint64_t *reference)
{
    struct squash_entries entries;
    struct squash_entry entry;
    int more, order;

    if (begin(squash, node, 0, name, length, &entries) < 0)
        return -1;
    while ((more = squash_next(squash, &entries, &entry)) > 0) {
        order = compare(entry.name, entry.length, name, length);
        if (order == 0) {
            *reference = entry.reference;
            return 1;
        }
        if (order > 0)
            return 0;
    }
    return more;
}
