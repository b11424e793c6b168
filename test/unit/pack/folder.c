/* Layers become a directory. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/xattr.h>

#include "base/remove.h"
#include "pack/folder.h"
#include "test/unit/flatten/made.h"

static struct arena arena;
static char place[] = "/tmp/coracle-test-XXXXXX";
static int top;

static int make(const struct layer *layers, size_t count, const char *path, struct err *err)
{
    struct flatten_request request = {.layers = layers, .layer_count = count};
    struct flatten_sink *sink = folder_open(top, path, err);
    int result = -1;

    arena_init(&arena, tap_no_memory);
    if (sink)
        result = flatten(&request, sink, NULL, &arena, err);
    folder_close(sink);
    arena_free(&arena);
    return result;
}

/* How many names the test's directory has. */
static int names(void)
{
    DIR *dir = opendir(place);
    int count = -2;

    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

static const char *content(const char *path)
{
    static char text[256];
    int fd = openat(top, path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

    close(fd);
    text[n < 0 ? 0 : n] = '\0';
    return n < 0 ? NULL : text;
}

static struct stat status(const char *path)
{
    struct stat result = {0};

    fstatat(top, path, &result, AT_SYMLINK_NOFOLLOW);
    return result;
}

static void member_with_mode(int fd, char type, const char *name, const char *mode)
{
    struct made_header header = made_header(type, name, "", 0);

    strcpy(header.mode, mode);
    made_seal(&header);
    made_write(fd, &header, sizeof(header));
}

static void check_tree(void)
{
    struct layer layers[] = {
        made_layer("d:d f:d/a=1 h:b>d/a l:l>/etc/passwd h:l2>l p:q d:d/e f:d/e/x=2 f:empty"),
        made_layer("f:l/x=3 w:d/e")};
    struct err err = {0};

    /* The link's target is within the tree: nothing of ours is touched. */
    TAP_OK(make(layers, 2, "out", &err), err);
    TAP_INT(names(), 1);
    TAP_STR(content("out/d/a"), "1");
    TAP_STR(content("out/b"), "1");
    TAP_STR(content("out/etc/passwd/x"), "3");
    TAP_STR(content("out/empty"), "");
    TAP_STR(content("out/d/e/x"), NULL);
    TAP_INT(status("out/d/a").st_nlink, 2);
    TAP_INT(status("out/d/a").st_ino, status("out/b").st_ino);
    TAP_INT(status("out/l").st_ino, status("out/l2").st_ino);
    TAP_INT(status("out/d/a").st_mode, S_IFREG | 0640);
    TAP_INT(status("out/d").st_mode, S_IFDIR | 0750);
    TAP_INT(status("out/d").st_mtime, 01000);
    TAP_INT(status("out/b").st_mtime, 01000);
    TAP_INT(status("out/l").st_mtime, 01000);
    TAP_TRUE(S_ISFIFO(status("out/q").st_mode));
    TAP_INT(status("out/d/a").st_uid, getuid());

    TAP_ERR(make(layers, 2, "out", &err), err, ERR_OUTPUT, "out exists already");
    TAP_STR(content("out/b"), "1");
    TAP_INT(names(), 1);
    remove_tree(top, "out");
    close(layers[0].fd);
    close(layers[1].fd);
}

static void check_modes(void)
{
    int fd = made_file();
    struct layer layer;
    struct err err = {0};

    member_with_mode(fd, '5', ".", "0000555");
    member_with_mode(fd, '5', "closed", "0000000");
    made_member(fd, '0', "closed/x", "", "1", 1);
    member_with_mode(fd, '0', "nothing", "0000000");
    member_with_mode(fd, '0', "su", "0006755");
    member_with_mode(fd, '5', "tmp", "0001777");
    made_pax(fd, "SCHILY.xattr.user.color=blue", 28);
    made_member(fd, '0', "colored", "", "x", 1);
    made_end(fd);
    layer = made_layer_of(fd);
    TAP_OK(make(&layer, 1, "./out/", &err), err);
    TAP_INT(names(), 1);
    TAP_INT(status("out").st_mode, S_IFDIR | 0555);
    TAP_INT(status("out/closed").st_mode, S_IFDIR);
    TAP_INT(status("out/nothing").st_mode, S_IFREG);
    TAP_INT(status("out/su").st_mode, S_IFREG | 0755);
    TAP_INT(status("out/tmp").st_mode, S_IFDIR | 01777);
    fchmodat(top, "out/closed", 0700, 0);
    TAP_INT(status("out/closed/x").st_size, 1);
    remove_tree(top, "out");
    close(fd);
}

/* After a failure at any place nothing is left. */
static void check_failures(void)
{
    static const char *const bad[] = {"f:a=1 h:b>c", "f:a=1 l:b>b f:b/c=1", "f:.wh..=", "d:d f:d/a=1 f:.=1"};
    static const char *const places[] = {"", "/", "..", "a/..", "missing/out"};
    struct err err = {0};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct layer layer = made_layer(bad[i]);

        tap.row = bad[i];
        TAP_ERR(make(&layer, 1, "out", &err), err, ERR_LAYER, "layer 1 of 1");
        TAP_INT(names(), 0);
        close(layer.fd);
    }
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        struct layer layer = made_layer("f:a=1");

        tap.row = places[i];
        TAP_ERR(make(&layer, 1, places[i], &err), err, ERR_OUTPUT, "");
        TAP_INT(names(), 0);
        close(layer.fd);
    }
    tap.row = NULL;
}

/* Directories in each other, as deep as may be: one descriptor is enough. */
static void check_depth(void)
{
    char name[FLATTEN_PATH_LIMIT + 1] = "";
    int fd = made_file();
    struct layer layer;
    struct err err = {0};

    for (int i = 0; i < 2040; i++)
        strcat(name, "a/");
    {
        char record[FLATTEN_PATH_LIMIT + 16], text[FLATTEN_PATH_LIMIT + 32];
        int length = snprintf(record, sizeof(record), "path=%sx", name);

        length = snprintf(text, sizeof(text), "%d %s\n", length + 6, record);
        made_member(fd, 'x', "pax", "", text, (size_t)length);
    }
    made_member(fd, '0', "x", "", "1", 1);
    made_end(fd);
    layer = made_layer_of(fd);
    TAP_OK(make(&layer, 1, "out", &err), err);
    TAP_INT(remove_tree(top, "out"), 0);
    close(fd);
}

int main(void)
{
    if (!mkdtemp(place))
        return 1;
    top = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    check_tree();
    check_modes();
    check_failures();
    check_depth();
    close(top);
    rmdir(place);
    return tap_done();
}
