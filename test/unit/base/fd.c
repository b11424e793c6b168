#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
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

static void test_read_head(void)
{
    char text[8192], cut[5], none[4] = "abc";

    fd_read_head("/proc/self/status", text, sizeof(text));
    TAP_TRUE(strncmp(text, "Name:", 5) == 0);
    TAP_TRUE(strstr(text, "nonvoluntary_ctxt_switches:"));
    fd_read_head("/proc/self/status", cut, sizeof(cut));
    TAP_STR(cut, "Name");
    fd_read_head("/nonexistent", none, sizeof(none));
    TAP_STR(none, "");
}

static void test_write_all(void)
{
    FD_CLEANUP int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

    errno = 0;
    TAP_INT(fd_write_all(full, "x", 1), -1);
    TAP_INT(errno, ENOSPC);
    TAP_INT(fd_write_all(full, "", 0), 0);
}

enum { HIGHEST_FD = 40 };

/* A letter for each descriptor: of a pipe, a regular file, /dev/null; '-' where there is none at exec. */
static void describe_descriptors(char text[HIGHEST_FD + 1])
{
    for (int fd = 0; fd < HIGHEST_FD; fd++) {
        struct stat null, st;

        text[fd] = '-';
        if (fcntl(fd, F_GETFD) != 0 || fstat(fd, &st) < 0 || stat("/dev/null", &null) < 0)
            continue;
        text[fd] = S_ISFIFO(st.st_mode) ? 'p' : S_ISREG(st.st_mode) ? 'r' : '?';
        if (st.st_rdev == null.st_rdev && (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR)
            text[fd] = 'n';
    }
    for (int fd = HIGHEST_FD - 1; fd >= 0 && text[fd] == '-'; fd--)
        text[fd] = 0;
}

/* In a process with a pipe as 20, a regular file as 21, both below 2 too unless CLOSED. Its exit status. */
static int arrange(const int fds[], size_t count, int closed, char text[HIGHEST_FD + 1])
{
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        int ends[2], file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

        if (pipe2(ends, O_CLOEXEC) < 0 || dup2(file, 21) < 0 || dup2(ends[0], 20) < 0 || dup2(20, 0) < 0 ||
            dup2(21, 1) < 0 || close(2) < 0)
            _exit(255);
        if (closed && (close(0) < 0 || close(1) < 0))
            _exit(255);
        if (fd_arrange(fds, count) < 0)
            _exit(errno);
        describe_descriptors(text);
        _exit(0);
    }
    return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_arrange(void)
{
    static const struct {
        const char *what;
        int fds[FD_ARRANGE_LIMIT];
        size_t count;
        int closed;
        int error;
        const char *expected;
    } rows[] = {
        {"as they are", {0, 1}, 2, 0, 0, "pr"},
        {"exchanged", {1, 0}, 2, 0, 0, "rp"},
        {"twice", {1, 1, 0}, 3, 0, 0, "rrp"},
        {"from high", {20, 21, 20}, 3, 0, 0, "prp"},
        {"none given", {-1, 1, -1}, 3, 0, 0, "nrn"},
        {"all", {-1, -1, 0, 1, 0, 1, 21, 20}, 8, 0, 0, "nnprprrp"},
        {"nothing", {0}, 0, 0, 0, ""},
        {"standard ones closed", {-1, -1, -1, 20}, 4, 1, 0, "nnnp"},
        {"one that is not open", {0, 1, 30}, 3, 0, EBADF, ""},
    };
    char *text = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (text == MAP_FAILED)
        exit(EXIT_FAILURE);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap.row = rows[i].what;
        memset(text, 0, 4096);
        TAP_INT(arrange(rows[i].fds, rows[i].count, rows[i].closed, text), rows[i].error);
        TAP_STR(text, rows[i].expected);
    }
    tap.row = NULL;
    munmap(text, 4096);
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
    test_read_head();
    test_write_all();
    test_arrange();
    for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++)
        unlinkat(dir, made[i], 0);
    rmdir(folder);
    arena_free(&arena);
    return tap_done();
}
