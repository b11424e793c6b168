/* Layers become a SquashFS; libsquashfs itself reads it back. */
#include <fcntl.h>
#include <openssl/evp.h>
#include <sqfs/compressor.h>
#include <sqfs/data_reader.h>
#include <sqfs/dir_reader.h>
#include <sqfs/id_table.h>
#include <sqfs/inode.h>
#include <sqfs/io.h>
#include <sqfs/super.h>
#include <sqfs/xattr.h>
#include <sqfs/xattr_reader.h>
#include <sys/mman.h>
#include <time.h>

#include "pack/pack.h"
#include "test/unit/flatten/made.h"

enum { BLOCK = 4096, MANY = 20000 };

static struct arena arena;

/* Flattens LAYERS into a memory file. -1 with ERR. */
static int pack(const struct layer *layers, size_t count, const struct pack_options *options, struct err *err)
{
    struct flatten_request request = {.layers = layers, .layer_count = count};
    int fd = made_file();
    struct flatten_sink *sink = pack_open(fd, options, err);

    arena_init(&arena, tap_no_memory);
    if (!sink || flatten(&request, sink, NULL, &arena, err) < 0) {
        close(fd);
        fd = -1;
    }
    pack_close(sink);
    arena_free(&arena);
    return fd;
}

static const char *digest(int fd)
{
    static char text[8][2 * EVP_MAX_MD_SIZE + 1];
    static int next;
    char *out = text[next++ % 8];
    size_t size = (size_t)lseek(fd, 0, SEEK_END);
    unsigned char result[EVP_MAX_MD_SIZE];
    void *bytes = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);

    EVP_Digest(bytes, size, result, NULL, EVP_sha256(), NULL);
    munmap(bytes, size);
    for (int i = 0; i < 32; i++)
        sprintf(out + 2 * i, "%02x", result[i]);
    return out;
}

/* Small files, equal ones, large ones, large equal ones, holes: all that contents can be. */
static struct layer make_layer(void)
{
    static char content[40 * BLOCK];
    int fd = made_file();
    unsigned seed = 1;

    for (size_t i = 0; i < sizeof(content); i++) {
        seed = seed * 1103515245 + 12345;
        content[i] = (char)(i / BLOCK % 2 ? seed >> 24 : 'a' + seed % 2);
    }
    made_member(fd, '5', "d", "", "", 0);
    for (int i = 0; i < 60; i++) {
        char name[32];

        snprintf(name, sizeof(name), "d/%02d", i);
        /* Every third is equal to one before, 7 to 19 have several blocks. */
        made_member(fd, '0', name, "", content + (i % 3 ? i : i / 2) * 10, 1 + (size_t)(i % 20) * 700);
    }
    made_member(fd, '0', "large", "", content, sizeof(content) - 5);
    made_member(fd, '0', "again", "", content, sizeof(content) - 5);
    memset(content + 2 * BLOCK, 0, 20 * BLOCK);
    made_member(fd, '0', "hole", "", content, sizeof(content) - 5);
    memset(content, 0, sizeof(content));
    made_member(fd, '0', "zeros", "", content, sizeof(content) - 5);
    made_member(fd, '0', "few-zeros", "", content, 10);
    made_member(fd, '0', "empty", "", "", 0);
    made_member(fd, '1', "d/link", "large", "", 0);
    made_member(fd, '2', "symlink", "d/link", "", 0);
    made_pax(fd, "SCHILY.xattr.user.color=blue", 28);
    made_member(fd, '0', "colored", "", "x", 1);
    made_end(fd);
    return made_layer_of(fd);
}

static void check_threads(const char *name, struct pack_options options)
{
    static const unsigned threads[] = {1, 2, 8};
    struct layer layer = make_layer();
    struct err err = {0};
    const char *first = NULL;

    tap.row = name;
    for (size_t i = 0; i < 3; i++) {
        int fd;

        options.threads = threads[i];
        fd = pack(&layer, 1, &options, &err);
        TAP_OK(fd, err);
        if (fd < 0)
            break;
        if (first)
            TAP_STR(digest(fd), first);
        else
            first = digest(fd);
        close(fd);
    }
    tap.row = NULL;
    close(layer.fd);
}

/* What libsquashfs says about a file. */
struct reading {
    sqfs_file_t *file;
    sqfs_super_t super;
    sqfs_compressor_t *compressor;
    sqfs_id_table_t *ids;
    sqfs_dir_reader_t *directories;
    sqfs_data_reader_t *data;
    sqfs_xattr_reader_t *attributes;
};

static void read_back(struct reading *reading, int fd)
{
    sqfs_compressor_config_t config;
    char path[64];
    int bad;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    reading->file = sqfs_open_file(path, SQFS_FILE_OPEN_READ_ONLY);
    bad = sqfs_super_read(&reading->super, reading->file);
    sqfs_compressor_config_init(&config, (SQFS_COMPRESSOR)reading->super.compression_id,
                                reading->super.block_size, SQFS_COMP_FLAG_UNCOMPRESS);
    bad |= sqfs_compressor_create(&config, &reading->compressor);
    reading->ids = sqfs_id_table_create(0);
    bad |= sqfs_id_table_read(reading->ids, reading->file, &reading->super, reading->compressor);
    reading->directories = sqfs_dir_reader_create(&reading->super, reading->compressor, reading->file, 0);
    reading->data = sqfs_data_reader_create(reading->file, reading->super.block_size, reading->compressor, 0);
    bad |= sqfs_data_reader_load_fragment_table(reading->data, &reading->super);
    reading->attributes = sqfs_xattr_reader_create(0);
    bad |= sqfs_xattr_reader_load(reading->attributes, &reading->super, reading->file, reading->compressor);
    TAP_INT(bad, 0);
}

static void close_reading(struct reading *reading)
{
    sqfs_destroy(reading->attributes);
    sqfs_destroy(reading->data);
    sqfs_destroy(reading->directories);
    sqfs_destroy(reading->ids);
    sqfs_destroy(reading->compressor);
    sqfs_destroy(reading->file);
}

static sqfs_inode_generic_t *find(struct reading *reading, const char *path)
{
    sqfs_inode_generic_t *root = NULL, *inode = NULL;

    sqfs_dir_reader_get_root_inode(reading->directories, &root);
    sqfs_dir_reader_find_by_path(reading->directories, root, path, &inode);
    sqfs_free(root);
    return inode;
}

/* FNV-1a of the contents, as of what went in. */
static uint32_t sum(const void *bytes, size_t length)
{
    uint32_t hash = 2166136261U;

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ ((const unsigned char *)bytes)[i]) * 16777619U;
    return hash;
}

static uint32_t sum_of_file(struct reading *reading, const char *path, sqfs_u64 *size)
{
    sqfs_inode_generic_t *inode = find(reading, path);
    sqfs_s32 got = -1;
    uint32_t result;
    char *bytes;

    *size = 0;
    if (!inode || sqfs_inode_get_file_size(inode, size)) {
        sqfs_free(inode);
        return 0;
    }
    bytes = calloc(1, *size + 1);
    if (*size)
        got = sqfs_data_reader_read(reading->data, inode, 0, bytes, (sqfs_u32)*size);
    result = (sqfs_u64)got == *size || *size == 0 ? sum(bytes, *size) : 1;
    free(bytes);
    sqfs_free(inode);
    return result;
}

/* Each regular file of the tar LAYER is in the image as it was. */
static int compare_contents(struct reading *reading, const struct layer *layer)
{
    char *bytes = mmap(NULL, layer->size, PROT_READ, MAP_PRIVATE, layer->fd, 0);
    int compared = 0;

    for (size_t at = 0; at + 1024 < layer->size;) {
        const struct made_header *header = (const void *)(bytes + at);
        size_t length = strtoul(header->size, NULL, 8);
        sqfs_u64 size;

        at += MADE_BLOCK;
        if (header->type == '0') {
            if (sum_of_file(reading, header->name, &size) != sum(bytes + at, length) || size != length)
                printf("# %s differs\n", header->name);
            else
                compared++;
        }
        at += (length + MADE_BLOCK - 1) / MADE_BLOCK * MADE_BLOCK;
    }
    munmap(bytes, layer->size);
    return compared;
}

static void check_contents(const char *name, struct pack_options options)
{
    struct layer layer = make_layer();
    struct reading reading = {0};
    struct err err = {0};
    sqfs_inode_generic_t *inode, *other;
    int fd = pack(&layer, 1, &options, &err);
    sqfs_u64 place, other_place;
    sqfs_xattr_entry_t *attribute = NULL;
    sqfs_xattr_id_t description;
    sqfs_u32 index;

    tap.row = name;
    TAP_OK(fd, err);
    read_back(&reading, fd);
    TAP_INT(compare_contents(&reading, &layer), 67);
    TAP_INT(reading.super.modification_time, 01000);

    inode = find(&reading, "large");
    other = find(&reading, "again");
    sqfs_inode_get_file_block_start(inode, &place);
    sqfs_inode_get_file_block_start(other, &other_place);
    TAP_INT(place, other_place);
    TAP_INT(inode->data.file_ext.nlink, 2);
    TAP_TRUE(inode->base.inode_number != other->base.inode_number);
    sqfs_free(other);
    other = find(&reading, "d/link");
    TAP_INT(other->base.inode_number, inode->base.inode_number);
    sqfs_free(other);
    sqfs_free(inode);

    inode = find(&reading, "hole");
    TAP_TRUE(inode->base.type == SQFS_INODE_EXT_FILE && inode->data.file_ext.sparse >= 20 * BLOCK);
    sqfs_free(inode);

    inode = find(&reading, "colored");
    TAP_INT(sqfs_inode_get_xattr_index(inode, &index), 0);
    TAP_INT(sqfs_xattr_reader_get_desc(reading.attributes, index, &description), 0);
    TAP_INT(sqfs_xattr_reader_seek_kv(reading.attributes, &description), 0);
    TAP_INT(sqfs_xattr_reader_read_key(reading.attributes, &attribute), 0);
    TAP_STR(attribute ? (const char *)attribute->key : NULL, "user.color");
    sqfs_free(attribute);
    sqfs_free(inode);
    tap.row = NULL;
    close_reading(&reading);
    close(fd);
    close(layer.fd);
}

/* A table of what was written, not a look at all of it: 20,000 take a second, not a minute. */
static void check_many(void)
{
    int tar = made_file(), fd;
    struct pack_options options = {.compression = PACK_LZ4, .block_size = BLOCK};
    static char content[BLOCK];
    struct timespec before, after;
    struct err err = {0};
    struct layer layer;

    for (int i = 0; i < MANY; i++) {
        char name[32];

        snprintf(name, sizeof(name), "d%d/%d", i % 10, i);
        memcpy(content + i % 1000, &i, sizeof(i));
        made_member(tar, '0', name, "", content, BLOCK);
    }
    made_end(tar);
    layer = made_layer_of(tar);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    fd = pack(&layer, 1, &options, &err);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    TAP_OK(fd, err);
    printf("# %d files of a block: %.2f s of CPU\n", MANY,
           (double)(after.tv_sec - before.tv_sec) + (double)(after.tv_nsec - before.tv_nsec) / 1e9);
    close(fd);
    close(tar);
}

static void check_options(void)
{
    static const char *const bad[] = {"",      "zst",     "zstd:", "zstd:0", "zstd:23",
                                      "lz4:1", "gzip:10", "xz:-1", "lzo"};
    struct pack_options options = {0};
    struct err err = {0};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        tap.row = bad[i];
        TAP_ERR(pack_parse_compression(bad[i], &options, &err), err, ERR_USAGE, "is not a compression");
    }
    tap.row = NULL;
    TAP_OK(pack_parse_compression("zstd:19", &options, &err), err);
    TAP_INT(options.compression, PACK_ZSTD);
    TAP_INT(options.level, 19);
    options.block_size = 5000;
    TAP_TRUE(pack_open(0, &options, &err) == NULL && err.id == ERR_USAGE);
    options.block_size = 2 * 1024 * 1024;
    TAP_TRUE(pack_open(0, &options, &err) == NULL && err.id == ERR_USAGE);
}

/* /dev/full takes nothing: the reason is told. */
static void check_full(void)
{
    struct pack_options options = {.block_size = BLOCK};
    struct err err = {0};
    int fd = open("/dev/full", O_RDWR | O_CLOEXEC);

    TAP_TRUE(pack_open(fd, &options, &err) == NULL && err.id == ERR_OUTPUT);
    TAP_TRUE(strstr(err.text, "no space left") != NULL);
    close(fd);
}

int main(void)
{
    check_threads("zstd", (struct pack_options){.block_size = BLOCK});
    check_threads("lz4", (struct pack_options){.compression = PACK_LZ4, .block_size = BLOCK});
    check_contents("zstd, 4 KiB", (struct pack_options){.block_size = BLOCK, .threads = 2});
    check_contents("zstd:19, 8 KiB", (struct pack_options){.block_size = 2 * BLOCK, .level = 19});
    check_contents("lz4", (struct pack_options){.compression = PACK_LZ4, .block_size = BLOCK});
    check_contents("gzip", (struct pack_options){.compression = PACK_GZIP, .block_size = BLOCK});
    check_contents("xz", (struct pack_options){.compression = PACK_XZ, .block_size = BLOCK});
    check_many();
    check_options();
    check_full();
    return tap_done();
}
