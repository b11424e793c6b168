#include "layout/source.h"

#include "made.h"

static struct source source;

static int open_source(const char *path, int is_archive)
{
    return source_open(&source, path, is_archive, &arena, &err);
}

/* The bytes of NAME, or the error, or "none". */
static const char *read_name(const char *name)
{
    const char *bytes = NULL;
    size_t length = 0;
    int found = source_read(&source, name, 16, &bytes, &length);

    if (found <= 0)
        return found ? err.text : "none";
    return strlen(bytes) == length ? bytes : "another length";
}

/* The same by source_find(). */
static const char *find_name(const char *name)
{
    char bytes[17] = "";
    struct extent extent;
    int found = source_find(&source, name, &extent);

    if (found <= 0)
        return found ? err.text : "none";
    if (extent.size > 16 || pread(extent.fd, bytes, (size_t)extent.size, (off_t)extent.offset) < 0)
        made_fail(name);
    return arena_strdup(&arena, bytes);
}

static const struct made files = {{{"a", "A", 1, '0', ""},
                                   {"d/e/f", "DEF", 3, '0', ""},
                                   {"long", "01234567890123456", 17, '0', ""},
                                   {"link", "", 0, '2', "a"},
                                   {"d/link", "", 0, '2', "e"}},
                                  5};

static void test_both(int is_archive)
{
    TAP_OK(open_source(is_archive ? made_archive(&files) : made_directory(&files), is_archive), err);
    tap.row = is_archive ? "archive" : "directory";
    TAP_STR(read_name("a"), "A");
    TAP_STR(read_name("d/e/f"), "DEF");
    TAP_STR(find_name("d/e/f"), "DEF");
    TAP_STR(read_name("none"), "none");
    TAP_STR(find_name("d/none/f"), "none");
    TAP_STR(read_name("long"), "long has 17 bytes, and 16 is the limit");
    TAP_STR(find_name("d/e"), is_archive ? "none" : "d/e is no regular file");
    tap.row = NULL;
}

/* In a directory no link is followed, at its end or on the way. */
static void test_links(void)
{
    static const char *const rows[][2] = {
        {"link", "a part of link is a symbolic link, which is not followed, or no directory"},
        {"d/link/f", "a part of d/link/f is a symbolic link"},
        {"a/b", "a part of a/b is a symbolic link, which is not followed, or no directory"},
    };

    TAP_OK(open_source(made_directory(&files), 0), err);
    for (size_t i = 0; i < 3; i++) {
        TAP_TRUE(strstr(read_name(rows[i][0]), rows[i][1]) != NULL);
        TAP_TRUE(strstr(find_name(rows[i][0]), rows[i][1]) != NULL);
    }
    source_close(&source);
}

/* What would block whoever opens it. */
static void test_fifo(void)
{
    const char *directory = made_directory(&files), *fifo = made_path("fifo");

    if (mkfifo(arena_join(&arena, directory, "/fifo", NULL), 0600) < 0 || mkfifo(fifo, 0600) < 0)
        made_fail("mkfifo");
    TAP_OK(open_source(directory, 0), err);
    TAP_STR(read_name("fifo"), "fifo is no regular file");
    source_close(&source);
    TAP_ERR(open_source(fifo, 1), err, ERR_IMAGE_UNKNOWN, "it is no regular file");
    source_close(&source);
}

static void test_bad_path(void)
{
    const char *directory = made_directory(&files), *archive = made_archive(&files);

    TAP_ERR(open_source("/nonexistent", 0), err, ERR_IMAGE_MISSING, "there is no directory /nonexistent");
    source_close(&source);
    TAP_ERR(open_source("/nonexistent", 1), err, ERR_IMAGE_MISSING, "there is no file /nonexistent");
    source_close(&source);
    TAP_ERR(open_source(archive, 0), err, ERR_IMAGE_UNKNOWN,
            "is no directory; archives are oci-archive: and");
    source_close(&source);
    TAP_ERR(open_source(directory, 1), err, ERR_IMAGE_UNKNOWN,
            "is a directory; a layout in a directory is oci:");
    source_close(&source);
    if (geteuid() != 0) { /* root may open anything */
        if (chmod(archive, 0) < 0)
            made_fail(archive);
        TAP_ERR(open_source(archive, 1), err, ERR_IMAGE_UNREADABLE, "cannot be opened: permission denied");
        source_close(&source);
    }
}

/* Closing twice is as good as once, and leaves nothing open. */
static void test_close(void)
{
    int before = dup(0), after;

    close(before);
    TAP_OK(open_source(made_directory(&files), 0), err);
    TAP_STR(find_name("a"), "A");
    TAP_STR(find_name("d/e/f"), "DEF");
    TAP_STR(read_name("a"), "A");
    source_close(&source);
    source_close(&source);
    after = dup(0);
    close(after);
    TAP_INT(after, before);
}

int main(void)
{
    made_begin();
    test_both(0);
    source_close(&source);
    test_both(1);
    source_close(&source);
    test_links();
    test_fifo();
    test_bad_path();
    test_close();
    made_end();
    return tap_done();
}
