#include "host/record-make.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../tap.h"
#include "base/fd.h"
#include "sample.h"

static struct arena arena;

static const char *const self[] = {"/nonexistent/coracle-record", "/proc/self/exe", NULL};

/*
 * This test stands in for coracle-record: run under that name it prints a
 * record, whose home tells what it was given.
 */
static int play_coracle_record(void)
{
    struct record_file file = sample;
    struct str text = {.arena = &arena};
    struct stat null, input, output, errors;
    int clean = !getenv("LD_CORACLE_TEST") && getenv("CORACLE_TEST");
    int alone = fcntl(3, F_GETFD) < 0 && fcntl(200, F_GETFD) < 0;
    int quiet = stat("/dev/null", &null) == 0 && fstat(0, &input) == 0 && input.st_rdev == null.st_rdev;
    int apart = fstat(1, &output) == 0 && fstat(2, &errors) == 0 && output.st_ino != errors.st_ino;

    file.home = arena_printf(&arena, "/clean=%d/alone=%d/quiet=%d/apart=%d", clean, alone, quiet, apart);
    record_file_print(&file, &text);
    return fd_write_all(1, text.data, text.length) < 0;
}

static int make(const char *const programs[], struct record_file *file, struct err *err)
{
    char *environment[] = {arena_strdup(&arena, "LD_CORACLE_TEST=1"), arena_strdup(&arena, "CORACLE_TEST=1"),
                           NULL};

    return record_make(programs, environment, file, &arena, err);
}

static void test_success(void)
{
    FD_CLEANUP int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct record_file file;
    struct err err;

    TAP_INT(dup2(0, 200), 200);
    TAP_INT(dup2(root, 0), 0); /* not for the program to read */
    TAP_INT(make(self, &file, &err), 0);
    TAP_STR(file.user, "alice");
    TAP_STR(file.home, "/clean=1/alone=1/quiet=1/apart=1");
    dup2(200, 0);
    close(200);
}

/* No descriptor, no child, no SIGCHLD. */
static void check_nothing_left(void)
{
    FD_CLEANUP int lowest = open("/dev/null", O_RDONLY | O_CLOEXEC);
    sigset_t pending;

    TAP_INT(lowest, 3);
    errno = 0;
    TAP_INT(waitpid(-1, NULL, WNOHANG | __WALL), -1);
    TAP_INT(errno, ECHILD);
    TAP_INT(sigpending(&pending), 0);
    TAP_INT(sigismember(&pending, SIGCHLD), 0);
}

static void test_sigchld(void)
{
    struct record_file file;
    struct err err;
    sigset_t block, before;
    struct sigaction now;

    sigemptyset(&block);
    sigaddset(&block, SIGCHLD);
    TAP_INT(sigprocmask(SIG_BLOCK, &block, &before), 0);
    TAP_INT(make(self, &file, &err), 0);
    check_nothing_left();
    signal(SIGCHLD, SIG_IGN);
    TAP_INT(make(self, &file, &err), 0);
    check_nothing_left();
    TAP_INT(sigprocmask(SIG_SETMASK, &before, NULL), 0);
    TAP_INT(make(self, &file, &err), 0);
    check_nothing_left();
    TAP_INT(sigaction(SIGCHLD, NULL, &now), 0);
    TAP_TRUE(now.sa_handler == SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
}

static void test_failures(void)
{
    static const struct {
        const char *program;
        const char *part;
    } rows[] = {
        {"/nonexistent/coracle-record", "cannot be started: no such file or directory; it belongs in "},
        {"/etc", "cannot be started: permission denied"},
        {"/bin/true", "damaged answer"},
        {"/bin/false", "coracle-record failed"},
    };
    struct record_file file;
    struct err err;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *const programs[] = {rows[i].program, NULL};
        tap.row = rows[i].program;
        TAP_INT(make(programs, &file, &err), 1);
        TAP_INT(err.id, ERR_RECORD);
        TAP_TRUE(strstr(err.text, rows[i].part));
        TAP_INT(strstr(err.text, "belongs in") != NULL, i == 0);
        check_nothing_left();
    }
    tap.row = NULL;
}

/* What is not enough for the pipe, and what is enough for the pipe alone. */
static void test_few_files(void)
{
    struct rlimit before, few;
    struct record_file file;
    struct err err;

    TAP_INT(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (int count = 4; count <= 5; count++) {
        int result;

        few = before;
        few.rlim_cur = (rlim_t)count;
        TAP_INT(setrlimit(RLIMIT_NOFILE, &few), 0);
        result = make(self, &file, &err);
        TAP_INT(setrlimit(RLIMIT_NOFILE, &before), 0);
        TAP_INT(result, count == 4 ? -1 : 1);
        TAP_INT(err.id, ERR_LIMIT);
        TAP_TRUE(strstr(err.text, "too many open files; raise the limit of open files: ulimit -n"));
        check_nothing_left();
    }
}

/* A caller may have closed any of the standard descriptors: the pipe then has their numbers. */
static void test_closed_descriptors(void)
{
    for (int closed = 1; closed < 1 << 3; closed++) {
        struct record_file file;
        struct err err;
        int saved[3], result;

        for (int fd = 0; fd <= 2; fd++) {
            saved[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 100);
            if (closed & 1 << fd)
                close(fd);
        }
        result = make(self, &file, &err);
        for (int fd = 0; fd <= 2; fd++) {
            dup2(saved[fd], fd);
            close(saved[fd]);
        }
        TAP_INT(result, 0);
        TAP_STR(file.home, "/clean=1/alone=1/quiet=1/apart=1");
    }
}

int main(int argc, char **argv)
{
    (void)argc;
    arena_init(&arena, tap_no_memory);
    if (strcmp(argv[0], "coracle-record") == 0)
        return play_coracle_record();
    for (int fd = 3; fd < 20; fd++)
        close(fd); /* whatever the harness left open */
    test_success();
    check_nothing_left();
    test_sigchld();
    test_failures();
    test_few_files();
    test_closed_descriptors();
    arena_free(&arena);
    return tap_done();
}
