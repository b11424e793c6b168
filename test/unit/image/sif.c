#include "image/sif.h"

#include "../../tap.h"

/* sylabs/sif, version 01: the global header and a descriptor. */
enum { MAGIC = 32, TOTAL = 88, TABLE = 96 };
enum { TYPE = 0, USED = 4, OFFSET = 17, LENGTH = 25, EXTRA = 201, KIND = 205 };

enum { ROOM = 1000000 };

static void put(unsigned char *bytes, int at, int n, uint64_t value)
{
    for (int i = 0; i < n; i++, value >>= 8)
        bytes[at + i] = (unsigned char)value;
}

static void test_magic(void)
{
    unsigned char bytes[SIF_HEADER_SIZE] = "#!/usr/bin/env run-singularity\n";

    TAP_TRUE(!sif_has_magic(bytes, sizeof(bytes)));
    memcpy(bytes + MAGIC, "SIF_MAGIC", 10);
    TAP_TRUE(sif_has_magic(bytes, sizeof(bytes)));
    TAP_TRUE(sif_has_magic(bytes, MAGIC + 10));
    TAP_TRUE(!sif_has_magic(bytes, MAGIC + 9)); /* with its zero byte */
    TAP_TRUE(!sif_has_magic(bytes, 0));
    bytes[MAGIC + 9] = '2';
    TAP_TRUE(!sif_has_magic(bytes, sizeof(bytes)));
}

/* A header of TOTAL descriptors at OFFSET in a file of ROOM. */
static const struct {
    const char *what;
    uint64_t total, offset, room;
    int is_good;
} headers[] = {
    {"usual", 48, 4096, ROOM, 1},
    {"none", 0, 0, 0, 1},
    {"none at the end", 0, ROOM, ROOM, 1},
    {"none behind the end", 0, ROOM + 1, ROOM, 0},
    {"fills the file", 2, ROOM - 2 * SIF_DESCRIPTOR_SIZE, ROOM, 1},
    {"a byte too many", 2, ROOM - 2 * SIF_DESCRIPTOR_SIZE + 1, ROOM, 0},
    {"as many as are read", SIF_DESCRIPTORS_LIMIT, 128, 1ull << 40, 1},
    {"more than are read", SIF_DESCRIPTORS_LIMIT + 1, 128, 1ull << 40, 0},
    {"a count above 32 bits", 1ull << 32, 128, 1ull << 40, 0},
    {"a count that would overflow", UINT64_MAX, 128, UINT64_MAX, 0},
    {"an offset of all bits", 1, UINT64_MAX, ROOM, 0},
    {"an offset that would overflow", 1, UINT64_MAX - 100, UINT64_MAX, 0},
};

static void test_headers(void)
{
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        unsigned char bytes[SIF_HEADER_SIZE] = {0};
        struct sif_table table;
        struct err err;

        tap.row = headers[i].what;
        put(bytes, TOTAL, 8, headers[i].total);
        put(bytes, TABLE, 8, headers[i].offset);
        if (headers[i].is_good) {
            TAP_OK(sif_read_header(&table, bytes, headers[i].room, &err), err);
            TAP_INT(table.count, headers[i].total);
            TAP_INT(table.offset, headers[i].offset);
        } else {
            TAP_ERR(sif_read_header(&table, bytes, headers[i].room, &err), err, ERR_IMAGE_DAMAGED,
                    "its SIF header points outside the file");
        }
    }
    tap.row = NULL;
}

/* The primary system partition: a SquashFS of 8192 bytes. */
static void fill(unsigned char bytes[SIF_DESCRIPTOR_SIZE])
{
    memset(bytes, 0, SIF_DESCRIPTOR_SIZE);
    put(bytes, TYPE, 4, 0x4004);
    bytes[USED] = 1;
    put(bytes, OFFSET, 8, 40960);
    put(bytes, LENGTH, 8, 8192);
    put(bytes, EXTRA, 4, 1);
    put(bytes, KIND, 4, 2);
}

static void test_partition(void)
{
    unsigned char bytes[SIF_DESCRIPTOR_SIZE];
    struct sif_partition partition = {0};
    struct err err;

    fill(bytes);
    TAP_INT(sif_read_descriptor(&partition, bytes, ROOM, &err), 1);
    TAP_INT(partition.offset, 40960);
    TAP_INT(partition.length, 8192);
    TAP_INT(sif_read_descriptor(&partition, bytes, 40960 + 8192, &err), 1);
    TAP_ERR(sif_read_descriptor(&partition, bytes, 40960 + 8191, &err), err, ERR_IMAGE_DAMAGED,
            "it is cut off: its file system ends behind the file");
    TAP_ERR(sif_read_descriptor(&partition, bytes, 40959, &err), err, ERR_IMAGE_DAMAGED, "it is cut off");
    put(bytes, LENGTH, 8, UINT64_MAX);
    TAP_ERR(sif_read_descriptor(&partition, bytes, ROOM, &err), err, ERR_IMAGE_DAMAGED, "it is cut off");
    put(bytes, OFFSET, 8, UINT64_MAX);
    put(bytes, LENGTH, 8, 1);
    TAP_ERR(sif_read_descriptor(&partition, bytes, ROOM, &err), err, ERR_IMAGE_DAMAGED, "it is cut off");
}

/* A number of SIZE bytes at AT that makes it something else, or a kind that is refused. */
static const struct {
    const char *what;
    int at, size;
    uint64_t value;
    const char *text; /* NULL: not looked at further */
} descriptors[] = {
    {"a signature", TYPE, 4, 0x4005, NULL},
    {"a definition file", TYPE, 4, 0x4001, NULL},
    {"not used", USED, 1, 0, NULL},
    {"another system partition", KIND, 4, 1, NULL},
    {"an overlay", KIND, 4, 4, NULL},
    {"ext3", EXTRA, 4, 2,
     "its file system is ext3, which only root can mount; rebuild it, or unpack it first: apptainer build "
     "--sandbox DIRECTORY FILE"},
    {"encrypted", EXTRA, 4, 5,
     "its file system is encrypted; decrypt it first: apptainer build --sandbox DIRECTORY FILE"},
    {"an archive", EXTRA, 4, 3, "its file system is not a SquashFS; rebuild it, or unpack it first"},
    {"a kind nobody knows", EXTRA, 4, 0xffffffff, "its file system is not a SquashFS"},
};

static void test_descriptors(void)
{
    for (size_t i = 0; i < sizeof(descriptors) / sizeof(descriptors[0]); i++) {
        unsigned char bytes[SIF_DESCRIPTOR_SIZE];
        struct sif_partition partition = {7, 7};
        struct err err;

        tap.row = descriptors[i].what;
        fill(bytes);
        put(bytes, descriptors[i].at, descriptors[i].size, descriptors[i].value);
        if (descriptors[i].text) {
            TAP_ERR(sif_read_descriptor(&partition, bytes, ROOM, &err), err, ERR_IMAGE_UNKNOWN,
                    descriptors[i].text);
        } else {
            TAP_INT(sif_read_descriptor(&partition, bytes, ROOM, &err), 0);
            TAP_INT(partition.offset, 7);
        }
    }
    tap.row = NULL;
}

int main(void)
{
    test_magic();
    test_headers();
    test_partition();
    test_descriptors();
    return tap_done();
}
