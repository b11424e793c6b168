/*
 * The block writer of libsquashfs looks through all blocks for each file that it
 * compares. This one keeps a table of files.
 */
#include <sqfs/error.h>
#include <stdlib.h>
#include <string.h>

#include "pack/squashfs.h"

/* The blocks of a file, one behind the other. */
struct run {
    uint64_t offset; /* 0: free; the superblock is there */
    uint64_t length;
    uint64_t hash; /* of sizes and checksums */
};

/*
 * Runs of equal hash and length that are compared with a new one before it is written a
 * second time: whoever prepares files whose checksums agree gets no more than that.
 */
enum { FIRST_ROOM = 1024, COMPARE_LIMIT = 8, COMPARE_ROOM = 64 * 1024 };

struct blocks {
    sqfs_block_writer_t writer;
    struct image_file *output;
    struct run *runs;
    size_t count, mask;
    struct run current;
    uint64_t written;
    unsigned char one[COMPARE_ROOM], other[COMPARE_ROOM];
};

static uint64_t mix(uint64_t hash, uint64_t value)
{
    unsigned __int128 product = (unsigned __int128)(hash ^ value) * UINT64_C(0x9E3779B97F4A7C15);

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static int grow(struct blocks *blocks)
{
    size_t room = (blocks->mask + 1) * 2;
    struct run *runs = calloc(room, sizeof(*runs));

    if (!runs)
        return SQFS_ERROR_ALLOC;
    for (size_t i = 0; i <= blocks->mask; i++) {
        if (blocks->runs[i].offset) {
            size_t at = blocks->runs[i].hash & (room - 1);

            while (runs[at].offset)
                at = (at + 1) & (room - 1);
            runs[at] = blocks->runs[i];
        }
    }
    free(blocks->runs);
    blocks->runs = runs;
    blocks->mask = room - 1;
    return 0;
}

/* Sets *SAME to whether the bytes of two runs of one length are equal. 0 or an error. */
static int compare(struct blocks *blocks, const struct run *a, const struct run *b, int *same)
{
    sqfs_file_t *file = &blocks->output->file;

    *same = 0;
    for (uint64_t done = 0; done < a->length;) {
        size_t part = a->length - done < COMPARE_ROOM ? (size_t)(a->length - done) : COMPARE_ROOM;
        int result = file->read_at(file, a->offset + done, blocks->one, part);

        if (result == 0)
            result = file->read_at(file, b->offset + done, blocks->other, part);
        if (result)
            return result;
        if (memcmp(blocks->one, blocks->other, part) != 0)
            return 0;
        done += part;
    }
    *same = 1;
    return 0;
}

/* The current run is complete: sets *LOCATION to where its bytes are, or were before. */
static int settle(struct blocks *blocks, uint64_t *location)
{
    struct run *current = &blocks->current;
    int result, same, compared = 0;
    size_t i;

    if (blocks->count * 2 > blocks->mask && (result = grow(blocks)) != 0)
        return result;
    for (i = current->hash & blocks->mask; blocks->runs[i].offset; i = (i + 1) & blocks->mask) {
        struct run *run = &blocks->runs[i];

        if (run->hash != current->hash || run->length != current->length)
            continue;
        if (++compared > COMPARE_LIMIT)
            return 0;
        result = compare(blocks, run, current, &same);
        if (result)
            return result;
        if (same) {
            *location = run->offset;
            return blocks->output->file.truncate(&blocks->output->file, current->offset);
        }
    }
    blocks->runs[i] = *current;
    blocks->count++;
    return 0;
}

static int write_data_block(sqfs_block_writer_t *writer, void *user, sqfs_u32 size, sqfs_u32 checksum,
                            sqfs_u32 flags, const sqfs_u8 *data, sqfs_u64 *location)
{
    struct blocks *blocks = (struct blocks *)writer;
    sqfs_file_t *file = &blocks->output->file;
    uint64_t offset = blocks->output->size;
    int result;

    (void)user;
    *location = offset;
    if (flags & SQFS_BLK_FIRST_BLOCK)
        blocks->current = (struct run){.offset = offset};
    if (size != 0 && !(flags & SQFS_BLK_IS_SPARSE)) {
        result = file->write_at(file, offset, data, size);
        if (result)
            return result;
        blocks->written++;
        if (!(flags & SQFS_BLK_FRAGMENT_BLOCK)) {
            blocks->current.length += size;
            blocks->current.hash = mix(mix(blocks->current.hash, size), checksum);
        }
    }
    if (!(flags & SQFS_BLK_LAST_BLOCK))
        return 0;
    *location = blocks->current.length ? blocks->current.offset : 0;
    return blocks->current.length && !(flags & SQFS_BLK_DONT_DEDUPLICATE) ? settle(blocks, location) : 0;
}

static sqfs_u64 get_block_count(const sqfs_block_writer_t *writer)
{
    return ((const struct blocks *)writer)->written;
}

static void destroy(sqfs_object_t *object)
{
    struct blocks *blocks = (struct blocks *)object;

    free(blocks->runs);
    free(blocks);
}

sqfs_block_writer_t *blocks_create(struct image_file *output)
{
    struct blocks *blocks = calloc(1, sizeof(*blocks));

    if (!blocks)
        return NULL;
    blocks->runs = calloc(FIRST_ROOM, sizeof(*blocks->runs));
    if (!blocks->runs) {
        free(blocks);
        return NULL;
    }
    blocks->mask = FIRST_ROOM - 1;
    blocks->output = output;
    blocks->writer.base.destroy = destroy;
    blocks->writer.write_data_block = write_data_block;
    blocks->writer.get_block_count = get_block_count;
    return &blocks->writer;
}
