/*
 * Contents of files: whole blocks, whose sizes are listed behind the inode, and
 * a tail that shares a fragment block with others.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "image/superblock.h"
#include "squash/files.h"
#include "squash/squash.h"

enum { BLOCKS_PER_PLACE = 1024 };

/* The index of the file NODE, made where there is none. NULL: no memory. */
static struct squash_file_index *index_of(struct squash *squash, const struct squash_node *node)
{
    struct squash_file_index *index;

    for (size_t i = 0; i < SQUASH_FILES_KEPT; i++)
        if (squash->files[i].count && squash->files[i].reference == node->reference)
            return &squash->files[i];
    index = &squash->files[squash->next_file++ % SQUASH_FILES_KEPT];
    index->count = 0;
    index->reference = node->reference;
    return index;
}

static int add_place(struct squash_file_index *index, const struct squash_place *place)
{
    if (index->count == index->room) {
        size_t room = index->room ? index->room * 2 : 16;
        struct squash_place *places = realloc(index->places, room * sizeof(*places));

        if (!places)
            return -1;
        index->places = places;
        index->room = room;
    }
    index->places[index->count++] = *place;
    return 0;
}

/* Reads the size of the block at PLACE and goes on to the next. */
static int next_block(struct squash *squash, struct squash_place *place, uint32_t *header)
{
    bool compressed;
    uint32_t size;

    if (sqfs_md_read(&squash->fs, &place->cursor, header, sizeof(*header)) != SQFS_OK)
        return -1;
    *header = le32toh(*header);
    sqfs_data_header(*header, &compressed, &size);
    place->data += size;
    return 0;
}

/* The place of block NUMBER of the file NODE. */
static int find_block(struct squash *squash, const struct squash_node *node, uint64_t number,
                      struct squash_place *place)
{
    struct squash_file_index *index;
    uint64_t at = 0;
    uint32_t header;

    *place = (struct squash_place){node->inode.next, node->inode.xtra.reg.start_block};
    if (squash_settle(squash, &place->cursor) < 0)
        return -1;
    index = number < BLOCKS_PER_PLACE ? NULL : index_of(squash, node);
    if (index && index->count) {
        size_t nearest = number / BLOCKS_PER_PLACE - 1;

        nearest = nearest < index->count ? nearest : index->count - 1;
        *place = index->places[nearest];
        at = (nearest + 1) * (uint64_t)BLOCKS_PER_PLACE;
        if (squash_settle(squash, &place->cursor) < 0)
            return -1;
    }
    while (at < number) {
        if (next_block(squash, place, &header) < 0)
            return -1;
        at++;
        if (index && at % BLOCKS_PER_PLACE == 0 && at / BLOCKS_PER_PLACE == index->count + 1 &&
            add_place(index, place) < 0)
            return -1;
    }
    return 0;
}

/* A decoded block of at least NEEDED bytes, or NULL. */
static const char *get_block(struct squash *squash, sqfs_cache *cache, uint64_t position, uint32_t header,
                             size_t needed)
{
    sqfs_block *block;
    bool compressed;
    uint32_t size;

    sqfs_data_header(header, &compressed, &size);
    /* Position 0 would be "no block" to the library's cache. */
    if (position < SUPERBLOCK_SIZE || position >= squash->length || size > squash->length - position ||
        size > squash->fs.sb.block_size)
        return NULL;
    if (sqfs_data_cache(&squash->fs, cache, (sqfs_off_t)position, header, &block) != SQFS_OK)
        return NULL;
    return block->size < needed ? NULL : block->data;
}

static int copy_tail(struct squash *squash, const struct squash_node *node, size_t from, size_t size,
                     char *buffer)
{
    struct squashfs_fragment_entry fragment;
    const char *block;

    if (squash_table_get(squash, &squash->fs.frag_table, squash->fs.sb.fragments,
                         node->inode.xtra.reg.frag_idx, &fragment, sizeof(fragment)) < 0)
        return -1;
    from += node->inode.xtra.reg.frag_off;
    block = get_block(squash, &squash->fs.frag_cache, le64toh(fragment.start_block), le32toh(fragment.size),
                      from + size);
    if (!block)
        return -1;
    memcpy(buffer, block + from, size);
    return 0;
}

/* Copies SIZE bytes from FROM of the block at PLACE, which goes on. A block of no bytes is a hole. */
static int copy_block(struct squash *squash, struct squash_place *place, size_t from, size_t size,
                      char *buffer)
{
    uint64_t position = place->data;
    const char *block;
    uint32_t header;

    if (next_block(squash, place, &header) < 0)
        return -1;
    if (place->data == position) {
        memset(buffer, 0, size);
        return 0;
    }
    block = get_block(squash, &squash->fs.data_cache, position, header, from + size);
    if (!block)
        return -1;
    memcpy(buffer, block + from, size);
    return 0;
}

int64_t squash_read(struct squash *squash, const struct squash_node *node, uint64_t offset, size_t size,
                    char *buffer)
{
    const uint64_t block_size = squash->fs.sb.block_size, length = node->inode.xtra.reg.file_size;
    const int has_tail = node->inode.xtra.reg.frag_idx != SQUASHFS_INVALID_FRAG;
    const uint64_t tail_block = has_tail ? length / block_size : UINT64_MAX;
    struct squash_place place;
    size_t done = 0;

    errno = EINVAL;
    if (!S_ISREG(node->inode.base.mode))
        return -1;
    if (offset >= length)
        return 0;
    size = size < length - offset ? size : (size_t)(length - offset);
    errno = EIO;
    if (offset / block_size < tail_block && find_block(squash, node, offset / block_size, &place) < 0)
        return -1;
    while (done < size) {
        uint64_t number = (offset + done) / block_size;
        size_t from = (size_t)((offset + done) % block_size);
        size_t part = (size_t)(block_size - from) < size - done ? (size_t)(block_size - from) : size - done;

        if ((number == tail_block ? copy_tail(squash, node, from, part, buffer + done)
                                  : copy_block(squash, &place, from, part, buffer + done)) < 0) {
            errno = EIO;
            return -1;
        }
        done += part;
    }
    return (int64_t)done;
}

int squash_extent(struct squash *squash, const struct squash_node *node, uint64_t offset, uint64_t *length)
{
    const uint64_t block_size = squash->fs.sb.block_size, size = node->inode.xtra.reg.file_size;
    const int has_tail = node->inode.xtra.reg.frag_idx != SQUASHFS_INVALID_FRAG;
    const uint64_t end = has_tail ? size - size % block_size : size;
    struct squash_place place;
    uint64_t at = offset;
    int is_data = -1;

    errno = EINVAL;
    if (!S_ISREG(node->inode.base.mode) || offset >= size || offset % block_size)
        return -1;
    errno = EIO;
    if (at < end && find_block(squash, node, at / block_size, &place) < 0)
        return -1;
    while (at < end) {
        const uint64_t before = place.data;
        uint32_t header;

        if (next_block(squash, &place, &header) < 0)
            return -1;
        if (is_data >= 0 && is_data != (place.data != before))
            break;
        is_data = place.data != before;
        at += block_size;
    }
    /* The tail is data. */
    if (at >= end && is_data != 0) {
        is_data = 1;
        at = size;
    }
    *length = (at < size ? at : size) - offset;
    return is_data;
}

int squash_order(struct squash *squash, const struct squash_node *node, struct squash_order *order)
{
    const uint32_t number = node->inode.xtra.reg.frag_idx;
    struct squashfs_fragment_entry fragment;

    *order = (struct squash_order){.block = node->inode.xtra.reg.start_block};
    if (number == SQUASHFS_INVALID_FRAG || node->inode.xtra.reg.file_size >= squash->fs.sb.block_size)
        return 0;
    /* The first tail that does not fit has the block of those before it written. */
    *order = (struct squash_order){.within = (uint64_t)node->inode.xtra.reg.frag_off + 1};
    if (number == 0)
        return 0;
    if (squash_table_get(squash, &squash->fs.frag_table, squash->fs.sb.fragments, number - 1, &fragment,
                         sizeof(fragment)) < 0)
        return -1;
    order->block = le64toh(fragment.start_block);
    return 0;
}
