#include "share/message.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"

union control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(SHARE_DESCRIPTOR_LIMIT * sizeof(int))];
};

int share_send(int socket, const void *bytes, size_t length, const int *fds, size_t count)
{
    union control control;
    struct iovec part = {(void *)(uintptr_t)bytes, length};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    if (count) {
        struct cmsghdr *header = &control.align;

        memset(&control, 0, sizeof(control));
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(header), fds, count * sizeof(int));
    }
    while (sendmsg(socket, &message, MSG_NOSIGNAL) < 0)
        if (errno != EINTR)
            return -1;
    return 0;
}

void share_close(int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fd_close(&fds[i]);
}

int share_take(const struct share_message *message, enum share_descriptor which, int *fds, size_t count)
{
    size_t index = 0;

    if (!(message->descriptors & which))
        return -1;
    for (unsigned bit = 1; bit < which; bit <<= 1)
        index += (message->descriptors & bit) != 0;
    return index < count ? fd_steal(&fds[index]) : -1;
}

static void take_descriptors(struct msghdr *message, int *fds, size_t *count)
{
    struct cmsghdr *header;

    for (header = CMSG_FIRSTHDR(message); header; header = CMSG_NXTHDR(message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
            continue;
        *count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(fds, CMSG_DATA(header), *count * sizeof(int));
    }
}

ssize_t share_receive(int socket, void *bytes, size_t room, int *fds, size_t *count)
{
    union control control;
    struct iovec part = {bytes, room};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    ssize_t n;

    *count = 0;
    do
        n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -1;
    take_descriptors(&message, fds, count);
    if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
        share_close(fds, *count);
        *count = 0;
        errno = EMSGSIZE;
        return -1;
    }
    return n;
}

ssize_t share_wait(int socket, int patience, void *bytes, size_t room, int *fds, size_t *count)
{
    struct pollfd waiting = {.fd = socket, .events = POLLIN};
    int ready;

    *count = 0;
    do
        ready = poll(&waiting, 1, patience);
    while (ready < 0 && errno == EINTR);
    if (ready == 0)
        errno = ETIME;
    return ready <= 0 ? -1 : share_receive(socket, bytes, room, fds, count);
}
