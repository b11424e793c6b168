#include "base/orphan.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sys.h"

/* Both processes share our memory and we wait until they have ended or executed: no page is copied. */
enum { STACK_SIZE = 16384, SHARE = CLONE_VM | CLONE_VFORK };

struct start {
    const char *const *programs;
    char *const *argv;
    char *const *environment;
    const int *fds;
    size_t count;
    int error;
    pid_t program;
    _Alignas(16) char middle_stack[STACK_SIZE];
    _Alignas(16) char program_stack[STACK_SIZE];
};

static void reset_signals(void)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigset_t none;

    for (int number = 1; number < NSIG; number++)
        sigaction(number, &action, NULL); /* some cannot be set: those need not */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The descriptors first go where no target is, so that none of them is overwritten. */
static int arrange_descriptors(const struct start *start)
{
    const int above = ORPHAN_FIRST_FD + ORPHAN_FD_LIMIT;
    int high[ORPHAN_FD_LIMIT];
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null < 0)
        return -1;
    null = fcntl(null, F_DUPFD_CLOEXEC, above);
    for (size_t i = 0; i < start->count; i++)
        if ((high[i] = fcntl(start->fds[i], F_DUPFD_CLOEXEC, above)) < 0)
            return -1;
    for (int fd = 0; fd < ORPHAN_FIRST_FD; fd++)
        if (dup2(null, fd) < 0)
            return -1;
    for (size_t i = 0; i < start->count; i++)
        if (dup2(high[i], ORPHAN_FIRST_FD + (int)i) < 0)
            return -1;
    return sys_close_range((unsigned)(ORPHAN_FIRST_FD + (int)start->count), ~0u, 0);
}

/* _exit() by another name: AddressSanitizer would look for the end of a stack that it does not know. */
static int end(int status)
{
    return (int)syscall(SYS_exit_group, status);
}

static int be_program(void *argument)
{
    struct start *start = argument;

    reset_signals();
    setsid();
    if (chdir("/") < 0 || arrange_descriptors(start) < 0) {
        start->error = errno;
        return end(1);
    }
    for (const char *const *program = start->programs; *program; program++) {
        start->error = 0; /* what the caller reads where this is the one */
        execve(*program, start->argv, start->environment);
        start->error = errno;
        if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
            break;
    }
    return end(1);
}

static int be_middle_process(void *argument)
{
    struct start *start = argument;

    start->program = clone(be_program, start->program_stack + STACK_SIZE, SHARE | SIGCHLD, start);
    if (start->program < 0)
        start->error = errno;
    return end(0);
}

pid_t orphan_start(const char *const programs[], char *const argv[], char *const environment[],
                   const int fds[], size_t count)
{
    /* Static: the caller is single-threaded and the stacks are no small thing. */
    static struct start start;
    sigset_t all, before;
    pid_t middle;

    start.programs = programs;
    start.argv = argv;
    start.environment = environment;
    start.fds = fds;
    start.count = count;
    start.error = *programs ? 0 : ENOENT;
    /* A handler of ours must not run in a process that shares our memory. */
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    middle = clone(be_middle_process, start.middle_stack + STACK_SIZE, SHARE, &start); /* exit signal: none */
    if (middle > 0)
        waitpid(middle, NULL, __WALL);
    else
        start.error = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    errno = start.error;
    return start.error ? -1 : start.program;
}
