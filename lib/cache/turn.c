#include "cache/turn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/proc.h"
#include "base/sys.h"

/*
 * As many may wait as net.core.somaxconn allows. Where there are more, nobody can be asked who
 * he is: the others come again, but not for ever, as a stranger may have filled the queue.
 */
enum { BACKLOG = 4096, KNOCKS = 300, KNOCK_PAUSE_NS = 100 * 1000 * 1000 };

enum {
    PATIENCE = 2000, /* milliseconds until it is asked whether there is anybody to wait for */
    LOOKS = 3,       /* at one who is stopped, until it is gone on without him */
    SUCCESSORS = 8,  /* that are stopped too; then everyone has a turn */
};

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

static uint64_t user_namespace(const char *path)
{
    struct sys_identity identity;

    return sys_identify(AT_FDCWD, path, 0, &identity) < 0 ? 0 : identity.inode;
}

/* The process that listens, where it is this user's and in none of his containers, as in share/meet.c; else
 * 0. */
static pid_t ours(int fd)
{
    struct ucred peer;
    socklen_t length = sizeof(peer);
    char path[PROC_PATH];

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && peer.uid == geteuid() &&
                   peer.pid > 0 &&
                   user_namespace(proc_path(path, peer.pid, "ns/user")) ==
                       user_namespace("/proc/self/ns/user")
               ? peer.pid
               : 0;
}

/*
 * Waits until FD can be read: 0; or until OWNER, who has the turn, was seen to be stopped several
 * times: 1. Once is not enough: where a whole job was, he goes on as we do.
 */
static int be_patient(int fd, pid_t owner)
{
    struct pollfd socket = {.fd = fd, .events = POLLIN};
    char text[PROC_STAT];
    int looks = 0, is_told = 0, ready;

    while ((ready = poll(&socket, 1, PATIENCE)) == 0 || (ready < 0 && errno == EINTR)) {
        const char state = *proc_stat(text, owner);

        if (ready < 0)
            continue;
        looks = state == 'T' ? looks + 1 : 0;
        if (looks == LOOKS)
            return 1;
        if ((state != 'T' && state != 't') || is_told)
            continue;
        log_warning("process %ld, which brings the image for all that wait for it, was stopped; kill -CONT "
                    "%ld lets it go on%s",
                    (long)owner, (long)owner, state == 'T' ? ", else another one brings it" : "");
        is_told = 1;
    }
    return 0;
}

/* *STOPPED: OWNER, where he is not waited for any longer. */
static enum turn_result wait_for(int fd, pid_t owner, pid_t *stopped, struct err *err)
{
    struct outcome outcome;
    ssize_t length;

    if (fcntl(fd, F_SETFL, 0) < 0)
        return TURN_OURS;
    if (be_patient(fd, owner)) {
        *stopped = owner;
        return TURN_OVER;
    }
    do {
        length = recv(fd, &outcome, sizeof(outcome), 0);
    } while (length < 0 && errno == EINTR);
    if (length != (ssize_t)sizeof(outcome) || (unsigned)outcome.err.id >= ERR_COUNT)
        return TURN_OVER;
    if (!outcome.failed)
        return TURN_DONE;
    *err = outcome.err;
    err->text[sizeof(err->text) - 1] = 0;
    return TURN_FAILED;
}

/* Asks who has the turn, and waits for him. */
static enum turn_result follow(int fd, const struct sockaddr_un *address, socklen_t length, pid_t *stopped,
                               struct err *err)
{
    static const struct timespec pause = {.tv_nsec = KNOCK_PAUSE_NS};

    for (int i = 0; i < KNOCKS; i++) {
        if (connect(fd, (const struct sockaddr *)address, length) == 0) {
            const pid_t owner = ours(fd);

            return owner ? wait_for(fd, owner, stopped, err) : TURN_OURS;
        }
        if (errno == ECONNREFUSED)
            return TURN_OVER;
        if (errno != EAGAIN && errno != EINTR)
            return TURN_OURS;
        nanosleep(&pause, NULL);
    }
    return TURN_OURS;
}

static enum turn_result take(struct turn *turn, const char *what, pid_t *stopped, struct arena *arena,
                             struct err *err)
{
    struct sockaddr_un address;
    const socklen_t length = name_of(&address, what, arena);
    /* Who accepts at the end must not wait for one more, nor who comes for room in the queue. */
    FD_CLEANUP int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    turn->listener = -1;
    if (fd < 0)
        return TURN_OURS;
    if (bind(fd, (struct sockaddr *)&address, length) == 0) {
        if (listen(fd, BACKLOG) == 0)
            turn->listener = fd_steal(&fd);
        return TURN_OURS;
    }
    return errno == EADDRINUSE ? follow(fd, &address, length, stopped, err) : TURN_OURS;
}

enum turn_result turn_take(struct turn *turn, const char *what, struct arena *arena, struct err *err)
{
    for (int i = 0; i < SUCCESSORS; i++) {
        pid_t stopped = 0;
        enum turn_result result = take(turn, what, &stopped, arena, err);

        if (!stopped)
            return result;
        /* Those who wait for him no longer have one turn among themselves. */
        what = arena_printf(arena, "%s after process %ld", what, (long)stopped);
    }
    return TURN_OURS;
}

/* Whether a process of this user is at the other end of FD, in a container of his or not. */
static int is_users(int fd)
{
    struct ucred peer;
    socklen_t length = sizeof(peer);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && peer.uid == geteuid();
}

/*
 * How many of this user were told. Strangers are told nothing, and however fast they come they
 * do not hold us up: no more are heard than can have waited.
 */
static int tell(const struct turn *turn, const struct outcome *outcome)
{
    int told = 0, fd;

    for (int i = 0; i <= BACKLOG && (fd = accept4(turn->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0; i++) {
        if (is_users(fd)) {
            send(fd, outcome, sizeof(*outcome), MSG_NOSIGNAL);
            told++;
        }
        close(fd);
    }
    return told;
}

/* Those who come late. */
static void tell_more(const struct turn *turn, const struct outcome *outcome, int linger)
{
    int64_t now = clock_milliseconds(), until = now + linger;
    const int64_t end = now + TURN_LINGER_MOST;
    struct pollfd socket = {.fd = turn->listener, .events = POLLIN};

    for (; now < until && now < end; now = clock_milliseconds()) {
        poll(&socket, 1, (int)((until < end ? until : end) - now));
        if (tell(turn, outcome))
            until = clock_milliseconds() + linger;
    }
}

void turn_end(struct turn *turn, const struct err *failure, int linger)
{
    struct outcome outcome;

    memset(&outcome, 0, sizeof(outcome));
    outcome.failed = failure != NULL;
    if (failure) {
        outcome.err.id = failure->id;
        snprintf(outcome.err.text, sizeof(outcome.err.text), "%s", failure->text);
    }
    if (turn->listener >= 0)
        tell(turn, &outcome);
    if (turn->listener >= 0 && failure && linger)
        tell_more(turn, &outcome, linger);
    fd_close(&turn->listener);
}
