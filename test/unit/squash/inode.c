/* Every kind of file, its mode and its numbers; links. */
#include "made.h"

static void make_tree(void)
{
    make_directory("tree");
    make_directory("tree/directory");
    make_file("tree/file", "content");
    make_file("tree/other", "");
    shell("cd tree; ln file directory/again; chmod 4751 other; chmod 1777 directory; mkfifo -m 640 fifo");
    shell(
        "cd tree; ln -s file link; ln -s /absolute/../target link-absolute; touch -hd @1234567890 file link");
    shell("cd tree; ln -s $(printf '%%0252d/' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15) link-long");
    make_image("image", "tree", "-comp zstd -p 'null c 666 0 0 1 3' -p 'disk b 660 0 0 259 70000'");
}

static const struct {
    const char *path;
    unsigned mode;
    int links;
} rows[] = {
    {"", S_IFDIR | 0755, 3},       {"directory", S_IFDIR | 01777, 2}, {"file", S_IFREG | 0644, 2},
    {"other", S_IFREG | 04751, 1}, {"fifo", S_IFIFO | 0640, 1},       {"null", S_IFCHR | 0666, 1},
    {"disk", S_IFBLK | 0660, 1},   {"link", S_IFLNK | 0777, 1},
};

static void test_kinds(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct squash_node node;

        tap.row = rows[i].path;
        TAP_INT(find(rows[i].path, &node), 1);
        TAP_INT(node.inode.base.mode, rows[i].mode);
        TAP_INT(node.inode.nlink, rows[i].links);
    }
    tap.row = NULL;
}

static void test_numbers(void)
{
    struct squash_node node, again;

    TAP_INT(find("null", &node), 1);
    TAP_INT(node.inode.xtra.dev.major, 1);
    TAP_INT(node.inode.xtra.dev.minor, 3);
    TAP_INT(find("disk", &node), 1);
    TAP_INT(node.inode.xtra.dev.major, 259);
    TAP_INT(node.inode.xtra.dev.minor, 70000);
    TAP_INT(find("file", &node), 1);
    TAP_INT(node.inode.base.mtime, 1234567890);
    TAP_INT(node.inode.xtra.reg.file_size, 7);
    TAP_INT(find("directory/again", &again), 1);
    TAP_TRUE(node.reference == again.reference);
    TAP_INT(node.inode.base.inode_number, again.inode.base.inode_number);
}

/* The target of the link PATH with room for SIZE bytes, or NULL. */
static const char *target(const char *path, size_t size)
{
    static char text[PATH_MAX + 1];
    struct squash_node node;
    int64_t length;

    errno = 0;
    if (find(path, &node) != 1 || (length = squash_readlink(&squash, &node, text, size)) < 0)
        return NULL;
    text[length] = 0;
    return text;
}

static void test_links(void)
{
    const char *text;

    TAP_STR(target("link", PATH_MAX), "file");
    TAP_STR(target("link", 4), "file");
    TAP_STR(target("link", 3), NULL);
    TAP_INT(errno, EINVAL);
    TAP_STR(target("link-absolute", PATH_MAX), "/absolute/../target");
    text = target("link-long", PATH_MAX);
    TAP_INT(text ? (int)strlen(text) : -1, 15 * 253);
    TAP_STR(target("file", PATH_MAX), NULL);
    TAP_INT(errno, EINVAL);
    TAP_STR(target("directory", PATH_MAX), NULL);
    TAP_INT(errno, EINVAL);
}

/* References that no directory has given. None of them may do more than fail. */
static void test_references(void)
{
    static const uint64_t beyond[] = {0x1fff,     0xffff,     1ull << 16, 1ull << 40,
                                      1ull << 47, 1ull << 63, UINT64_MAX};
    struct squash_node node;
    int good = 0, bad = 0;

    for (size_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++) {
        errno = 0;
        TAP_INT(squash_node(&squash, beyond[i], &node), -1);
        TAP_INT(errno, EIO);
    }
    for (uint64_t reference = 0; reference < 0x400; reference++)
        if (squash_node(&squash, reference, &node) == 0)
            good++;
        else
            bad++;
    printf("# %d references name something, %d nothing\n", good, bad);
    TAP_TRUE(good >= 10 && bad >= 10);
}

int main(void)
{
    scratch_begin();
    make_tree();
    open_image("image");
    test_kinds();
    test_numbers();
    test_links();
    test_references();
    close_image();
    return tap_done();
}
