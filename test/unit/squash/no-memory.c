/*
 * Each allocation fails once while an image is opened and read: it is said, and
 * nothing is freed twice, used later or lost. The linker gives the calls of the
 * library and of the decoders to us.
 */
#include "made.h"

static int left = -1; /* so many allocations succeed, then one fails; negative: all succeed */
static int failed;

static int fails(void)
{
    if (left < 0 || left-- > 0)
        return 0;
    failed++;
    errno = ENOMEM;
    return 1;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fails() ? NULL : __real_realloc(memory, size);
}

/* Allocations that the library's own opening takes. It frees twice where one of the later ones fails. */
static int count_init(int fd)
{
    const int many = 1000000;
    int count;
    sqfs fs;

    left = many;
    if (sqfs_init(&fs, fd, 0) != SQFS_OK)
        give_up("sqfs_init");
    count = many - left;
    left = -1;
    sqfs_destroy(&fs);
    return count;
}

/* Reads a bit of everything. 0, or -1 where anything has failed. */
static int read_all(void)
{
    static char bytes[8192];
    struct squash_entries entries;
    struct squash_entry entry;
    struct squash_node node;
    int more, result = 0;

    if (find("deeper", &node) != 1 || squash_entries(&squash, &node, 0, &entries) < 0)
        return -1;
    while ((more = squash_next(&squash, &entries, &entry)) > 0)
        result |= squash_node(&squash, entry.reference, &node) < 0;
    result |= more < 0;
    if (find("deeper/file", &node) != 1)
        return -1;
    result |= squash_read(&squash, &node, 4096 * 1500, sizeof(bytes), bytes) != sizeof(bytes);
    result |= squash_read(&squash, &node, 0, sizeof(bytes), bytes) != sizeof(bytes);
    if (find("small", &node) != 1 || squash_read(&squash, &node, 0, sizeof(bytes), bytes) != 5)
        return -1;
    return result ? -1 : 0;
}

/* One opening and reading in which allocation NUMBER fails. Whether it was told as it should be. */
static int is_told(int fd, uint64_t length, int number)
{
    struct err err;
    int result, before = failed;

    left = number;
    result = squash_open(&squash, fd, 0, length, &err);
    if (result < 0 && left < 0) {
        squash_close(&squash);
        return err.id == ERR_NO_MEMORY || err.id == ERR_IMAGE_DAMAGED;
    }
    errno = 0;
    result = read_all();
    left = -1;
    /* What failed once is read again. */
    if (result < 0 && read_all() < 0)
        result = 1;
    squash_close(&squash);
    return failed == before ? result == 0 : result <= 0;
}

static void test_each(void)
{
    FD_CLEANUP int fd = open(in_scratch("image"), O_RDONLY | O_CLOEXEC);
    struct stat st;
    int number, wrong = 0;

    if (fd < 0 || fstat(fd, &st) < 0)
        give_up("image");
    for (number = count_init(fd); number < 100000; number++) {
        int before = failed;

        wrong += !is_told(fd, (uint64_t)st.st_size, number);
        if (failed == before)
            break;
    }
    printf("# %d allocations failed\n", failed);
    TAP_INT(wrong, 0);
    TAP_TRUE(failed > 20);
}

int main(int argc, char **argv)
{
    const char *compressor = argc > 1 ? argv[1] : "zstd";
    char options[64];

    scratch_begin();
    make_directory("tree");
    make_directory("tree/deeper");
    make_file("tree/small", "small");
    make_file("tree/deeper/file", "in front");
    write_at("tree/deeper/file", 4096 * 1500 + 10, "far behind", 10);
    shell("truncate -s 7M tree/deeper/file");
    snprintf(options, sizeof(options), "-b 4K -comp %s", compressor);
    make_image("image", "tree", options);
    test_each();
    return tap_done();
}
