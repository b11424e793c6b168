#include "image/superblock.h"

#include "../../tap.h"

/* Offsets in the superblock: struct squashfs_super_block of the kernel. */
enum {
    INODES = 4,
    BLOCK_SIZE = 12,
    FRAGMENTS = 16,
    COMPRESSOR = 20,
    BLOCK_LOG = 22,
    IDS = 26,
    MAJOR = 28,
    MINOR = 30,
    ROOT = 32,
    BYTES = 40,
    ID_TABLE = 48,
    XATTR_TABLE = 56,
    INODE_TABLE = 64,
    DIRECTORY_TABLE = 72,
    FRAGMENT_TABLE = 80,
};

enum { WHOLE = 10000 }; /* bytes of the file system below */

static void put(unsigned char *bytes, int at, int n, uint64_t value)
{
    for (int i = 0; i < n; i++, value >>= 8)
        bytes[at + i] = (unsigned char)value;
}

/* One that is good. */
static void fill(unsigned char bytes[SUPERBLOCK_SIZE])
{
    memset(bytes, 0, SUPERBLOCK_SIZE);
    memcpy(bytes, "hsqs", 4);
    put(bytes, INODES, 4, 7);
    put(bytes, BLOCK_SIZE, 4, 131072);
    put(bytes, FRAGMENTS, 4, 1);
    put(bytes, COMPRESSOR, 2, 6);
    put(bytes, BLOCK_LOG, 2, 17);
    put(bytes, IDS, 2, 1);
    put(bytes, MAJOR, 2, 4);
    put(bytes, ROOT, 8, 0x63ull << 16 | 0x20);
    put(bytes, BYTES, 8, WHOLE);
    put(bytes, ID_TABLE, 8, 9000);
    put(bytes, XATTR_TABLE, 8, SUPERBLOCK_NO_TABLE);
    put(bytes, INODE_TABLE, 8, 5000);
    put(bytes, DIRECTORY_TABLE, 8, 6000);
    put(bytes, FRAGMENT_TABLE, 8, 7000);
}

static void test_good(void)
{
    unsigned char bytes[SUPERBLOCK_SIZE];
    struct superblock superblock;
    struct err err;

    fill(bytes);
    TAP_OK(superblock_parse(&superblock, bytes, WHOLE, &err), err);
    TAP_INT(superblock.inodes, 7);
    TAP_INT(superblock.block_size, 131072);
    TAP_INT(superblock.fragments, 1);
    TAP_INT(superblock.compressor, 6);
    TAP_INT(superblock.ids, 1);
    TAP_INT(superblock.root, 0x630020);
    TAP_INT(superblock.bytes, WHOLE);
    TAP_INT(superblock.id_table, 9000);
    TAP_TRUE(superblock.xattr_table == SUPERBLOCK_NO_TABLE);
    TAP_INT(superblock.inode_table, 5000);
    TAP_INT(superblock.directory_table, 6000);
    TAP_INT(superblock.fragment_table, 7000);
    TAP_OK(superblock_parse(&superblock, bytes, UINT64_MAX, &err), err);
}

static void test_magic(void)
{
    TAP_TRUE(superblock_has_magic((const unsigned char *)"hsqs"));
    TAP_TRUE(!superblock_has_magic((const unsigned char *)"sqsh")); /* of a big-endian machine */
    TAP_TRUE(!superblock_has_magic((const unsigned char *)"hsq"));
}

static void test_compressors(void)
{
    static const char *const names[] = {NULL, "gzip", "lzma", "lzo", "xz", "lz4", "zstd", NULL};

    for (uint16_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const struct superblock superblock = {.compressor = i};

        TAP_STR(superblock_compressor(&superblock), names[i]);
    }
    TAP_STR(superblock_compressor(&(const struct superblock){.compressor = 65535}), NULL);
}

static void test_block_sizes(void)
{
    struct superblock superblock;
    unsigned char bytes[SUPERBLOCK_SIZE];
    struct err err;

    fill(bytes);
    for (unsigned log = 0; log < 32; log++) {
        put(bytes, BLOCK_SIZE, 4, 1ull << log);
        put(bytes, BLOCK_LOG, 2, log);
        if (log < 12 || log > 20)
            TAP_ERR(superblock_parse(&superblock, bytes, WHOLE, &err), err, ERR_IMAGE_DAMAGED,
                    "impossible block size");
        else
            TAP_OK(superblock_parse(&superblock, bytes, WHOLE, &err), err);
    }
}

/* A number of SIZE bytes at AT, and what is said of it; ERR_COUNT: nothing. */
static const struct row {
    const char *what;
    int at, size;
    uint64_t value;
    enum err_id id;
    const char *text;
} rows[] = {
    {"magic", 0, 4, 0x68737173, ERR_IMAGE_UNKNOWN, "it does not begin like a SquashFS"},
    {"version 3.1", MAJOR, 4, 1 << 16 | 3, ERR_IMAGE_UNKNOWN,
     "it is SquashFS version 3.1; only 4.0, which mksquashfs makes since 2009, can be run"},
    {"version 4.1", MINOR, 2, 1, ERR_IMAGE_UNKNOWN, "it is SquashFS version 4.1; only 4.0"},
    {"version 5.0", MAJOR, 2, 5, ERR_IMAGE_UNKNOWN, "it is SquashFS version 5.0; only 4.0"},
    {"compressor 0", COMPRESSOR, 2, 0, ERR_IMAGE_UNKNOWN, "compressed by a method of unknown number 0"},
    {"compressor 7", COMPRESSOR, 2, 7, ERR_IMAGE_UNKNOWN, "compressed by a method of unknown number 7"},
    {"lzma is known by name", COMPRESSOR, 2, 2, ERR_COUNT, NULL},
    {"block size 0", BLOCK_SIZE, 4, 0, ERR_IMAGE_DAMAGED, "its superblock gives an impossible block size"},
    {"block size odd", BLOCK_SIZE, 4, 131073, ERR_IMAGE_DAMAGED, "impossible block size"},
    {"block size against its log", BLOCK_SIZE, 4, 65536, ERR_IMAGE_DAMAGED, "impossible block size"},
    {"log above a word", BLOCK_LOG, 2, 32 + 17, ERR_IMAGE_DAMAGED, "impossible block size"},
    {"log of all bits", BLOCK_LOG, 2, 65535, ERR_IMAGE_DAMAGED, "impossible block size"},
    {"a byte short", BYTES, 8, WHOLE + 1, ERR_IMAGE_DAMAGED,
     "it is cut off: it should have 10001 bytes and has 10000; copy it again"},
    {"bytes of all bits", BYTES, 8, UINT64_MAX, ERR_IMAGE_DAMAGED,
     "it should have 18446744073709551615 bytes"},
    {"ends before its tables", BYTES, 8, 9000, ERR_IMAGE_DAMAGED, "its superblock points outside the file"},
    {"ends behind its tables", BYTES, 8, 9001, ERR_COUNT, NULL},
    {"ids in the superblock", ID_TABLE, 8, SUPERBLOCK_SIZE - 1, ERR_IMAGE_DAMAGED, "points outside the file"},
    {"ids behind the superblock", ID_TABLE, 8, SUPERBLOCK_SIZE, ERR_COUNT, NULL},
    {"ids in the last byte", ID_TABLE, 8, WHOLE - 1, ERR_COUNT, NULL},
    {"ids behind the end", ID_TABLE, 8, WHOLE, ERR_IMAGE_DAMAGED, "points outside the file"},
    {"ids of all bits", ID_TABLE, 8, UINT64_MAX, ERR_IMAGE_DAMAGED, "points outside the file"},
    {"inodes in the superblock", INODE_TABLE, 8, 95, ERR_IMAGE_DAMAGED, "points outside the file"},
    {"inodes behind the end", INODE_TABLE, 8, WHOLE, ERR_IMAGE_DAMAGED, "points outside the file"},
    {"inodes behind directories", INODE_TABLE, 8, 6001, ERR_IMAGE_DAMAGED, "points outside the file"},
    {"inodes where directories are", INODE_TABLE, 8, 6000, ERR_IMAGE_DAMAGED, "points outside the file"},
    {"directories behind the end", DIRECTORY_TABLE, 8, WHOLE, ERR_IMAGE_DAMAGED, "points outside the file"},
    {"directories in the last byte", DIRECTORY_TABLE, 8, WHOLE - 1, ERR_COUNT, NULL},
    {"fragments behind the end", FRAGMENT_TABLE, 8, WHOLE, ERR_IMAGE_DAMAGED, "points outside the file"},
    {"fragments in the superblock", FRAGMENT_TABLE, 8, 0, ERR_IMAGE_DAMAGED, "points outside the file"},
    {"attributes behind the end", XATTR_TABLE, 8, WHOLE, ERR_IMAGE_DAMAGED, "points outside the file"},
    {"attributes almost none", XATTR_TABLE, 8, UINT64_MAX - 1, ERR_IMAGE_DAMAGED, "points outside the file"},
    {"attributes within", XATTR_TABLE, 8, 8000, ERR_COUNT, NULL},
    {"no inodes", INODES, 4, 0, ERR_IMAGE_DAMAGED, "its superblock names no root directory"},
    {"no ids", IDS, 2, 0, ERR_IMAGE_DAMAGED, "names no root directory"},
    {"root in the last inode block", ROOT, 8, 999ull << 16, ERR_COUNT, NULL},
    {"root where directories begin", ROOT, 8, 1000ull << 16, ERR_IMAGE_DAMAGED, "names no root directory"},
    {"root of all bits", ROOT, 8, UINT64_MAX, ERR_IMAGE_DAMAGED, "names no root directory"},
};

static void test_fields(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        unsigned char bytes[SUPERBLOCK_SIZE];
        struct superblock superblock;
        struct err err;

        tap.row = rows[i].what;
        fill(bytes);
        put(bytes, rows[i].at, rows[i].size, rows[i].value);
        if (rows[i].id == ERR_COUNT)
            TAP_OK(superblock_parse(&superblock, bytes, WHOLE, &err), err);
        else
            TAP_ERR(superblock_parse(&superblock, bytes, WHOLE, &err), err, rows[i].id, rows[i].text);
    }
    tap.row = NULL;
}

/* Where there are no fragments nothing is said of where they would be. */
static void test_no_fragments(void)
{
    unsigned char bytes[SUPERBLOCK_SIZE];
    struct superblock superblock;
    struct err err;

    fill(bytes);
    put(bytes, FRAGMENTS, 4, 0);
    put(bytes, FRAGMENT_TABLE, 8, SUPERBLOCK_NO_TABLE);
    TAP_OK(superblock_parse(&superblock, bytes, WHOLE, &err), err);
}

int main(void)
{
    test_good();
    test_magic();
    test_compressors();
    test_block_sizes();
    test_fields();
    test_no_fragments();
    return tap_done();
}
