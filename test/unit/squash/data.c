/* Contents of files, of images made with every compressor and the block sizes at both ends. */
#include "made.h"

enum { PART = 128 * 1024 };

/* Bytes of a kind: 0 text, 1 noise, 2 runs, 3 repeats from far back, 4 zeros. */
static void fill(char *bytes, size_t length, unsigned kind)
{
    static uint32_t state = 1;

    for (size_t i = 0; i < length; i++) {
        state = state * 1664525 + 1013904223;
        switch (kind) {
        case 0:
            bytes[i] = "the quick brown fox "[(i + (state >> 30)) % 20];
            break;
        case 1:
            bytes[i] = (char)(state >> 24);
            break;
        case 2:
            bytes[i] = (char)(i / 700);
            break;
        case 3:
            bytes[i] = i < 40000 ? (char)(state >> 24) : bytes[i - 40000 + i % 3];
            break;
        default:
            bytes[i] = 0;
        }
    }
}

/* A file NAME of LENGTH bytes in which kinds take turns. */
static void make_mixed(const char *name, size_t length, unsigned kind)
{
    static char bytes[PART];

    for (size_t done = 0; done < length; done += PART) {
        size_t part = length - done < PART ? length - done : PART;

        fill(bytes, part, (kind + (unsigned)(done / PART)) % 5);
        write_at(name, (off_t)done, bytes, part);
    }
}

static const struct {
    const char *name;
    size_t length;
} files[] = {
    {"one", 1},        {"4095", 4095},    {"4096", 4096},    {"4097", 4097},      {"block", 131072},
    {"above", 131073}, {"below", 131071}, {"long", 1300000}, {"longer", 2097152}, {"zeros", 100000},
    {"text", 100000},  {"noise", 100000}, {"runs", 100000},  {"far", 100000},
};

static void make_tree(void)
{
    make_directory("tree");
    make_file("tree/empty", "");
    for (unsigned i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char name[64];

        snprintf(name, sizeof(name), "tree/%s", files[i].name);
        make_mixed(name, files[i].length, i);
        if (i % 4 == 0) { /* a duplicate, which shares its blocks */
            snprintf(name, sizeof(name), "tree/%s-again", files[i].name);
            make_mixed(name, files[i].length, i);
        }
    }
    shell("ln tree/long tree/long-link; truncate -s 300000 tree/hole; printf end >>tree/hole");
}

/* Reads SIZE bytes at OFFSET from the image and from the folder. Whether they are the same. */
static int is_same(const struct squash_node *node, int fd, uint64_t offset, size_t size)
{
    static char got[2 * 1024 * 1024], expected[sizeof(got)];
    int64_t n;

    memset(got, 0x5a, size);
    n = squash_read(&squash, node, offset, size, got);
    return n == pread(fd, expected, size, (off_t)offset) && n >= 0 && memcmp(got, expected, (size_t)n) == 0;
}

/* Compares the file PATH, in pieces of several sizes and around the edges of blocks. How many differ. */
static int compare(const char *path)
{
    static const size_t sizes[] = {131072, 1048576 + 7, 5003};
    char name[128];
    struct squash_node node;
    struct stat st;
    int fd, wrong = 0;

    snprintf(name, sizeof(name), "tree/%s", path);
    fd = open(in_scratch(name), O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0 || find(path, &node) != 1 ||
        node.inode.xtra.reg.file_size != (uint64_t)st.st_size) {
        close(fd);
        return 1;
    }
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        for (uint64_t at = 0; at <= (uint64_t)st.st_size; at += sizes[i])
            wrong += !is_same(&node, fd, at, sizes[i]);
    for (uint64_t edge = 4096; edge < (uint64_t)st.st_size; edge *= 2)
        wrong += !is_same(&node, fd, edge - 1, 2) + !is_same(&node, fd, edge, 1) +
                 !is_same(&node, fd, edge - 1, 1);
    wrong += !is_same(&node, fd, (uint64_t)st.st_size, 1) + !is_same(&node, fd, 1ull << 60, 4096);
    close(fd);
    return wrong;
}

static void compare_all(const char *options)
{
    int wrong;

    tap.row = options;
    make_image("image", "tree", options);
    open_image("image");
    wrong = compare("empty") + compare("hole") + compare("long-link");
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char again[64];

        wrong += compare(files[i].name);
        snprintf(again, sizeof(again), "%s-again", files[i].name);
        if (i % 4 == 0)
            wrong += compare(again);
    }
    TAP_INT(wrong, 0);
    close_image();
    tap.row = NULL;
}

static void test_compressors(void)
{
    static const char *const compressors[] = {"gzip", "lzo", "lz4", "xz", "zstd"};
    static const char *const blocks[] = {"-b 4K", "-b 128K", "-b 1M"};
    char options[128];

    for (size_t i = 0; i < sizeof(compressors) / sizeof(compressors[0]); i++)
        for (size_t j = 0; j < sizeof(blocks) / sizeof(blocks[0]); j++) {
            snprintf(options, sizeof(options), "-comp %s %s", compressors[i], blocks[j]);
            compare_all(options);
        }
}

static void test_layouts(void)
{
    static const char *const options[] = {
        "-comp zstd -no-fragments",
        "-comp zstd -always-use-fragments",
        "-comp zstd -noI -noD -noF -noX",
        "-comp lz4 -noD",
        "-comp lz4 -noF -always-use-fragments",
        "-comp zstd -no-sparse",
        "-comp zstd -no-duplicates",
        "-comp zstd -no-exports -nopad",
        "-comp gzip -b 4K -always-use-fragments -no-sparse",
        "-comp lzo -Xalgorithm lzo1x_1",
        "-comp xz -Xbcj x86",
    };

    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
        compare_all(options[i]);
}

static void test_offset(void)
{
    static const char front[5000] = "something in front";
    struct squash_node node;
    struct stat st;
    struct err err;
    char text[8];
    int fd;

    make_directory("tiny");
    make_file("tiny/file", "content");
    make_image("image", "tiny", "-comp zstd");
    shell("rm -f behind");
    write_at("behind", 0, front, sizeof(front));
    shell("cat image >>behind; echo something behind >>behind");
    fd = open(in_scratch("behind"), O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        give_up("behind");
    TAP_OK(squash_open(&squash, fd, sizeof(front), (uint64_t)st.st_size - sizeof(front), &err), err);
    TAP_INT(find("file", &node), 1);
    TAP_INT(squash_read(&squash, &node, 0, sizeof(text), text), 7);
    TAP_TRUE(memcmp(text, "content", 7) == 0);
    squash_close(&squash);
    close(fd);
}

/* What reading is asked of that is no file. */
static void test_no_file(void)
{
    struct squash_node node;
    char byte;

    open_image("image");
    TAP_INT(find("", &node), 1);
    errno = 0;
    TAP_INT(squash_read(&squash, &node, 0, 1, &byte), -1);
    TAP_INT(errno, EINVAL);
    close_image();
}

/* Where blocks of a file are is remembered every 1024 blocks, for 16 files. */
static void test_many_blocks(void)
{
    enum { FILES = 20, LENGTH = 12 * 1024 * 1024, STEP = 4096 * 37 };
    struct squash_node nodes[FILES];
    int wrong = 0;

    make_directory("many");
    for (int i = 0; i < FILES; i++) {
        char name[32];

        snprintf(name, sizeof(name), "many/%d", i);
        for (off_t at = 0; at < LENGTH; at += STEP)
            write_at(name, at, &(uint64_t){(uint64_t)i << 32 | (uint64_t)at}, 8);
        shell("truncate -s %d many/%d", LENGTH, i);
    }
    make_image("image", "many", "-comp lz4 -b 4K");
    open_image("image");
    for (int i = 0; i < FILES; i++) {
        char name[32];

        snprintf(name, sizeof(name), "%d", i);
        wrong += find(name, &nodes[i]) != 1;
    }
    for (int round = 0; round < 400; round++) {
        int i = round * 7 % FILES;
        uint64_t at = (uint64_t)(round * 131 % (LENGTH / STEP)) * STEP, value = 0;

        wrong +=
            squash_read(&squash, &nodes[i], at, 8, (char *)&value) != 8 || value != ((uint64_t)i << 32 | at);
    }
    TAP_INT(wrong, 0);
    close_image();
}

/* Beyond 4 GiB, with the far end read first. */
static void test_large(const char *options)
{
    static const uint64_t at[] = {9ull << 29, (1ull << 32) + 12345, (1ull << 32) - 4, 3ull << 30, 70000, 0};
    struct squash_node node;
    static char zeros[4096], bytes[4096];

    tap.row = options;
    make_image("image", "large", options);
    open_image("image");
    TAP_INT(find("file", &node), 1);
    TAP_TRUE(node.inode.xtra.reg.file_size == (9ull << 29) + 8);
    for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
        uint64_t value = 0;

        TAP_INT(squash_read(&squash, &node, at[i], sizeof(value), (char *)&value), sizeof(value));
        TAP_TRUE(value == at[i] + 1);
        TAP_INT(squash_read(&squash, &node, at[i] + 8, sizeof(bytes), bytes), i ? sizeof(bytes) : 0);
        TAP_TRUE(memcmp(bytes, zeros, sizeof(bytes)) == 0);
    }
    close_image();
    tap.row = NULL;
}

static void test_large_files(void)
{
    static const uint64_t at[] = {9ull << 29, (1ull << 32) + 12345, (1ull << 32) - 4, 3ull << 30, 70000, 0};

    make_directory("large");
    for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++)
        write_at("large/file", (off_t)at[i], &(uint64_t){at[i] + 1}, 8);
    test_large("-comp lz4 -b 1M");
}

int main(void)
{
    scratch_begin();
    make_tree();
    test_compressors();
    test_layouts();
    test_offset();
    test_no_file();
    test_many_blocks();
    test_large_files();
    return tap_done();
}
