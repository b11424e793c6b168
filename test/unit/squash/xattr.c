/* Extended attributes, where the file system of the test keeps them. */
#include <sys/xattr.h>

#include "made.h"

static char large[2000];

static void set(const char *path, const char *name, const char *value, size_t length)
{
    if (setxattr(in_scratch(path), name, value, length, 0) < 0)
        give_up(name);
}

/* Makes user.hidden a trusted attribute, which only root could give to a file. */
static void hide(void)
{
    static const char user[] = "\0\0\6\0hidden", trusted[] = "\1";
    static char bytes[1024 * 1024];
    FD_CLEANUP int fd = open(in_scratch("image"), O_RDONLY | O_CLOEXEC);
    ssize_t length = read(fd, bytes, sizeof(bytes));
    const char *at = length > 0 ? memmem(bytes, (size_t)length, user, sizeof(user) - 1) : NULL;

    if (!at)
        give_up("an attribute is not where it is expected");
    write_at("image", at - bytes, trusted, 1);
}

static void make_tree(void)
{
    make_directory("tree");
    make_directory("tree/directory");
    make_file("tree/file", "content");
    make_file("tree/plain", "");
    if (setxattr(in_scratch("tree/file"), "user.short", "value", 5, 0) < 0 && errno == ENOTSUP) {
        puts("1..0 # SKIP the file system of the temporary folder keeps no attributes");
        exit(EXIT_SUCCESS);
    }
    memset(large, 'x', sizeof(large));
    set("tree/file", "user.short", "value", 5);
    set("tree/file", "user.empty", "", 0);
    set("tree/file", "user.zero", "a\0b", 3);
    set("tree/file", "user.large", large, sizeof(large));
    set("tree/directory", "user.large", large, sizeof(large)); /* is kept once: the other points to it */
    set("tree/directory", "user.of a directory", "1", 1);
    set("tree/file", "user.hidden", "1", 1);
    /* Enough files that the lists and the table take more than a block. */
    make_directory("tree/many");
    for (int i = 0; i < 600; i++) {
        char path[64], value[64];

        snprintf(path, sizeof(path), "tree/many/%d", i);
        snprintf(value, sizeof(value), "a value of its own, number %d", i);
        make_file(path, "");
        set(path, "user.number", value, strlen(value));
    }
    make_image("image", "tree", "-comp zstd -noX");
    hide();
}

/* The value of NAME, as text; "-" and the error's number where there is none. */
static const char *get(const char *path, const char *name, size_t size)
{
    static char value[4096];
    struct squash_node node;
    int64_t length;

    if (find(path, &node) != 1)
        return "no such file";
    errno = 0;
    length = squash_getxattr(&squash, &node, name, value, size);
    if (length < 0)
        return errno == ENODATA ? "-ENODATA" : errno == ERANGE ? "-ERANGE" : "-other";
    value[size ? length : 0] = 0;
    if (!size)
        snprintf(value, sizeof(value), "%d", (int)length);
    return value;
}

static void test_values(void)
{
    TAP_STR(get("file", "user.short", 100), "value");
    TAP_STR(get("file", "user.short", 5), "value");
    TAP_STR(get("file", "user.short", 4), "-ERANGE");
    TAP_STR(get("file", "user.short", 0), "5");
    TAP_STR(get("file", "user.empty", 100), "");
    TAP_STR(get("file", "user.empty", 0), "0");
    TAP_STR(get("file", "user.zero", 0), "3");
    TAP_STR(get("file", "user.shor", 100), "-ENODATA");
    TAP_STR(get("file", "user.short.", 100), "-ENODATA");
    TAP_STR(get("file", "short", 100), "-ENODATA");
    TAP_STR(get("file", "", 100), "-ENODATA");
    TAP_STR(get("file", "trusted.hidden", 100), "-ENODATA");
    TAP_STR(get("file", "hidden", 100), "-ENODATA");
    TAP_STR(get("plain", "user.short", 100), "-ENODATA");
    TAP_STR(get("", "user.short", 100), "-ENODATA");
    TAP_STR(get("directory", "user.of a directory", 100), "1");
}

/* One of the two is kept with its file, the other elsewhere. */
static void test_large_value(void)
{
    static const char *const paths[] = {"file", "directory"};

    for (size_t i = 0; i < 2; i++) {
        const char *value = get(paths[i], "user.large", sizeof(large));

        TAP_TRUE(strlen(value) == sizeof(large) && memcmp(value, large, sizeof(large)) == 0);
        TAP_STR(get(paths[i], "user.large", 0), "2000");
        TAP_STR(get(paths[i], "user.large", sizeof(large) - 1), "-ERANGE");
    }
}

static int has_name(const char *names, int64_t length, const char *name)
{
    for (const char *at = names; at < names + length; at += strlen(at) + 1)
        if (strcmp(at, name) == 0)
            return 1;
    return 0;
}

static void test_names(void)
{
    static const char *const all[] = {"user.short", "user.empty", "user.zero", "user.large"};
    const int64_t whole = 11 + 11 + 10 + 11;
    struct squash_node node;
    char names[256];
    int64_t length;

    TAP_INT(find("file", &node), 1);
    TAP_INT(squash_listxattr(&squash, &node, names, 0), whole);
    length = squash_listxattr(&squash, &node, names, (size_t)whole);
    TAP_INT(length, whole);
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        TAP_TRUE(has_name(names, length, all[i]));
    errno = 0;
    TAP_INT(squash_listxattr(&squash, &node, names, (size_t)whole - 1), -1);
    TAP_INT(errno, ERANGE);
    TAP_INT(find("plain", &node), 1);
    TAP_INT(squash_listxattr(&squash, &node, names, sizeof(names)), 0);
    TAP_INT(squash_listxattr(&squash, &node, names, 0), 0);
}

static void test_many(void)
{
    int wrong = 0;

    for (int i = 0; i < 600; i++) {
        char path[64], value[64];

        snprintf(path, sizeof(path), "many/%d", i);
        snprintf(value, sizeof(value), "a value of its own, number %d", i);
        wrong += strcmp(get(path, "user.number", 100), value) != 0;
    }
    TAP_INT(wrong, 0);
}

/* An image that has none at all. */
static void test_none(void)
{
    struct squash_node node;
    char names[8];

    make_image("none", "tree", "-comp zstd -no-xattrs");
    open_image("none");
    TAP_INT(squash.has_xattrs, 0);
    TAP_STR(get("file", "user.short", 100), "-ENODATA");
    TAP_INT(find("file", &node), 1);
    TAP_INT(squash_listxattr(&squash, &node, names, sizeof(names)), 0);
    close_image();
}

int main(void)
{
    scratch_begin();
    make_tree();
    open_image("image");
    TAP_INT(squash.has_xattrs, 1);
    test_values();
    test_large_value();
    test_names();
    test_many();
    close_image();
    test_none();
    return tap_done();
}
