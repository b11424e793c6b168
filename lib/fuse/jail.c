#include "fuse/jail.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/orphan.h"
#include "base/sys.h"
#include "fuse/syscalls.h"
#include "host/userns.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* Caches and one decoder take a small part of it; a hostile dictionary size takes no more. */
#define MEMORY_LIMIT (512ull << 20)

/* With less a decoder may find none in the middle of the job. */
#define MEMORY_LEAST (64ull << 20)

static int set_limit(int resource, rlim_t value)
{
    struct rlimit limit;

    if (getrlimit(resource, &limit) < 0)
        return -1;
    if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < value)
        value = limit.rlim_max;
    limit.rlim_cur = limit.rlim_max = value;
    return setrlimit(resource, &limit);
}

/* Shares our root directory. When it has ended, the directory that it went to is empty for good. */
static int go_to_empty_root(void *unused)
{
    (void)unused;
    /* Not _exit(): AddressSanitizer would look for the end of a stack that it does not know. */
    return (int)syscall(SYS_exit_group, chroot("/proc/self/fdinfo") < 0 || chdir("/") < 0);
}

static int empty_root(void)
{
    _Alignas(16) static char stack[16384];
    int status = -1;
    pid_t child =
        clone(go_to_empty_root, stack + sizeof(stack), CLONE_FS | CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);

    if (child < 0)
        return -1;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    if (status)
        errno = EACCES;
    return status ? -1 : 0;
}

static int check_memory(struct err *err)
{
    struct rlimit limit;

    if (SANITIZED || getrlimit(RLIMIT_AS, &limit) < 0 || limit.rlim_max >= MEMORY_LEAST)
        return 0;
    return err_set(err, ERR_LIMIT,
                   "coracle-fuse gets too little address space (%llu KiB, at least %llu are needed); raise "
                   "ulimit -v",
                   (unsigned long long)limit.rlim_max >> 10, MEMORY_LEAST >> 10);
}

/* The lowest descriptor that was not open when the jail was entered. */
static int first_new;

static int find_first_new(void)
{
    first_new = dup(STDIN_FILENO);
    return first_new < 0 ? -1 : close(first_new);
}

/* A file that may not grow further is an error of the call that wants to write, no end of the process. */
static void stay(int signal)
{
    (void)signal;
}

int jail_enter(struct err *err)
{
    const struct sigaction action = {.sa_handler = stay, .sa_flags = SA_RESTART};

    if (check_memory(err) < 0)
        return -1;
    orphan_settle();
    if (unshare(CLONE_NEWUSER) < 0) {
        const int saved = errno;

        if (userns_refused(saved, err) < 0)
            return -1;
        return err_set(err, ERR_LIMIT, "coracle-fuse gets no user namespace of its own: %s",
                       err_reason(saved));
    }
    if (empty_root() < 0)
        return err_set(err, ERR_SERVER,
                       "coracle-fuse cannot go to an empty root directory: %s; is /proc mounted?",
                       err_reason(errno));
    if (sys_capset(0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || set_limit(RLIMIT_CORE, 0) < 0 ||
        set_limit(RLIMIT_NPROC, 0) < 0 || (!SANITIZED && set_limit(RLIMIT_AS, MEMORY_LIMIT) < 0))
        return err_set(err, ERR_SERVER, "coracle-fuse cannot give up its privileges: %s", err_reason(errno));
    umask(077); /* whatever the caller's was, what is made can be filled */
    sigaction(SIGXFSZ, &action, NULL);
    if (find_first_new() < 0 || (!SANITIZED && syscalls_allow(syscalls_opening, first_new) < 0))
        return err_set(err, ERR_SERVER, "coracle-fuse cannot filter its system calls: %s", err_reason(errno));
    return 0;
}

int jail_close(struct err *err)
{
    if (set_limit(RLIMIT_NOFILE, 0) < 0 || (!SANITIZED && syscalls_allow(syscalls_serving, -1) < 0))
        return err_set(err, ERR_SERVER, "coracle-fuse cannot close its jail: %s", err_reason(errno));
    return 0;
}

int jail_close_to_unpack(struct err *err)
{
    if (set_limit(RLIMIT_NOFILE, (rlim_t)first_new + JAIL_FILES) < 0 ||
        (!SANITIZED && syscalls_allow(syscalls_unpacking, first_new) < 0))
        return err_set(err, ERR_SERVER, "coracle-fuse cannot close its jail: %s", err_reason(errno));
    return 0;
}
