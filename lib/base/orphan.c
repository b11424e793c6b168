#include "base/orphan.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"

/* Both processes share our memory and we wait until they have ended or executed: no page is copied. */
enum { STACK_SIZE = 16384, SHARE = CLONE_VM | CLONE_VFORK };

struct start {
    const char *const *programs;
    char *const *argv;
    char *const *environment;
    int fds[ORPHAN_FIRST_FD + ORPHAN_FD_LIMIT];
    size_t count;
    sigset_t all;
    int error;
    pid_t program;
    _Alignas(16) char middle_stack[STACK_SIZE];
    _Alignas(16) char program_stack[STACK_SIZE];
};

/* _exit() by another name: AddressSanitizer would look for the end of a stack that it does not know. */
static int end(int status)
{
    return (int)syscall(SYS_exit_group, status);
}

/* Nothing is on its stack: AddressSanitizer would take what it leaves there for the next start's. */
static int be_program(void *argument)
{
    static const struct timespec no_time;
    struct start *start = argument;

    setsid();
    /* What came before was for the caller's process group, whatever the caller does with it. */
    while (sigtimedwait(&start->all, NULL, &no_time) > 0)
        ;
    if (chdir("/") < 0 || fd_arrange(start->fds, start->count) < 0) {
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
    sigset_t before;
    pid_t middle;

    start.programs = programs;
    start.argv = argv;
    start.environment = environment;
    for (int fd = 0; fd < ORPHAN_FIRST_FD; fd++)
        start.fds[fd] = -1;
    memcpy(start.fds + ORPHAN_FIRST_FD, fds, count * sizeof(*fds));
    start.count = ORPHAN_FIRST_FD + count;
    start.error = *programs ? 0 : ENOENT;
    start.program = -1;
    /* A handler of ours must not run in a process that shares our memory, and none may stop there. */
    sigfillset(&start.all);
    sigprocmask(SIG_BLOCK, &start.all, &before);
    middle = clone(be_middle_process, start.middle_stack + STACK_SIZE, SHARE, &start); /* exit signal: none */
    if (middle > 0)
        waitpid(middle, NULL, __WALL);
    else
        start.error = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (start.program < 0 && !start.error)
        start.error = ECHILD; /* the process in between was killed */
    errno = start.error;
    return start.error ? -1 : start.program;
}

/* execve(2) has put the rest to its default; what a runtime of this program has set since is its own. */
static void reset_signals(void)
{
    const struct sigaction reset = {.sa_handler = SIG_DFL};
    struct sigaction action;
    sigset_t none;

    for (int number = 1; number < NSIG; number++)
        if (sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
            sigaction(number, &reset, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void raise_soft_limits(void)
{
    struct rlimit limit;

    for (int resource = 0; resource < RLIM_NLIMITS; resource++)
        if (getrlimit(resource, &limit) == 0 && limit.rlim_cur != limit.rlim_max) {
            limit.rlim_cur = limit.rlim_max;
            setrlimit(resource, &limit);
        }
}

void orphan_settle(void)
{
    struct sched_param other = {0};
    cpu_set_t all;

    reset_signals();
    memset(&all, 0xff, sizeof(all));
    sched_setaffinity(0, sizeof(all), &all);
    syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &other); /* musl's function only says ENOSYS */
    syscall(SYS_set_mempolicy, 0, NULL, 0);                  /* MPOL_DEFAULT */
    raise_soft_limits();
}
