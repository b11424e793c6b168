#include "image/server-message.h"

#include <errno.h>
#include <sys/socket.h>

int server_message_send(int socket, const void *bytes, size_t length)
{
    for (const char *next = bytes; length;) {
        ssize_t n = send(socket, next, length, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        next += n;
        length -= (size_t)n;
    }
    return 0;
}

int server_message_receive(int socket, void *bytes, size_t length)
{
    size_t done = 0;

    while (done < length) {
        ssize_t n = recv(socket, (char *)bytes + done, length - done, MSG_WAITALL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        done += (size_t)n;
    }
    return 0;
}
