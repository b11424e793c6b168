#include "pack/squashfs.h"

#include <pthread.h>
#include <sched.h>
#include <sqfs/error.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/num.h"

enum { DEFAULT_BLOCK_SIZE = 128 * 1024, THREAD_LIMIT = 256, BLOCKS_EACH = 10, GIVE_WAY = 5 };

/* Blocks that may wait, of the smallest size. */
enum { FINISH_LIMIT = PACK_BACKLOG / 4096 };

static const struct {
    const char *name;
    SQFS_COMPRESSOR id;
    unsigned level, level_limit; /* 0: has none */
} compressions[] = {
    [PACK_ZSTD] = {"zstd", SQFS_COMP_ZSTD, 1, SQFS_ZSTD_MAX_LEVEL},
    [PACK_LZ4] = {"lz4", SQFS_COMP_LZ4, 0, 0},
    [PACK_GZIP] = {"gzip", SQFS_COMP_GZIP, 6, SQFS_GZIP_MAX_LEVEL},
    [PACK_XZ] = {"xz", SQFS_COMP_XZ, SQFS_XZ_DEFAULT_LEVEL, SQFS_XZ_MAX_LEVEL},
};

enum { COMPRESSION_COUNT = sizeof(compressions) / sizeof(compressions[0]) };

int pack_parse_compression(const char *text, struct pack_options *options, struct err *err)
{
    size_t length = strcspn(text, ":");
    uint64_t level = 0;

    for (size_t i = 0; i < COMPRESSION_COUNT; i++) {
        if (strlen(compressions[i].name) != length || strncmp(text, compressions[i].name, length) != 0)
            continue;
        if (text[length] &&
            (num_parse(text + length + 1, compressions[i].level_limit, &level) < 0 || level == 0))
            break;
        options->compression = (enum pack_compression)i;
        options->level = (unsigned)level;
        return 0;
    }
    return err_set(err, ERR_USAGE,
                   "\"%s\" is not a compression: zstd, zstd:1 to zstd:22, lz4, gzip, gzip:1 to gzip:9, xz or "
                   "xz:1 to xz:9",
                   text);
}

int packer_failed(struct packer *packer, int result, struct err *err)
{
    if (packer->output.failed)
        return err_set(err, ERR_OUTPUT, "the SquashFS file cannot be written: %s%s",
                       err_reason(packer->output.failed), err_way_out(packer->output.failed));
    switch (result) {
    case SQFS_ERROR_ALLOC:
        return err_set(err, ERR_NO_MEMORY, "no memory to write the SquashFS file");
    case SQFS_ERROR_OVERFLOW:
        return err_set(err, ERR_LAYER,
                       "the image is too large for SquashFS, or has more than 65536 user and group ids");
    default:
        return err_set(err, ERR_OUTPUT, "the SquashFS file cannot be written: libsquashfs fails with %d",
                       result);
    }
}

static struct packer *from_sink(struct flatten_sink *sink)
{
    return (struct packer *)sink;
}

static int begin_content(struct packer *packer, struct content *content, sqfs_u32 flags, struct err *err)
{
    int result = SQFS_ERROR_ALLOC;

    if (content)
        result = sqfs_block_processor_begin_file(packer->processor, &content->inode, NULL,
                                                 flags | SQFS_BLK_DONT_FRAGMENT);
    return result ? packer_failed(packer, result, err) : 0;
}

/*
 * Hands on the block that small files share. libsquashfs would do it from the single files,
 * each of which goes to a thread and back for that.
 */
static int flush_shared(struct packer *packer, struct err *err)
{
    struct content *content;
    int result;

    if (!packer->shared_handle)
        return 0;
    content = contents_get(packer->contents, packer->shared_handle);
    if (begin_content(packer, content,
                      SQFS_BLK_DONT_DEDUPLICATE | SQFS_BLK_DONT_HASH | SQFS_BLK_IGNORE_SPARSE, err) < 0)
        return -1;
    result = sqfs_block_processor_append(packer->processor, packer->shared, packer->shared_length);
    if (result == 0)
        result = sqfs_block_processor_end_file(packer->processor);
    packer->shared_length = 0;
    packer->shared_handle = 0;
    return result ? packer_failed(packer, result, err) : 0;
}

static int file_begin(struct flatten_sink *sink, uint64_t size, struct err *err)
{
    struct packer *packer = from_sink(sink);

    packer->left = size;
    packer->is_small = size < packer->block_size;
    if (packer->is_small) {
        packer->size = (uint32_t)size;
        packer->done = 0;
        return packer->shared_length + size > packer->block_size ? flush_shared(packer, err) : 0;
    }
    /* The end of a large file is a block of its own: then all of it can be compared with others. */
    return begin_content(packer, contents_add(packer->contents, &packer->handle), 0, err);
}

static int take(struct packer *packer, uint64_t length, struct err *err)
{
    if (length > packer->left)
        return err_set(err, ERR_LAYER, "a file has more bytes than it said");
    packer->left -= length;
    return 0;
}

static int file_append(struct flatten_sink *sink, const void *bytes, size_t length, struct err *err)
{
    struct packer *packer = from_sink(sink);
    int result;

    if (take(packer, length, err) < 0)
        return -1;
    if (packer->is_small) {
        memcpy(packer->shared + packer->shared_length + packer->done, bytes, length);
        packer->done += (uint32_t)length;
        return 0;
    }
    result = sqfs_block_processor_append(packer->processor, bytes, length);
    return result ? packer_failed(packer, result, err) : 0;
}

static int file_hole(struct flatten_sink *sink, uint64_t length, struct err *err)
{
    static const unsigned char zeros[64 * 1024];

    while (length) {
        size_t part = length < sizeof(zeros) ? (size_t)length : sizeof(zeros);

        if (file_append(sink, zeros, part, err) < 0)
            return -1;
        length -= part;
    }
    return 0;
}

/* A file of less than a block: stays in the shared one unless the same was stored before. */
static int end_small(struct packer *packer, uint64_t *handle, struct err *err)
{
    struct content *content, *block = NULL;

    if (contents_find(packer->contents, packer->shared + packer->shared_length, packer->size, handle) < 0)
        return packer_failed(packer, SQFS_ERROR_ALLOC, err);
    if (*handle)
        return 0;
    content = contents_add(packer->contents, handle);
    if (content && !packer->shared_handle)
        block = contents_add(packer->contents, &packer->shared_handle);
    if (!content || !packer->shared_handle)
        return packer_failed(packer, SQFS_ERROR_ALLOC, err);
    if (block)
        block->is_shared = 1;
    content->shared = packer->shared_handle;
    content->offset = packer->shared_length;
    content->length = packer->size;
    packer->shared_length += packer->size;
    return 0;
}

static int file_end(struct flatten_sink *sink, uint64_t *handle, struct err *err)
{
    struct packer *packer = from_sink(sink);
    int result;

    if (packer->left)
        return err_set(err, ERR_LAYER, "a file has fewer bytes than it said");
    if (packer->is_small)
        return end_small(packer, handle, err);
    *handle = packer->handle;
    result = sqfs_block_processor_end_file(packer->processor);
    return result ? packer_failed(packer, result, err) : 0;
}

/* Where the blocks that small files share have come to lie. 0 or an error. */
static int number_shared(struct packer *packer)
{
    for (uint64_t handle = 1; handle <= contents_count(packer->contents); handle++) {
        struct content *content = contents_get(packer->contents, handle);
        sqfs_u64 start = 0;
        sqfs_u32 index;
        int result;

        if (!content->is_shared)
            continue;
        sqfs_inode_get_file_block_start(content->inode, &start);
        result = sqfs_frag_table_append(packer->fragments, start, content->inode->extra[0], &index);
        if (result)
            return result;
        content->fragment = index + 1;
    }
    return 0;
}

/* Blocks that are still under way, then all that is not contents. */
static int finish(struct flatten_sink *sink, const struct flatten_tree *tree, struct err *err)
{
    struct packer *packer = from_sink(sink);
    int result;

    if (flush_shared(packer, err) < 0)
        return -1;
    result = sqfs_block_processor_finish(packer->processor);
    if (result == 0)
        result = number_shared(packer);
    return result ? packer_failed(packer, result, err) : tables_write(packer, tree, err);
}

static int check_options(const struct pack_options *options, struct err *err)
{
    uint32_t size = options->block_size;

    if (size && (size < SQFS_MIN_BLOCK_SIZE || size > SQFS_MAX_BLOCK_SIZE || (size & (size - 1))))
        return err_set(err, ERR_USAGE,
                       "a SquashFS has blocks of 4096 to 1048576 bytes, a power of two, not of %u", size);
    if (options->level > compressions[options->compression].level_limit)
        return err_set(err, ERR_USAGE, "%s has no level %u", compressions[options->compression].name,
                       options->level);
    return 0;
}

static int create_compressor(struct packer *packer, const struct pack_options *options)
{
    sqfs_compressor_config_t config;
    int result =
        sqfs_compressor_config_init(&config, compressions[options->compression].id, packer->block_size, 0);

    if (result)
        return result;
    if (compressions[options->compression].level)
        config.level = options->level ? options->level : compressions[options->compression].level;
    return sqfs_compressor_create(&config, &packer->compressor);
}

/* The superblock, not final yet, and what the compressor wants to have behind it. */
static int write_head(struct packer *packer, SQFS_COMPRESSOR id)
{
    sqfs_file_t *file = &packer->output.file;
    int result = sqfs_super_init(&packer->super, packer->block_size, 0, id);

    if (result == 0)
        result = sqfs_super_write(&packer->super, file);
    if (result == 0)
        result = packer->compressor->write_options(packer->compressor, file);
    if (result > 0) {
        packer->super.flags |= SQFS_FLAG_COMPRESSOR_OPTIONS;
        result = 0;
    }
    return result;
}

static unsigned thread_count(const struct pack_options *options)
{
    cpu_set_t set;
    int count = 1;

    if (options->threads)
        return options->threads < THREAD_LIMIT ? options->threads : THREAD_LIMIT;
    if (sched_getaffinity(0, sizeof(set), &set) == 0)
        count = CPU_COUNT(&set);
    return count < 1 ? 1 : (unsigned)count;
}

struct beginning {
    const sqfs_block_processor_desc_t *description;
    sqfs_block_processor_t **processor;
    int result;
};

static void *begin_nicely(void *data)
{
    struct beginning *beginning = data;

    setpriority(PRIO_PROCESS, 0,
                getpriority(PRIO_PROCESS, 0) + GIVE_WAY); /* of this thread alone, on Linux */
    beginning->result = sqfs_block_processor_create_ex(beginning->description, beginning->processor);
    return NULL;
}

/*
 * The threads that compress, which get the niceness of the one that starts them: they give way to the one
 * that inflates and flattens. Where processors are few that one would have a share as small as theirs, and
 * all wait for it.
 */
static int begin_processor(struct packer *packer, const sqfs_block_processor_desc_t *description)
{
    struct beginning beginning = {description, &packer->processor, 0};
    pthread_t thread;

    if (pthread_create(&thread, NULL, begin_nicely, &beginning) != 0)
        return sqfs_block_processor_create_ex(description, &packer->processor);
    pthread_join(thread, NULL);
    return beginning.result;
}

static int create_processor(struct packer *packer, const struct pack_options *options)
{
    unsigned threads = thread_count(options);
    size_t backlog = (size_t)threads * BLOCKS_EACH, limit = PACK_BACKLOG / packer->block_size;
    sqfs_block_processor_desc_t description = {
        .size = sizeof(description),
        .max_block_size = packer->block_size,
        .num_workers = threads,
        .max_backlog = (sqfs_u32)(backlog < limit ? backlog : limit),
        .cmp = packer->compressor,
    };

    packer->fragments = sqfs_frag_table_create(0);
    packer->writer = blocks_create(&packer->output);
    packer->contents = contents_create();
    packer->shared = malloc(packer->block_size);
    if (!packer->fragments || !packer->writer || !packer->contents || !packer->shared)
        return SQFS_ERROR_ALLOC;
    description.wr = packer->writer;
    description.tbl = packer->fragments;
    return begin_processor(packer, &description);
}

struct flatten_sink *pack_open(int fd, const struct pack_options *options, struct err *err)
{
    struct packer *packer;
    int result;

    if (check_options(options, err) < 0)
        return NULL;
    packer = calloc(1, sizeof(*packer));
    if (!packer) {
        err_set(err, ERR_NO_MEMORY, "no memory to write a SquashFS file");
        return NULL;
    }
    packer->sink = (struct flatten_sink){file_begin, file_append, file_hole, file_end, finish};
    packer->block_size = options->block_size ? options->block_size : DEFAULT_BLOCK_SIZE;
    image_file_init(&packer->output, fd);
    result = create_compressor(packer, options);
    if (result == 0)
        result = write_head(packer, compressions[options->compression].id);
    if (result == 0)
        result = create_processor(packer, options);
    if (result == 0)
        return &packer->sink;
    packer_failed(packer, result, err);
    pack_close(&packer->sink);
    return NULL;
}

void pack_close(struct flatten_sink *sink)
{
    struct packer *packer = sink ? from_sink(sink) : NULL;

    if (!packer)
        return;
    /*
     * Else blocks that wait to be compressed would be lost to free(3): libsquashfs 1.2. Where
     * writing fails it stops at each of them.
     */
    packer->output.is_lost = 1;
    for (int i = 0; packer->processor && i < FINISH_LIMIT; i++)
        if (sqfs_block_processor_finish(packer->processor) == 0)
            break;
    sqfs_destroy(packer->processor); /* first: its threads and blocks use the others */
    sqfs_destroy(packer->writer);
    sqfs_destroy(packer->fragments);
    sqfs_destroy(packer->compressor);
    contents_destroy(packer->contents);
    free(packer->shared);
    free(packer);
}
