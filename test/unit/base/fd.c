#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../tap.h"

static struct arena arena;
static char folder[] = "/tmp/coracle-test-XXXXXX";

static int is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static void test_close(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), old = fd;

    errno = ENOTDIR;
    fd_close(&fd);
    TAP_INT(fd, -1);
    TAP_TRUE(!is_open(old));
    fd_close(&fd);
    TAP_INT(fd, -1);
    errno = ENOTDIR;
    fd = 1000000;
    fd_close(&fd); /* EBADF stays inside */
    TAP_INT(errno, ENOTDIR);
}

static void test_cleanup_and_steal(void)
{
    int closed, stolen;

    {
        FD_CLEANUP int a = open("/dev/null", O_RDONLY | O_CLOEXEC);
        FD_CLEANUP int b = open("/dev/null", O_RDONLY | O_CLOEXEC);
        closed = a;
        stolen = fd_steal(&b);
        TAP_INT(b, -1);
    }
    TAP_TRUE(!is_open(closed));
    TAP_TRUE(is_open(stolen));
    fd_close(&stolen);
}

static void make_file(int dir, const char *name, const char *text)
{
    FD_CLEANUP int fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    TAP_INT(fd_write_all(fd, text, strlen(text)), 0);
}

/* fd_read_file() must fail with ERRNUM. */
static void check_refused(int dir, const char *name, int flags, size_t limit, int errnum)
{
    size_t length;

    tap.row = name;
    errno = 0;
    TAP_TRUE(fd_read_file(dir, name, flags, limit, &arena, &length) == NULL);
    TAP_INT(errno, errnum);
    tap.row = NULL;
}

static void test_read_file(int dir)
{
    size_t length = 77;

    make_file(dir, "file", "hello\n");
    make_file(dir, "empty", "");
    TAP_STR(fd_read_file(dir, "file", 0, 6, &arena, &length), "hello\n");
    TAP_INT(length, 6);
    TAP_STR(fd_read_file(dir, "empty", 0, 0, &arena, &length), "");
    TAP_INT(length, 0);
    check_refused(dir, "file", 0, 5, EFBIG);
    check_refused(dir, "missing", 0, 100, ENOENT);
    check_refused(dir, "file/x", 0, 100, ENOTDIR);
    check_refused(dir, ".", 0, SIZE_MAX, EINVAL);
    TAP_INT(symlinkat("file", dir, "link"), 0);
    TAP_STR(fd_read_file(dir, "link", 0, 6, &arena, &length), "hello\n");
    check_refused(dir, "link", O_NOFOLLOW, 100, ELOOP);
    TAP_INT(mkfifoat(dir, "fifo", 0600), 0);
    check_refused(dir, "fifo", 0, 100, EINVAL);
    check_refused(AT_FDCWD, "/dev/null", 0, 100, EINVAL);
}

static void test_read_all(void)
{
    FD_CLEANUP int out = -1;
    FD_CLEANUP int in = -1;
    int ends[2];
    size_t length = 0;

    TAP_INT(pipe2(ends, O_CLOEXEC), 0);
    in = ends[0];
    out = ends[1];
    TAP_INT(fd_write_all(out, "abc", 3), 0);
    TAP_INT(fd_write_all(out, "def", 3), 0);
    fd_close(&out);
    TAP_STR(fd_read_all(in, 6, &arena, &length), "abcdef");
    TAP_INT(length, 6);
    TAP_STR(fd_read_all(in, 6, &arena, &length), "");
    TAP_INT(length, 0);
}

static void test_read_all_refuses(void)
{
    FD_CLEANUP int zeroes = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    size_t length;

    errno = 0;
    TAP_TRUE(fd_read_all(zeroes, 100000, &arena, &length) == NULL);
    TAP_INT(errno, EFBIG);
    TAP_TRUE(fd_read_all(-1, 10, &arena, &length) == NULL);
    TAP_INT(errno, EBADF);
}

static void test_write_all(void)
{
    FD_CLEANUP int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

    errno = 0;
    TAP_INT(fd_write_all(full, "x", 1), -1);
    TAP_INT(errno, ENOSPC);
    TAP_INT(fd_write_all(full, "", 0), 0);
}

int main(void)
{
    static const char *const made[] = {"file", "empty", "link", "fifo"};
    FD_CLEANUP int dir = -1;

    arena_init(&arena, tap_no_memory);
    if (!mkdtemp(folder) || (dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) {
        puts("Bail out! no folder in /tmp");
        return EXIT_FAILURE;
    }
    test_close();
    test_cleanup_and_steal();
    test_read_file(dir);
    test_read_all();
    test_read_all_refuses();
    test_write_all();
    for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++)
        unlinkat(dir, made[i], 0);
    rmdir(folder);
    arena_free(&arena);
    return tap_done();
}
