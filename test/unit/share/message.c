#include "share/message.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../tap.h"
#include "base/fd.h"

static void __attribute__((noreturn)) give_up(const char *what)
{
    printf("Bail out! %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static void make_pair(int ends[2])
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        give_up("socketpair");
}

static int new_thing(void)
{
    int fd = memfd_create("thing", 0); /* not close-on-exec: what arrives is, all the same */

    if (fd < 0)
        give_up("memfd_create");
    return fd;
}

static int is_same(int a, int b)
{
    struct stat first, second;

    return fstat(a, &first) == 0 && fstat(b, &second) == 0 && first.st_ino == second.st_ino;
}

/* How many descriptors are open. */
static int count_open(void)
{
    int count = 0;

    for (int fd = 0; fd < 512; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void check_descriptors(size_t number)
{
    int ends[2], sent[SHARE_DESCRIPTOR_LIMIT], received[SHARE_DESCRIPTOR_LIMIT];
    char bytes[16];
    size_t count, same = 0, closed = 0;

    make_pair(ends);
    for (size_t i = 0; i < number; i++)
        sent[i] = new_thing();
    TAP_INT(share_send(ends[0], "hello", 5, sent, number), 0);
    TAP_INT(share_receive(ends[1], bytes, sizeof(bytes), received, &count), 5);
    TAP_TRUE(memcmp(bytes, "hello", 5) == 0);
    TAP_INT(count, number);
    for (size_t i = 0; i < count; i++) {
        same += is_same(sent[i], received[i]);
        closed += fcntl(received[i], F_GETFD) == FD_CLOEXEC;
    }
    TAP_INT(same, number);
    TAP_INT(closed, number);
    share_close(received, count);
    TAP_INT(count ? received[count - 1] : -1, -1);
    share_close(sent, number);
    share_close(ends, 2);
}

static void test_descriptors(void)
{
    const int before = count_open();

    for (size_t number = 0; number <= SHARE_DESCRIPTOR_LIMIT; number++)
        check_descriptors(number);
    TAP_INT(count_open(), before);
}

/* What does not fit is nothing: no descriptor of it stays. */
static void test_truncated(void)
{
    int ends[2], thing = new_thing(), fds[SHARE_DESCRIPTOR_LIMIT];
    const int before = count_open();
    char bytes[4];
    size_t count = 99;

    make_pair(ends);
    TAP_INT(share_send(ends[0], "hello", 5, (const int[]){thing, thing}, 2), 0);
    TAP_INT(share_send(ends[0], "four", 4, NULL, 0), 0);
    TAP_INT(share_receive(ends[1], bytes, sizeof(bytes), fds, &count), -1);
    TAP_INT(errno, EMSGSIZE);
    TAP_INT(count, 0);
    TAP_INT(count_open(), before + 2);
    TAP_INT(share_receive(ends[1], bytes, sizeof(bytes), fds, &count), 4); /* the next one is whole */
    share_close(ends, 2);
    close(thing);
}

/* More than there is room for: as many as fit had come, and are closed. */
static void test_too_many(void)
{
    enum { NUMBER = SHARE_DESCRIPTOR_LIMIT + 9 };
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(NUMBER * sizeof(int))];
    } control = {.header = {CMSG_LEN(NUMBER * sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
    char bytes[8] = "hello";
    struct iovec part = {bytes, 5};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    int ends[2], thing = new_thing(), fds[SHARE_DESCRIPTOR_LIMIT];
    const int before = count_open();
    size_t count;

    make_pair(ends);
    for (size_t i = 0; i < NUMBER; i++)
        memcpy(CMSG_DATA(&control.header) + i * sizeof(int), &thing, sizeof(int));
    TAP_INT(sendmsg(ends[0], &message, 0), 5);
    TAP_INT(share_receive(ends[1], bytes, sizeof(bytes), fds, &count), -1);
    TAP_INT(errno, EMSGSIZE);
    TAP_INT(count, 0);
    TAP_INT(count_open(), before + 2);
    share_close(ends, 2);
    close(thing);
}

static void test_nothing_there(void)
{
    int ends[2], fds[SHARE_DESCRIPTOR_LIMIT];
    char bytes[8];
    size_t count = 99;

    make_pair(ends);
    TAP_INT(share_receive(ends[1], bytes, sizeof(bytes), fds, &count), -1);
    TAP_INT(errno, EAGAIN);
    TAP_INT(count, 0);
    TAP_INT(share_send(ends[0], "", 0, NULL, 0), 0);
    TAP_INT(share_receive(ends[1], bytes, sizeof(bytes), fds, &count), 0); /* as if it had gone */
    TAP_INT(share_send(ends[0], "last", 4, NULL, 0), 0);
    close(ends[0]);
    TAP_INT(share_receive(ends[1], bytes, sizeof(bytes), fds, &count), 4);
    count = 99;
    TAP_INT(share_receive(ends[1], bytes, sizeof(bytes), fds, &count), 0);
    TAP_INT(count, 0);
    /* No SIGPIPE, which would end the test, whatever it was started with. */
    signal(SIGPIPE, SIG_DFL);
    TAP_INT(share_send(ends[1], "hello", 5, NULL, 0), -1);
    TAP_INT(errno, EPIPE);
    close(ends[1]);
    TAP_INT(share_receive(-1, bytes, sizeof(bytes), fds, &count), -1);
    TAP_INT(count, 0);
}

/* Until the other one reads nothing more is taken, and nothing waits. */
static void test_full(void)
{
    static char bytes[SHARE_MESSAGE_LIMIT];
    int ends[2], fds[SHARE_DESCRIPTOR_LIMIT], sent = 0, received = 0;
    size_t count;

    make_pair(ends);
    while (sent < 100000 && share_send(ends[0], bytes, sizeof(bytes), NULL, 0) == 0)
        sent++;
    TAP_INT(errno, EAGAIN);
    TAP_TRUE(sent > 0);
    while (share_receive(ends[1], bytes, sizeof(bytes), fds, &count) == sizeof(bytes))
        received++;
    TAP_INT(received, sent);
    TAP_INT(share_send(ends[0], bytes, sizeof(bytes), NULL, 0), 0);
    share_close(ends, 2);
}

/* What is memcmp()ed has no holes, and what is sent has the same size for all. */
static void test_layout(void)
{
    TAP_INT(sizeof(struct share_image), 3 * 8 + 2 * 8 + 2 * 4 + 8);
    TAP_INT(sizeof(struct share_hello), 16 + 8 + sizeof(struct digest) + sizeof(struct share_image));
    TAP_INT(sizeof(struct share_ready), 16 + 16 + SHARE_COVER_LIMIT * sizeof(struct share_cover));
    TAP_TRUE(SHARE_COVERS == 1 << (SHARE_DESCRIPTORS - 1));
    TAP_TRUE(SHARE_DESCRIPTORS - 1 + SHARE_COVER_LIMIT <= SHARE_DESCRIPTOR_LIMIT);
    TAP_TRUE(sizeof(struct share_answer) < SHARE_MESSAGE_LIMIT);
}

int main(void)
{
    test_descriptors();
    test_truncated();
    test_too_many();
    test_nothing_there();
    test_full();
    test_layout();
    return tap_done();
}
