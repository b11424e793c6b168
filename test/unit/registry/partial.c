#include "registry/partial.h"

#include "scratch.h"
#include "../../tap.h"

static struct err err;
static int directory;

static int open_part(struct partial *partial)
{
    return partial_open(partial, directory, "b", &arena, &err);
}

static void test_names(void)
{
    char name[NAME_MAX + 1] = "";

    TAP_TRUE(partial_is_name("sha256-00"));
    TAP_TRUE(!partial_is_name(""));
    TAP_TRUE(!partial_is_name("."));
    TAP_TRUE(!partial_is_name(".."));
    TAP_TRUE(!partial_is_name("../x"));
    TAP_TRUE(!partial_is_name("a/b"));
    memset(name, 'x', NAME_MAX - 25);
    TAP_TRUE(partial_is_name(name));
    memset(name, 'x', NAME_MAX - 24);
    TAP_TRUE(!partial_is_name(name));
}

static void test_grows(void)
{
    struct partial partial;
    int fd;

    TAP_OK(open_part(&partial), err);
    TAP_STR(partial.file, "b.partial");
    TAP_INT(partial.size, 0);
    TAP_OK(partial_add(&partial, "abc", 3, &arena, &err), err);
    partial_close(&partial, 0);
    TAP_OK(open_part(&partial), err);
    TAP_INT(partial.size, 3);
    TAP_OK(partial_add(&partial, "def", 3, &arena, &err), err);
    fd = partial_finish(&partial, &arena, &err);
    TAP_TRUE(fd >= 0 && partial.fd < 0);
    partial_close(&partial, 1);
    TAP_STR(scratch_read(scratch_path("b")), "abcdef");
    TAP_STR(scratch_read(scratch_path("b.partial")), NULL);
    close(fd);
    TAP_OK(open_part(&partial), err);
    TAP_OK(partial_add(&partial, "x", 1, &arena, &err), err);
    TAP_OK(partial_empty(&partial, &arena, &err), err);
    TAP_STR(scratch_read(scratch_path("b.partial")), "");
    partial_close(&partial, 1);
    TAP_STR(scratch_read(scratch_path("b.partial")), NULL);
}

/* Two nodes see no lock of each other, as with NFS 3 and nolock: both fill one part, and one is first. */
static void test_another_is_faster(void)
{
    struct partial partial;
    int fd;

    TAP_OK(open_part(&partial), err);
    TAP_OK(partial_add(&partial, "abc", 3, &arena, &err), err);
    TAP_INT(renameat(directory, partial.file, directory, "b"), 0);
    fd = partial_finish(&partial, &arena, &err);
    TAP_TRUE(fd >= 0 && partial.fd < 0);
    TAP_STR(scratch_read(scratch_path("b")), "abc");
    close(fd);
}

static void test_locked(void)
{
    struct partial first, second;
    int fd;

    TAP_OK(open_part(&first), err);
    TAP_OK(open_part(&second), err);
    TAP_TRUE(!first.is_private && second.is_private);
    TAP_TRUE(strncmp(second.file, "b.partial-", 10) == 0);
    TAP_INT(faccessat(directory, second.file, F_OK, 0), 0);
    partial_close(&second, 0);
    TAP_INT(faccessat(directory, second.file, F_OK, 0), -1);
    fd = partial_finish(&first, &arena, &err);
    /* What was the part is whole, and locked no more. */
    TAP_OK(open_part(&second), err);
    TAP_TRUE(!second.is_private);
    TAP_INT(second.size, 0);
    partial_close(&second, 1);
    close(fd);
}

/* A part that must not be written to: a private one is made, and it stays. */
static void check_untouched(const char *what)
{
    struct partial partial;

    tap.row = what;
    TAP_OK(open_part(&partial), err);
    TAP_INT(partial.is_private, 1);
    partial_close(&partial, 0);
    TAP_INT(unlinkat(directory, "b.partial", 0), 0);
    tap.row = NULL;
}

static void test_links(void)
{
    const char *mine = scratch_write("mine", "precious", 0600), *part = scratch_path("b.partial");

    TAP_INT(symlink(mine, part), 0);
    check_untouched("symbolic link");
    TAP_INT(symlink("/nonexistent", part), 0);
    check_untouched("dangling link");
    TAP_INT(link(mine, part), 0);
    check_untouched("hard link");
    TAP_INT(mkfifo(part, 0600), 0);
    check_untouched("FIFO");
    TAP_STR(scratch_read(mine), "precious");
}

static void test_failures(void)
{
    struct partial partial;
    int before = directory;

    mkdir(scratch_path("b"), 0700);
    TAP_OK(open_part(&partial), err);
    TAP_ERR(partial_finish(&partial, &arena, &err), err, ERR_SYSTEM, "cannot be renamed to b");
    TAP_TRUE(partial.fd >= 0);
    partial_close(&partial, 1);
    directory = open("/dev/null", O_RDONLY | O_CLOEXEC);
    TAP_ERR(open_part(&partial), err, ERR_SYSTEM, "cannot be made");
    TAP_INT(partial.fd, -1);
    close(directory);
    directory = before;
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    scratch_make();
    directory = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    test_names();
    test_grows();
    test_another_is_faster();
    test_locked();
    unlink(scratch_path("b"));
    test_links();
    test_failures();
    close(directory);
    scratch_remove();
    arena_free(&arena);
    return tap_done();
}
