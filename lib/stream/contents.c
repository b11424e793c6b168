/* Contents and attributes of what a directory holds. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "stream/directory.h"

enum { SECTOR = 512 };

/* Where FD of SIZE bytes has data; items is NULL where it has no holes. 0, or -1: no memory. */
static int find_extents(struct extents *extents, int fd, const struct stat *st)
{
    off_t at = 0, end, size = st->st_size;

    *extents = (struct extents){0};
    if (size == 0 || st->st_blocks >= (size + SECTOR - 1) / SECTOR)
        return 0;
    extents->items = calloc(1, sizeof(*extents->items));
    if (!extents->items)
        return -1;
    extents->room = 1;
    while (at < size && (at = lseek(fd, at, SEEK_DATA)) >= 0 && at < size) {
        end = extents->count + 1 < WORK_EXTENTS_LIMIT ? lseek(fd, at, SEEK_HOLE) : size;
        if (end < 0 || end > size)
            end = size;
        if (extents_add(extents, (uint64_t)at, (uint64_t)(end - at)) < 0)
            return -1;
        at = end;
    }
    /* Behind the last data ENXIO; another error: the file system knows no holes. */
    if (at < 0 && errno != ENXIO && extents->count == 0)
        return extents_add(extents, 0, (uint64_t)size);
    return 0;
}

/* LENGTH bytes from OFFSET. 0; 1: they are not there; -1. */
static int copy(struct walk *walk, int fd, uint64_t offset, uint64_t length)
{
    struct stream *stream = walk->stream;

    while (length) {
        size_t part = length < WORK_BUFFER_SIZE ? (size_t)length : WORK_BUFFER_SIZE;
        ssize_t n = pread(fd, stream->buffer, part, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(&stream->err, ERR_IMAGE_UNREADABLE, "%s: the file /%.300s cannot be read: %s",
                           stream->name, walk->path, err_reason(errno));
        if (n == 0)
            return 1;
        if (tar_data(stream, stream->buffer, (size_t)n) < 0)
            return -1;
        offset += (uint64_t)n;
        length -= (uint64_t)n;
    }
    return 0;
}

static int copy_all(struct walk *walk, int fd, const struct member *member)
{
    uint64_t at = 0;
    int result;

    if (!member->extents)
        return copy(walk, fd, 0, member->size);
    for (size_t i = 0; i < member->extent_count; i++) {
        const struct extent *extent = &member->extents[i];

        if (tar_hole(walk->stream, extent->offset - at) < 0)
            return -1;
        result = copy(walk, fd, extent->offset, extent->length);
        if (result)
            return result;
        at = extent->offset + extent->length;
    }
    return tar_hole(walk->stream, member->size - at);
}

static int put(struct walk *walk, int fd, const struct stat *st, const struct member *member)
{
    struct stat after;
    int result;

    attributes_read(walk->stream, fd);
    if (tar_begin(walk->stream, member) < 0)
        return -1;
    result = copy_all(walk, fd, member);
    if (result)
        return result;
    if (fstat(fd, &after) < 0 || after.st_size != st->st_size || after.st_mtime != st->st_mtime ||
        after.st_mtim.tv_nsec != st->st_mtim.tv_nsec)
        return 1;
    return tar_end(walk->stream);
}

int contents_put(struct walk *walk, int fd, const struct stat *st, struct member *member)
{
    struct extents extents;
    int result;

    member->size = (uint64_t)st->st_size;
    result = find_extents(&extents, fd, st);
    if (result < 0)
        err_set(&walk->stream->err, ERR_NO_MEMORY, "no memory to read %s", walk->stream->name);
    member->extents = extents.items;
    member->extent_count = extents.count;
    if (result == 0)
        result = put(walk, fd, st, member);
    free(extents.items);
    return result;
}

/*
 * A capability that was set within a user namespace carries the id of its root (24 bytes,
 * VFS_CAP_REVISION_3); in an image it is that of whoever is root there (20 bytes, revision 2).
 * linux/capability.h
 */
static size_t host_capability(char *value, size_t length)
{
    enum { REVISION_2 = 2, REVISION_3 = 3, LENGTH_2 = 20, LENGTH_3 = 24 };

    if (length != LENGTH_3 || value[3] != REVISION_3)
        return length;
    value[3] = REVISION_2;
    return LENGTH_2;
}

void attributes_read(struct stream *stream, int fd)
{
    char names[WORK_ATTRIBUTES_SIZE];
    ssize_t length = flistxattr(fd, names, sizeof(names));

    for (const char *name = names; length > 0 && name < names + length; name += strlen(name) + 1) {
        ssize_t n = 0;
        size_t room;
        char *value;

        if (!attribute_is_kept(stream, name))
            continue;
        value = attribute_room(stream, &room);
        if (value)
            n = fgetxattr(fd, name, value, room);
        if (!value || n < 0) {
            stream->counts.attributes++;
            continue;
        }
        if (strcmp(name, "security.capability") == 0)
            n = (ssize_t)host_capability(value, (size_t)n);
        attribute_add(stream, name, (size_t)n);
    }
}
