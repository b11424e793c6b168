/* Processes, by pidfd and, behind a filter, by /proc/PID. */
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../forbid.h"
#include "../../tap.h"
#include "base/fd.h"
#include "base/num.h"
#include "base/sys.h"

/* How what happens in another process is told: the number of the check that failed first, or that it cannot
 * be tried. */
enum { CANNOT_BE_TRIED = 77 };

/* Whether there is no pidfd_open(2): valgrind 3.19 has none, though the kernel gives pidfds for sockets. */
static int is_old, is_filtered;

static void __attribute__((noreturn)) give_up(const char *what)
{
    printf("Bail out! %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static pid_t start_paused(void)
{
    pid_t child = fork();

    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
    return child;
}

/* Nothing takes so long, not even under valgrind. */
static int ends(const struct process *process)
{
    for (int i = 0; i < 30000; i++) {
        if (process_has_ended(process))
            return 1;
        poll(NULL, 0, 1);
    }
    return 0;
}

/* The number of the process that /proc/PID/stat is of. */
static int number_in(const struct process *process)
{
    FD_CLEANUP int fd = process_open_file(process, "stat", O_RDONLY);
    char text[16] = "";

    return fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 ? atoi(text) : -1;
}

static void test_life(void)
{
    struct process process;
    int status, fd;
    pid_t child = start_paused();

    if (child < 0)
        give_up("fork");
    TAP_INT(process_open(&process, child), 0);
    TAP_INT(process.pid, child);
    TAP_INT(fcntl(process.fd, F_GETFD), FD_CLOEXEC);
    TAP_INT(process_can_be_polled(&process), !is_old);
    TAP_INT(process_has_ended(&process), 0);
    TAP_INT(process_signal(&process, 0), 0);
    TAP_INT(number_in(&process), child);
    fd = process_open_file(&process, "ns/user", O_RDONLY);
    TAP_INT(fcntl(fd, F_GETFD), FD_CLOEXEC);
    fd_close(&fd);
    TAP_INT(process_open_file(&process, "no such file", O_RDONLY), -1);
    TAP_INT(errno, ENOENT);
    TAP_INT(process_signal(&process, SIGKILL), 0);
    TAP_TRUE(ends(&process)); /* though nobody has waited for it */
    kill(child, SIGKILL);
    TAP_INT(waitpid(child, &status, 0), child);
    TAP_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    TAP_INT(process_has_ended(&process), 1);
    TAP_INT(process_signal(&process, SIGKILL), -1);
    TAP_INT(errno, ESRCH);
    TAP_INT(number_in(&process), -1);
    process_close(&process);
    TAP_INT(process.fd, -1);
    TAP_INT(process.pid, 0);
    TAP_INT(process_open(&process, child), -1);
    TAP_INT(errno, ESRCH);
    TAP_INT(process.fd, -1);
}

static void *wait_for_ever(void *unused)
{
    while (!unused)
        pause();
    return unused;
}

/* A process whose first thread has ended lives on in the others, and is a zombie for proc(5). */
static void test_threads(void)
{
    struct process process;
    char stat[64], line[256] = "";
    pid_t child = fork();

    if (child == 0) {
        pthread_t thread;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (pthread_create(&thread, NULL, wait_for_ever, NULL) != 0)
            _exit(1);
        syscall(SYS_exit, 0); /* this thread alone */
    }
    if (child < 0 || process_open(&process, child) < 0)
        give_up("a process of two threads");
    sprintf(stat, "/proc/%d/stat", (int)child);
    for (int i = 0; i < 30000 && !strstr(line, ") Z "); i++, poll(NULL, 0, 1)) {
        FD_CLEANUP int fd = open(stat, O_RDONLY | O_CLOEXEC);
        ssize_t n = read(fd, line, sizeof(line) - 1);

        line[n < 0 ? 0 : n] = 0;
    }
    TAP_TRUE(strstr(line, ") Z "));
    TAP_INT(process_has_ended(&process), 0);
    TAP_INT(process_signal(&process, SIGKILL), 0);
    TAP_TRUE(ends(&process));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    process_close(&process);
}

static void test_peer(void)
{
    struct process process;
    int sockets[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
        give_up("socketpair");
    TAP_INT(process_open_peer(&process, sockets[0], getpid()), 0);
    if (is_filtered == is_old)
        TAP_INT(process_can_be_polled(&process), !is_old);
    TAP_INT(process_has_ended(&process), 0);
    TAP_INT(number_in(&process), getpid());
    process_close(&process);
    close(sockets[0]);
    close(sockets[1]);
}

static void test_take(void)
{
    struct process process, taken;
    pid_t child = start_paused();
    int ends_of_pipe[2];

    if (child < 0 || process_open(&process, child) < 0 || pipe(ends_of_pipe) < 0)
        give_up("fork, pipe");
    TAP_INT(process_take(&taken, fcntl(process.fd, F_DUPFD_CLOEXEC, 0), child), 0);
    TAP_INT(process_can_be_polled(&taken), !is_old);
    TAP_INT(process_has_ended(&taken), 0);
    TAP_INT(process_signal(&taken, SIGKILL), 0);
    TAP_TRUE(ends(&taken));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    process_close(&taken);
    if (is_old) {
        TAP_INT(process_take(&taken, process.fd, 0), -1); /* kill(0): the caller's own group */
        TAP_INT(process_take(&taken, process.fd, -1), -1);
        TAP_INT(taken.fd, -1);
    }
    process_close(&process);
    TAP_INT(process_take(&taken, -1, 1), -1);
    TAP_INT(errno, EBADF);
    /* What else may come is no process, and is held as what it is. */
    TAP_INT(process_take(&taken, ends_of_pipe[0], 0), 0);
    TAP_TRUE(process_can_be_polled(&taken));
    TAP_INT(process_signal(&taken, SIGKILL), -1);
    process_close(&taken);
    close(ends_of_pipe[1]);
    taken = PROCESS_NONE;
    process_close(&taken);
    TAP_TRUE(!process_can_be_polled(&taken));
}

/* --- in a pid namespace ------------------------------------------------------------- */

/* The caller's next child has the number PID. 0 or -1. proc(5) */
static int set_next(pid_t pid)
{
    FD_CLEANUP int fd = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
    char text[24];
    const int length = num_format(text, (uint64_t)pid - 1);

    return fd < 0 ? -1 : fd_write_all(fd, text, (size_t)length);
}

#define STEP(condition)   \
    do {                  \
        step++;           \
        if (!(condition)) \
            return step;  \
    } while (0)

/* Another process gets the number of one that has ended: the handle is not of it. */
static int reuse_number(void)
{
    struct process process;
    int step = 0;
    pid_t first = start_paused(), second;

    STEP(process_open(&process, first) == 0);
    STEP(kill(first, SIGKILL) == 0 && waitpid(first, NULL, 0) == first);
    if (set_next(first) < 0)
        return CANNOT_BE_TRIED;
    second = start_paused();
    STEP(second == first);
    STEP(process_has_ended(&process));
    STEP(process_signal(&process, SIGKILL) == -1 && errno == ESRCH);
    STEP(kill(second, 0) == 0 && waitpid(second, NULL, WNOHANG) == 0);
    if (is_old)
        STEP(number_in(&process) == -1);
    return 0;
}

/* One that lets nobody look at it, where /proc hides such: it has not ended until it has. */
static int hide(void)
{
    struct process process;
    FD_CLEANUP int fd = -1;
    int step = 0, ready[2];
    char byte;
    pid_t child;

    if (mount("none", "/proc", "proc", 0, "hidepid=2") < 0 || pipe(ready) < 0)
        return CANNOT_BE_TRIED;
    child = fork();
    if (child == 0) {
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
        fd_write_all(ready[1], "x", 1);
        for (;;)
            pause();
    }
    STEP(read(ready[0], &byte, 1) == 1 && sys_capset(0) == 0);
    STEP(process_open(&process, child) == 0);
    fd = process_open_file(&process, "stat", O_RDONLY);
    STEP(fd < 0 && errno == ENOENT);
    STEP(!process_has_ended(&process));
    STEP(process_signal(&process, SIGKILL) == 0);
    STEP(waitpid(child, NULL, 0) == child);
    STEP(process_has_ended(&process));
    return 0;
}

/* The numbers in /proc are others: nobody is to be killed by them. */
static int use_foreign_proc(void)
{
    struct process process;
    pid_t child = start_paused();
    int step = 0;

    if (umount2("/proc", MNT_DETACH) < 0)
        return CANNOT_BE_TRIED;
    STEP(process_open(&process, child) == (is_old ? -1 : 0));
    if (is_old)
        STEP(errno == EXDEV);
    return 0;
}

/* As the first process of a pid namespace that /proc is of. */
static int try_inside(int (*test)(void))
{
    int status;
    pid_t child;

    if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID) < 0)
        return CANNOT_BE_TRIED;
    child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        _exit(mount("none", "/proc", "proc", 0, NULL) < 0 ? CANNOT_BE_TRIED : test());
    }
    return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static void test_inside(int (*test)(void), const char *what)
{
    int status;
    pid_t child = fork();

    if (child == 0)
        _exit(try_inside(test));
    if (child < 0 || waitpid(child, &status, 0) != child)
        give_up("fork");
    tap.row = what;
    if (WIFEXITED(status) && WEXITSTATUS(status) == CANNOT_BE_TRIED)
        printf("ok %d # SKIP no pid namespace with a /proc of its own can be made\n", ++tap.run);
    else
        TAP_INT(status, 0);
    tap.row = NULL;
}

static void test_all(void)
{
    test_life();
    test_threads();
    test_peer();
    test_take();
    test_inside(reuse_number, "a number that is used again");
    test_inside(hide, "a process that /proc hides");
    test_inside(use_foreign_proc, "a /proc of another pid namespace");
}

int main(void)
{
    struct process self;

    if (process_open(&self, getpid()) < 0)
        give_up("process_open");
    is_old = !process_can_be_polled(&self);
    process_close(&self);
    test_all();
    if (forbid_later_than("linux-4.18") < 0)
        give_up("seccomp");
    is_old = is_filtered = 1;
    test_all();
    return tap_done();
}
