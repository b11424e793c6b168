#include "cache/turn.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/fd.h"

/* As many may wait; the kernel takes what net.core.somaxconn allows, others wait in connect(). */
enum { BACKLOG = 4096 };

/* What those who wait are told. */
struct outcome {
    int failed;
    struct err err;
};

static socklen_t name_of(struct sockaddr_un *address, const char *what, struct arena *arena)
{
    const struct digest digest = digest_bytes(what, strlen(what));
    char text[DIGEST_TEXT];
    const char *name;

    digest_format(text, &digest);
    name = arena_printf(arena, "coracle-turn/%u/%s", (unsigned)geteuid(), text);
    memset(address, 0, sizeof(*address));
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path + 1, name, strlen(name));
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
}

/* Whose name it is: that of the one who listens. */
static int is_ours(int fd)
{
    struct ucred peer;
    socklen_t length = sizeof(peer);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && peer.uid == geteuid();
}

static enum turn_result wait_for(int fd, struct err *err)
{
    struct outcome outcome;
    ssize_t length;

    do {
        length = recv(fd, &outcome, sizeof(outcome), 0);
    } while (length < 0 && errno == EINTR);
    if (length != (ssize_t)sizeof(outcome) || !outcome.failed || (unsigned)outcome.err.id >= ERR_COUNT)
        return TURN_OVER;
    *err = outcome.err;
    err->text[sizeof(err->text) - 1] = 0;
    return TURN_FAILED;
}

enum turn_result turn_take(struct turn *turn, const char *what, struct arena *arena, struct err *err)
{
    struct sockaddr_un address;
    const socklen_t length = name_of(&address, what, arena);
    FD_CLEANUP int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    turn->listener = -1;
    if (fd < 0)
        return TURN_OURS;
    if (bind(fd, (struct sockaddr *)&address, length) == 0) {
        /* Who accepts at the end must not wait for one more. */
        if (listen(fd, BACKLOG) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0)
            turn->listener = fd_steal(&fd);
        return TURN_OURS;
    }
    if (errno != EADDRINUSE)
        return TURN_OURS;
    if (connect(fd, (struct sockaddr *)&address, length) < 0)
        return errno == ECONNREFUSED || errno == EINTR ? TURN_OVER : TURN_OURS;
    return is_ours(fd) ? wait_for(fd, err) : TURN_OURS;
}

void turn_end(struct turn *turn, const struct err *failure)
{
    struct outcome outcome;
    int fd;

    memset(&outcome, 0, sizeof(outcome));
    outcome.failed = failure != NULL;
    if (failure) {
        outcome.err.id = failure->id;
        snprintf(outcome.err.text, sizeof(outcome.err.text), "%s", failure->text);
    }
    while (turn->listener >= 0 && (fd = accept4(turn->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        send(fd, &outcome, sizeof(outcome), MSG_NOSIGNAL);
        close(fd);
    }
    fd_close(&turn->listener);
}
