/*
 * What one rank does to another, and what strangers do at a broker's socket. Static:
 * it runs in the image as on the host.
 *
 *     peer hold                     waits, with something in memory and in a descriptor:
 *                                   prints PID ADDRESS DESCRIPTOR
 *     peer reach PID ADDRESS FD     what this process may do to that one, a line each
 *     peer listen|bind|full NAME    takes the abstract socket NAME and keeps it: listens and says
 *                                   "got N bytes" of each message that comes; does not listen;
 *                                   has as many waiting as may wait
 *     peer knock NAME list|hello    says that to the broker at NAME: prints what comes back
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "share/message.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

/* A test that fails must not leave us behind for long; an answer of the broker takes no longer than this. */
enum { LIFETIME = 60, PATIENCE_MS = 3000 };

static char memory[] = "in a rank's memory";
static const char in_file[] = "in a rank's descriptor";

static int do_hold(void)
{
    int fd = memfd_create("rank", MFD_CLOEXEC);

    if (fd < 0 || write(fd, in_file, sizeof(in_file)) < 0)
        return 1;
    printf("%d %lu %d\n", (int)getpid(), (unsigned long)(uintptr_t)memory, fd);
    fflush(stdout);
    alarm(LIFETIME);
    pause();
    return 0;
}

/* --- what a rank may do to another ------------------------------------------------ */

struct target {
    pid_t pid;
    unsigned long address;
    int fd;
};

static int open_of(const struct target *target, const char *name)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)target->pid, name);
    return open(path, O_RDONLY | O_CLOEXEC);
}

static int is_expected(const char *found, const char *expected, size_t length)
{
    if (memcmp(found, expected, length) == 0)
        return 0;
    errno = EILSEQ;
    return -1;
}

static int by_readv(const struct target *target)
{
    char found[sizeof(memory)];
    struct iovec here = {found, sizeof(found)}, there = {(void *)target->address, sizeof(found)};

    if (process_vm_readv(target->pid, &here, 1, &there, 1, 0) != sizeof(found))
        return -1;
    return is_expected(found, memory, sizeof(found));
}

/* The same bytes again: others look there too. */
static int by_writev(const struct target *target)
{
    struct iovec here = {memory, sizeof(memory)}, there = {(void *)target->address, sizeof(memory)};

    return process_vm_writev(target->pid, &here, 1, &there, 1, 0) == sizeof(memory) ? 0 : -1;
}

static int is_the_file(int fd)
{
    char found[sizeof(in_file)];

    if (fd < 0 || pread(fd, found, sizeof(found), 0) != sizeof(found))
        return -1;
    return is_expected(found, in_file, sizeof(found));
}

static int by_pidfd(const struct target *target)
{
    int process = (int)syscall(SYS_pidfd_open, target->pid, 0);

    return process < 0 ? -1 : is_the_file((int)syscall(SYS_pidfd_getfd, process, target->fd, 0));
}

static int by_fd(const struct target *target)
{
    char name[32];

    snprintf(name, sizeof(name), "fd/%d", target->fd);
    return is_the_file(open_of(target, name));
}

static int by_root(const struct target *target)
{
    struct stat st;
    int fd = open_of(target, "root/proc");

    return fd < 0 ? -1 : fstat(fd, &st);
}

static int by_environ(const struct target *target)
{
    char byte;
    int fd = open_of(target, "environ");

    return fd >= 0 && read(fd, &byte, 1) == 1 ? 0 : -1;
}

static int by_mem(const struct target *target)
{
    char found[sizeof(memory)];
    int fd = open_of(target, "mem");

    if (fd < 0 || pread(fd, found, sizeof(found), (off_t)target->address) != sizeof(found))
        return -1;
    return is_expected(found, memory, sizeof(found));
}

static int by_ptrace(const struct target *target)
{
    int status;

    if (ptrace(PTRACE_ATTACH, target->pid, NULL, NULL) < 0)
        return -1;
    if (waitpid(target->pid, &status, __WALL) < 0)
        return -1;
    return (int)ptrace(PTRACE_DETACH, target->pid, NULL, NULL);
}

static const struct {
    const char *name;
    int (*try)(const struct target *target);
} ways[] = {
    {"process_vm_readv", by_readv}, {"process_vm_writev", by_writev}, {"pidfd_getfd", by_pidfd},
    {"/proc/PID/fd", by_fd},        {"/proc/PID/root", by_root},      {"/proc/PID/environ", by_environ},
    {"/proc/PID/mem", by_mem},      {"PTRACE_ATTACH", by_ptrace},
};

static int do_reach(char **argv)
{
    const struct target target = {atoi(argv[0]), strtoul(argv[1], NULL, 0), atoi(argv[2])};

    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
        printf("%s: %s\n", ways[i].name, ways[i].try(&target) == 0 ? "yes" : strerror(errno));
    return 0;
}

/* --- at a broker's socket --------------------------------------------------------- */

/* NAME without the zero byte, or the "@" of /proc/net/unix, in front. */
static socklen_t address_of(struct sockaddr_un *address, const char *name)
{
    const size_t length = strlen(name);

    memset(address, 0, sizeof(*address));
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path + 1, name, length);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length);
}

/* Connects until nobody more may wait. */
static void fill(const struct sockaddr_un *address, socklen_t length)
{
    int fd;

    do
        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    while (fd >= 0 && connect(fd, (const struct sockaddr *)address, length) == 0);
}

static void accept_all(int listener)
{
    char bytes[4096];

    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

        printf("got %zd bytes\n", read(fd, bytes, sizeof(bytes)));
        fflush(stdout);
        close(fd);
    }
}

static int do_take(const char *how, const char *name)
{
    const int listens = strcmp(how, "bind") != 0, is_full = strcmp(how, "full") == 0;
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    struct sockaddr_un address;
    socklen_t length = address_of(&address, name);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) < 0 ||
        (listens && listen(fd, is_full ? 0 : 16) < 0)) {
        printf("cannot take it: %s\n", strerror(errno));
        return 1;
    }
    if (is_full)
        fill(&address, length);
    printf("taken\n");
    fflush(stdout);
    alarm(LIFETIME);
    if (listens && !is_full)
        accept_all(fd);
    pause();
    return 0;
}

static int say(int fd, const char *what)
{
    const struct share_message list = {SHARE_MESSAGE_MAGIC, SHARE_LIST, 0, 0};
    struct {
        struct share_hello hello;
        char texts[4];
    } hello = {.hello = {.message = {SHARE_MESSAGE_MAGIC, SHARE_HELLO, 0, 0}}, .texts = "/"};

    return strcmp(what, "list") == 0 ? (int)send(fd, &list, sizeof(list), MSG_NOSIGNAL)
                                     : (int)send(fd, &hello, sizeof(hello), MSG_NOSIGNAL);
}

static int do_knock(const char *name, const char *what)
{
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    struct sockaddr_un address;
    socklen_t length = address_of(&address, name);
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    char bytes[SHARE_MESSAGE_LIMIT], control[CMSG_SPACE(64 * sizeof(int))];
    struct iovec text = {bytes, sizeof(bytes)};
    struct msghdr message = {
        .msg_iov = &text, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
    ssize_t n;

    if (fd < 0 || connect(fd, (struct sockaddr *)&address, length) < 0) {
        printf("no connection\n");
        return 0;
    }
    say(fd, what);
    if (poll(&waiting, 1, PATIENCE_MS) == 0) {
        printf("silence\n");
        return 0;
    }
    n = recvmsg(fd, &message, 0);
    if (n <= 0)
        printf("closed\n");
    else
        printf("answered%s\n", message.msg_controllen ? " with descriptors" : "");
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "hold") == 0)
        return do_hold();
    if (argc == 5 && strcmp(argv[1], "reach") == 0)
        return do_reach(argv + 2);
    if (argc == 4 && strcmp(argv[1], "knock") == 0)
        return do_knock(argv[2], argv[3]);
    if (argc == 3)
        return do_take(argv[1], argv[2]);
    fprintf(stderr,
            "usage: peer hold | reach PID ADDRESS FD | listen|bind|full NAME | knock NAME list|hello\n");
    return 2;
}
