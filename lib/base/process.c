#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "base/proc.h"
#include "base/sys.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux 6.5 */
#endif

#define PROC_MAGIC 0x9fa0 /* statfs(2) */

/* Whether the numbers in /proc are those that kill(2) takes. */
static int has_our_numbers(void)
{
    char name[24] = "", own[24];
    ssize_t n = readlink("/proc/self", name, sizeof(name) - 1);

    own[num_format(own, (uint64_t)getpid())] = 0;
    return n > 0 && strcmp(name, own) == 0;
}

static int open_directory(struct process *process, pid_t pid)
{
    char path[PROC_PATH];
    int fd;

    if (!has_our_numbers()) {
        errno = EXDEV;
        return -1;
    }
    fd = openat(AT_FDCWD, proc_path(path, pid, ""), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        errno = errno == ENOENT ? ESRCH : errno;
        return -1;
    }
    *process = (struct process){fd, pid, 1};
    return 0;
}

int process_open(struct process *process, pid_t pid)
{
    int fd = sys_pidfd_open(pid);

    *process = PROCESS_NONE;
    if (fd < 0)
        return errno == ENOSYS ? open_directory(process, pid) : -1;
    *process = (struct process){fd, pid, 0};
    return 0;
}

int process_open_peer(struct process *process, int socket, pid_t pid)
{
    int fd;
    socklen_t length = sizeof(fd);

    if (getsockopt(socket, SOL_SOCKET, SO_PEERPIDFD, &fd, &length) < 0)
        return process_open(process, pid);
    *process = (struct process){fd, pid, 0};
    return 0;
}

/* A pidfd is of a file system of its own, or of one for all that has no name. */
static int is_of_proc(int fd)
{
    struct statfs system;

    return fstatfs(fd, &system) == 0 && system.f_type == PROC_MAGIC;
}

int process_take(struct process *process, int fd, pid_t pid)
{
    const int is_directory = is_of_proc(fd);

    *process = PROCESS_NONE;
    /* No number of a group: kill(2) would take it for that. */
    if (fd < 0 || (is_directory && pid <= 0)) {
        errno = EBADF;
        return -1;
    }
    *process = (struct process){fd, pid, is_directory};
    return 0;
}

void process_close(struct process *process)
{
    fd_close(&process->fd);
    *process = PROCESS_NONE;
}

int process_can_be_polled(const struct process *process)
{
    return process->fd >= 0 && !process->is_directory;
}

/*
 * Whether all that "stat" says is of the dead: a zombie's other threads may live on.
 * Their number is field 20; the state, where STAT begins, is field 3.
 */
static int is_of_the_dead(const char *stat)
{
    enum { STATE = 3, THREADS = 20 };

    if (*stat != 'Z' && *stat != 'X')
        return 0;
    for (int field = STATE; field < THREADS && stat; field++)
        stat = (stat = strchr(stat, ' ')) ? stat + 1 : NULL;
    return !stat || (*stat >= '0' && *stat <= '1' && stat[1] == ' ');
}

/*
 * A /proc mounted with hidepid= hides the files of a process that lets nobody look at
 * it as if it had gone; but then the directory cannot be looked at, as that of one that
 * has gone can.
 */
static int is_hidden(int directory)
{
    struct stat st;

    return fstat(directory, &st) < 0;
}

static int directory_has_ended(int directory)
{
    char text[PROC_STAT];
    const char *stat = proc_stat_at(text, directory);

    if (*stat)
        return is_of_the_dead(stat);
    return (errno == ENOENT || errno == ESRCH) && !is_hidden(directory);
}

int process_has_ended(const struct process *process)
{
    struct pollfd ended = {.fd = process->fd, .events = POLLIN};

    return process->is_directory ? directory_has_ended(process->fd) : poll(&ended, 1, 0) > 0;
}

int process_signal(const struct process *process, int signal)
{
    if (!process->is_directory)
        return sys_pidfd_send_signal(process->fd, signal);
    if (directory_has_ended(process->fd)) {
        errno = ESRCH;
        return -1;
    }
    return kill(process->pid, signal);
}

int process_open_file(const struct process *process, const char *name, int flags)
{
    char path[PROC_PATH];

    if (process->is_directory)
        return openat(process->fd, name, flags | O_CLOEXEC);
    return openat(AT_FDCWD, proc_path(path, process->pid, name), flags | O_CLOEXEC);
}
