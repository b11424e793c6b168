/* What is refused when an image is opened, and closing. */
#include <endian.h>

#include "image/superblock.h"
#include "made.h"

static char image[65536];
static size_t length;

static void read_image(const char *name)
{
    int fd = open(in_scratch(name), O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, image, sizeof(image));

    if (n <= 0)
        give_up(name);
    close(fd);
    length = (size_t)n;
}

/* Opens the first LENGTH bytes of the image with a number of SIZE bytes at AT put in. */
static int open_with(size_t kept, size_t at, size_t size, uint64_t value, struct err *err)
{
    char copy[sizeof(image)];
    int fd, result;

    value = htole64(value);
    memcpy(copy, image, sizeof(copy));
    memcpy(copy + at, &value, size);
    shell("rm -f changed");
    write_at("changed", 0, copy, kept);
    fd = open(in_scratch("changed"), O_RDONLY | O_CLOEXEC);
    result = squash_open(&squash, fd, 0, kept, err);
    squash_close(&squash);
    squash_close(&squash); /* once more does nothing */
    close(fd);
    return result;
}

static uint64_t root_of(const char *path)
{
    struct squash_node node;

    open_image("image");
    TAP_INT(find(path, &node), 1);
    close_image();
    return node.reference;
}

/* A number of SIZE bytes at AT, and what is said of it. */
static const struct {
    const char *what;
    size_t at, size;
    uint64_t value;
    enum err_id id;
    const char *text;
} rows[] = {
    {"no superblock's magic", 0, 4, 0, ERR_IMAGE_UNKNOWN, "it does not begin like a SquashFS"},
    {"lzma", 20, 2, 2, ERR_IMAGE_UNKNOWN,
     "it is compressed with lzma, which cannot be read; make it anew: mksquashfs DIRECTORY FILE -comp zstd"},
    {"more fragments than the file has", 16, 4, UINT32_MAX, ERR_IMAGE_DAMAGED, "its tables cannot be read"},
    {"more inodes than the file has", 4, 4, UINT32_MAX, ERR_IMAGE_DAMAGED, "its tables cannot be read"},
    {"an export table behind the end", 88, 8, 1 << 20, ERR_IMAGE_DAMAGED, "its tables cannot be read"},
    {"a root that is no inode", 32, 8, 0x1fff, ERR_IMAGE_DAMAGED, "its root directory cannot be read"},
    {"a root beyond a block", 32, 8, 0xffff, ERR_IMAGE_DAMAGED, "its root directory cannot be read"},
    {"another compressor", 20, 2, 4, ERR_IMAGE_DAMAGED, "its root directory cannot be read"},
};

static void test_refusals(void)
{
    struct err err;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap.row = rows[i].what;
        TAP_ERR(open_with(length, rows[i].at, rows[i].size, rows[i].value, &err), err, rows[i].id,
                rows[i].text);
    }
    tap.row = NULL;
    TAP_ERR(open_with(length, 32, 8, root_of("file"), &err), err, ERR_IMAGE_DAMAGED,
            "its root is not a directory");
    TAP_OK(open_with(length, 32, 8, root_of("directory"), &err), err);
}

/* Cut anywhere: always refused. */
static void test_cut(void)
{
    const uint64_t bytes = le64toh(*(const uint64_t *)(const void *)(image + 40));
    struct err err;
    int wrong = 0;

    TAP_ERR(open_with(SUPERBLOCK_SIZE - 1, 0, 0, 0, &err), err, ERR_IMAGE_DAMAGED,
            "it is cut off within its superblock");
    TAP_ERR(open_with(0, 0, 0, 0, &err), err, ERR_IMAGE_DAMAGED, "it is cut off within its superblock");
    TAP_ERR(open_with(SUPERBLOCK_SIZE, 0, 0, 0, &err), err, ERR_IMAGE_DAMAGED,
            "it is cut off: it should have");
    for (size_t kept = 0; kept < bytes; kept += 13)
        wrong += open_with(kept, 0, 0, 0, &err) != -1 || err.id != ERR_IMAGE_DAMAGED;
    TAP_INT(wrong, 0);
    TAP_OK(open_with((size_t)bytes, 0, 0, 0, &err), err);
}

static void test_unreadable(void)
{
    struct err err;
    int fd = open(in_scratch("image"), O_WRONLY | O_CLOEXEC);

    TAP_ERR(squash_open(&squash, fd, 0, length, &err), err, ERR_IMAGE_UNREADABLE, "it cannot be read: ");
    squash_close(&squash);
    close(fd);
    fd = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    TAP_ERR(squash_open(&squash, fd, 0, length, &err), err, ERR_IMAGE_UNREADABLE,
            "it cannot be read: is a directory");
    squash_close(&squash);
    close(fd);
}

int main(void)
{
    scratch_begin();
    make_directory("tree");
    make_directory("tree/directory");
    make_file("tree/file", "content of the file");
    make_image("image", "tree", "-comp gzip -nopad");
    read_image("image");
    test_refusals();
    test_cut();
    test_unreadable();
    return tap_done();
}
