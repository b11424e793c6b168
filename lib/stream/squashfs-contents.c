/* Contents and attributes of what a SquashFS holds. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stream/squashfs.h"

/* Where NODE has data. 0, or -1 and errno. */
static int find_extents(struct extents *extents, int *holes, struct squash *squash,
                        const struct squash_node *node)
{
    const uint64_t size = node->inode.xtra.reg.file_size;
    uint64_t length;

    for (uint64_t at = 0; at < size; at += length) {
        int is_data = squash_extent(squash, node, at, &length);

        if (is_data < 0)
            return -1;
        if (extents->count + 1 == WORK_EXTENTS_LIMIT) {
            is_data = 1;
            length = size - at;
        }
        if (!is_data)
            *holes = 1;
        else if (extents_add(extents, at, length) < 0)
            return -1;
    }
    return 0;
}

static int copy(struct stream *stream, const struct squash_node *node, const struct extent *extent)
{
    struct squashfs *image = stream->source;

    for (uint64_t done = 0; done < extent->length;) {
        uint64_t left = extent->length - done;
        int64_t n = squash_read(&image->squash, node, extent->offset + done,
                                left < WORK_BUFFER_SIZE ? (size_t)left : WORK_BUFFER_SIZE, stream->buffer);

        if (n <= 0)
            return squashfs_damaged(stream, image->path);
        if (tar_data(stream, stream->buffer, (size_t)n) < 0)
            return -1;
        done += (uint64_t)n;
    }
    return 0;
}

static int copy_all(struct stream *stream, const struct squash_node *node, const struct extents *extents,
                    uint64_t size)
{
    uint64_t at = 0;

    for (size_t i = 0; i < extents->count; i++) {
        if (tar_hole(stream, extents->items[i].offset - at) < 0 || copy(stream, node, &extents->items[i]) < 0)
            return -1;
        at = extents->items[i].offset + extents->items[i].length;
    }
    return tar_hole(stream, size - at);
}

int squashfs_contents(struct stream *stream, const struct squash_node *node, struct member *member)
{
    struct squashfs *image = stream->source;
    static const struct extent none;
    struct extents extents = {0};
    int holes = 0, result = find_extents(&extents, &holes, &image->squash, node);

    if (result < 0) {
        squashfs_damaged(stream, image->path);
    } else {
        member->size = node->inode.xtra.reg.file_size;
        if (holes) {
            member->extents = extents.items ? extents.items : &none;
            member->extent_count = extents.count;
        }
        result = tar_begin(stream, member);
        if (result == 0)
            result = copy_all(stream, node, &extents, member->size);
        if (result == 0)
            result = tar_end(stream);
    }
    free(extents.items);
    return result;
}

/* The attribute NAME of NODE. 0 or -1. */
static int add_attribute(struct stream *stream, const struct squash_node *node, const char *name)
{
    struct squashfs *image = stream->source;
    size_t room;
    char *value;
    int64_t length;

    if (!attribute_is_kept(stream, name))
        return 0;
    value = attribute_room(stream, &room);
    length = value ? squash_getxattr(&image->squash, node, name, value, room) : -1;
    if (length < 0 && value && errno != ERANGE)
        return squashfs_damaged(stream, image->path);
    if (length < 0)
        stream->counts.attributes++;
    else
        attribute_add(stream, name, (size_t)length);
    return 0;
}

int squashfs_attributes(struct stream *stream, const struct squash_node *node)
{
    struct squashfs *image = stream->source;
    char names[WORK_ATTRIBUTES_SIZE];
    int64_t length;
    int left = WORK_ATTRIBUTES_LIMIT;

    if (!image->squash.has_xattrs || node->inode.xattr == SQUASHFS_INVALID_XATTR)
        return 0;
    length = squash_listxattr(&image->squash, node, names, sizeof(names));
    if (length < 0 && errno != ERANGE)
        return squashfs_damaged(stream, image->path);
    for (const char *name = names; name < names + length; name += strlen(name) + 1) {
        if (left-- <= 0)
            stream->counts.attributes++;
        else if (add_attribute(stream, node, name) < 0)
            return -1;
    }
    return 0;
}
