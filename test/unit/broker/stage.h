/*
 * stage - a broker in a process of its own and ranks that a test plays; include it
 * once in a program.
 *
 * Each rank is a process, because the broker counts processes; what it says goes
 * through its socket, which the test holds. Where ranks hand over namespaces and
 * devices, these hand over pipes: the broker never looks inside.
 *
 * With STAGE_IS_OLD it is a broker on a kernel without pidfds, see base/process.h.
 */
#ifndef CORACLE_TEST_BROKER_STAGE_H
#define CORACLE_TEST_BROKER_STAGE_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../forbid.h"
#include "../../tap.h"
#include "base/fd.h"
#include "broker/broker.h"
#include "share/message.h"

/* Nothing takes so long, not even under valgrind, in milliseconds. */
enum { STAGE_PATIENCE = 30 * 1000 };

#ifdef STAGE_IS_OLD
static const int stage_is_old = 1;
#else
static const int stage_is_old = 0;
#endif

struct peer {
    pid_t process;
    int socket;
    int life; /* closed: it ends */
};

struct stage {
    pid_t process; /* the broker's */
    struct sockaddr_un address;
    socklen_t length;
    struct peer first;
};

struct answer {
    enum share_kind kind; /* 0: the broker has hung up */
    unsigned descriptors;
    int has_config;
    int fds[SHARE_DESCRIPTOR_LIMIT];
    size_t count;
    struct share_item item; /* SHARE_ITEM */
    char text[SHARE_MESSAGE_LIMIT];
};

/* What READY or MOUNTED hands over; 0: not that. */
struct offer {
    int userns, mountns, fuse, config, mountinfo, server;
    const int *covers;
    const struct share_cover *expected;
    unsigned cover_count, flags;
    pid_t server_pid;
};

static inline void __attribute__((noreturn)) stage_give_up(const char *what)
{
    printf("Bail out! %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static inline int64_t stage_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static inline void stage_pause(int milliseconds)
{
    poll(NULL, 0, milliseconds);
}

/* Both ends of a pipe: the first stays silent until the second is closed. */
static inline void stage_pipe(int ends[2])
{
    if (pipe(ends) < 0 || fcntl(ends[0], F_SETFD, FD_CLOEXEC) < 0 || fcntl(ends[1], F_SETFD, FD_CLOEXEC) < 0)
        stage_give_up("pipe");
}

/* A descriptor that can be told from all others. */
static inline int stage_thing(void)
{
    int ends[2];

    stage_pipe(ends);
    close(ends[1]);
    return ends[0];
}

static inline int stage_same(int a, int b)
{
    struct stat first, second;

    return fstat(a, &first) == 0 && fstat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

/* --- ranks ------------------------------------------------------------------------ */

/* Keeps but the descriptors A and B and the standard ones: a copy would hide that an end was closed. */
static inline void stage_keep(int a, int b)
{
    for (int fd = 3; fd < 2048; fd++)
        if (fd != a && fd != b)
            close(fd);
}

static inline void peer_play(const struct stage *stage, int channel, int life)
{
    int fds[2];
    char byte = 0;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    stage_keep(channel, life);
    if (!stage) {
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
            _exit(1);
    } else {
        fds[0] = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        fds[1] = -1;
        if (connect(fds[0], (const struct sockaddr *)&stage->address, stage->length) < 0)
            _exit(1);
    }
    share_send(channel, &byte, 1, fds, stage ? 1 : 2);
    close(fds[0]);
    close(fds[1]);
    close(channel);
    _exit(read(life, &byte, 1) < 0);
}

/* A process and its connection to STAGE; to whatever holds *OTHER where that is NULL. */
static inline struct peer peer_new(const struct stage *stage, int *other)
{
    struct peer peer;
    int channel[2], life[2], fds[SHARE_DESCRIPTOR_LIMIT];
    size_t count;
    char byte;

    stage_pipe(life);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) < 0)
        stage_give_up("socketpair");
    peer.process = fork();
    if (peer.process < 0)
        stage_give_up("fork");
    if (peer.process == 0)
        peer_play(stage, channel[1], life[0]);
    close(channel[1]);
    close(life[0]);
    peer.life = life[1];
    if (share_receive(channel[0], &byte, 1, fds, &count) != 1 || count != (stage ? 1 : 2))
        stage_give_up("a rank cannot connect");
    close(channel[0]);
    peer.socket = fds[0];
    if (other)
        *other = fds[1];
    return peer;
}

static inline struct peer peer_start(const struct stage *stage)
{
    return peer_new(stage, NULL);
}

/* As an exec does. */
static inline void peer_hang_up(struct peer *peer)
{
    fd_close(&peer->socket);
}

static inline void peer_end(struct peer *peer)
{
    fd_close(&peer->life);
    if (waitpid(peer->process, NULL, 0) != peer->process)
        stage_give_up("waitpid");
    fd_close(&peer->socket);
}

static inline void peer_send(const struct peer *peer, const void *bytes, size_t length)
{
    share_send(peer->socket, bytes, length, NULL, 0);
}

/* --- what ranks say --------------------------------------------------------------- */

static inline struct share_hello hello_of(unsigned image, int is_served, unsigned view, unsigned flags)
{
    return (struct share_hello){.message = {SHARE_MESSAGE_MAGIC, SHARE_HELLO, 0, 0},
                                .flags = flags,
                                .view = {{view, 0}},
                                .image = {.device = 1, .inode = image, .is_served = (uint64_t)is_served}};
}

static inline void peer_hello(const struct peer *peer, struct share_hello hello, const char *name)
{
    char bytes[sizeof(hello) + 256];
    size_t length = sizeof(hello);

    memcpy(bytes, &hello, sizeof(hello));
    length += (size_t)sprintf(bytes + length, "/images/%d", (int)hello.image.inode) + 1;
    length += (size_t)sprintf(bytes + length, "%s", name) + 1;
    peer_send(peer, bytes, length);
}

/* Asks for the view VIEW of the directory IMAGE. */
static inline void peer_ask(const struct peer *peer, unsigned image, unsigned view)
{
    peer_hello(peer, hello_of(image, 0, view, 0), "");
}

static inline void peer_ask_served(const struct peer *peer, unsigned image, unsigned view)
{
    peer_hello(peer, hello_of(image, 1, view, 0), "");
}

static inline void add_offer(struct share_message *message, int *fds, size_t *count, unsigned which, int fd)
{
    if (!fd)
        return;
    message->descriptors |= which;
    fds[(*count)++] = fd;
}

static inline void peer_offer(const struct peer *peer, enum share_kind kind, const struct offer *offer)
{
    struct share_ready ready = {.message = {.magic = SHARE_MESSAGE_MAGIC, .kind = kind},
                                .server = (uint32_t)offer->server_pid,
                                .flags = offer->flags,
                                .cover_count = offer->cover_count};
    int fds[SHARE_DESCRIPTOR_LIMIT];
    size_t count = 0;

    ready.message.has_config = offer->config != 0;
    add_offer(&ready.message, fds, &count, SHARE_USERNS, offer->userns);
    add_offer(&ready.message, fds, &count, SHARE_MOUNTNS, offer->mountns);
    add_offer(&ready.message, fds, &count, SHARE_FUSE, offer->fuse);
    add_offer(&ready.message, fds, &count, SHARE_CONFIG, offer->config);
    add_offer(&ready.message, fds, &count, SHARE_MOUNTINFO, offer->mountinfo);
    add_offer(&ready.message, fds, &count, SHARE_SERVER, offer->server);
    for (unsigned i = 0; offer->covers && i < offer->cover_count; i++) {
        ready.covers[i] = offer->expected[i];
        add_offer(&ready.message, fds, &count, SHARE_COVERS, offer->covers[i]);
    }
    share_send(peer->socket, &ready, sizeof(ready), fds, count);
}

/* --- what the broker says --------------------------------------------------------- */

/* The next message. */
static inline void peer_next(const struct peer *peer, struct answer *answer)
{
    static char bytes[SHARE_MESSAGE_LIMIT + 1];
    struct pollfd waiting = {.fd = peer->socket, .events = POLLIN};
    struct share_message message;
    ssize_t length;

    memset(answer, 0, sizeof(*answer));
    if (poll(&waiting, 1, STAGE_PATIENCE) <= 0) {
        errno = ETIME;
        stage_give_up("the broker is silent");
    }
    length = share_receive(peer->socket, bytes, sizeof(bytes) - 1, answer->fds, &answer->count);
    if (length < (ssize_t)sizeof(message))
        return;
    bytes[length] = 0;
    memcpy(&message, bytes, sizeof(message));
    answer->kind = message.kind;
    answer->descriptors = message.descriptors;
    answer->has_config = message.has_config != 0;
    if (message.kind == SHARE_ITEM) {
        memcpy(&answer->item, bytes, sizeof(answer->item));
        memcpy(answer->text, bytes + sizeof(answer->item), (size_t)length - sizeof(answer->item));
    } else {
        strcpy(answer->text, bytes + sizeof(message));
    }
}

static inline void answer_close(struct answer *answer)
{
    share_close(answer->fds, answer->count);
    answer->count = 0;
}

/* The answer, whose descriptors are the test's. */
static inline void peer_hear(const struct peer *peer, struct answer *answer)
{
    do
        peer_next(peer, answer);
    while (answer->kind == SHARE_WAIT);
}

/* The kind of the answer, and nothing else of it. */
static inline enum share_kind peer_kind(const struct peer *peer)
{
    struct answer answer;

    peer_hear(peer, &answer);
    answer_close(&answer);
    return answer.kind;
}

static inline int peer_has_answer(const struct peer *peer)
{
    struct pollfd waiting = {.fd = peer->socket, .events = POLLIN};

    return poll(&waiting, 1, 0) > 0;
}

/* --- the broker ------------------------------------------------------------------- */

/* A broker that waits LINGER milliseconds for the next rank; its first rank says FIRST. */
static inline void stage_start(struct stage *stage, int linger, const struct share_hello *first)
{
    struct share_hello hello = *first;
    int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), theirs;

    hello.flags |= SHARE_IS_FIRST;
    stage->first = peer_new(NULL, &theirs);
    peer_hello(&stage->first, hello, "first");
    /* The kernel finds a name: unix(7), autobind. */
    stage->address = (struct sockaddr_un){.sun_family = AF_UNIX};
    stage->length = sizeof(stage->address);
    if (bind(listener, (struct sockaddr *)&stage->address, sizeof(sa_family_t)) < 0 ||
        getsockname(listener, (struct sockaddr *)&stage->address, &stage->length) < 0)
        stage_give_up("bind");
    stage->process = fork();
    if (stage->process < 0)
        stage_give_up("fork");
    if (stage->process == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        stage_keep(listener, theirs);
        if (stage_is_old && forbid_later_than("linux-4.18") < 0)
            _exit(1);
        exit(broker_run(listener, theirs, "a scope", "an origin", linger) < 0);
    }
    close(theirs);
    for (int64_t end = stage_now() + STAGE_PATIENCE; stage_now() < end; stage_pause(1)) {
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        int result = connect(fd, (struct sockaddr *)&stage->address, stage->length);

        close(fd);
        if (result == 0)
            break;
    }
    close(listener);
}

/* Its exit status when it has ended by itself; -1: it was killed, or had to be. */
static inline int stage_status(struct stage *stage)
{
    int status;

    for (int64_t end = stage_now() + STAGE_PATIENCE; stage_now() < end; stage_pause(1))
        if (waitpid(stage->process, &status, WNOHANG) == stage->process)
            return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    kill(stage->process, SIGKILL);
    waitpid(stage->process, NULL, 0);
    return -1;
}

/* The broker ends, without a complaint of a sanitizer, when nobody is left. */
#define STAGE_ENDS(stage) TAP_INT(stage_status(stage), 0)

static inline void stage_kill(struct stage *stage)
{
    kill(stage->process, SIGKILL);
    waitpid(stage->process, NULL, 0);
}

/* An asker: a connection of the test itself. */
static inline struct peer stage_asker(const struct stage *stage)
{
    struct peer peer = {.socket = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), .life = -1};

    if (connect(peer.socket, (const struct sockaddr *)&stage->address, stage->length) < 0)
        stage_give_up("connect");
    return peer;
}

/*
 * How many items of KIND the broker knows; -1: it gave no list. All that was sent
 * to it before has been dealt with by then: epoll hands out events in their order.
 */
static inline int stage_count(const struct stage *stage, enum share_item_kind kind)
{
    const struct share_message list = {SHARE_MESSAGE_MAGIC, SHARE_LIST, 0, 0};
    struct peer asker = stage_asker(stage);
    struct answer answer;
    int count = 0;

    peer_send(&asker, &list, sizeof(list));
    for (peer_next(&asker, &answer); answer.kind == SHARE_ITEM; peer_next(&asker, &answer))
        count += answer.item.kind == kind;
    peer_hang_up(&asker);
    return answer.kind == SHARE_END ? count : -1;
}

static inline int stage_lives(const struct stage *stage)
{
    return stage_count(stage, SHARE_ITEM_BROKER) == 1;
}

/* Waits until the broker knows COUNT items of KIND. Whether it came to that. */
static inline int stage_comes_to(const struct stage *stage, enum share_item_kind kind, int count)
{
    for (int64_t end = stage_now() + STAGE_PATIENCE; stage_now() < end; stage_pause(1))
        if (stage_count(stage, kind) == count)
            return 1;
    return 0;
}

/* Microseconds of CPU time that the broker takes in the next MILLISECONDS. */
static inline long stage_work(const struct stage *stage, int milliseconds)
{
    struct timespec before, after;
    clockid_t clock;

    if (clock_getcpuclockid(stage->process, &clock) != 0 || clock_gettime(clock, &before) < 0)
        stage_give_up("clock_getcpuclockid");
    stage_pause(milliseconds);
    clock_gettime(clock, &after);
    return (after.tv_sec - before.tv_sec) * 1000000 + (after.tv_nsec - before.tv_nsec) / 1000;
}

/* The first has built the view VIEW of IMAGE, a directory, and hung up; WHAT it hands over is kept by the
 * test. */
struct built {
    int userns, mountns, mounts[2];
};

static inline void stage_start_ready(struct stage *stage, struct built *built, int linger)
{
    const struct share_hello hello = hello_of(1, 0, 1, 0);

    stage_start(stage, linger, &hello);
    built->userns = stage_thing();
    built->mountns = stage_thing();
    stage_pipe(built->mounts);
    peer_offer(
        &stage->first, SHARE_READY,
        &(struct offer){.userns = built->userns, .mountns = built->mountns, .mountinfo = built->mounts[0]});
    peer_hang_up(&stage->first);
}

static inline void built_close(struct built *built)
{
    fd_close(&built->userns);
    fd_close(&built->mountns);
    fd_close(&built->mounts[0]);
    fd_close(&built->mounts[1]);
}

/* The offer of another view, of things that only the broker keeps. */
static inline void peer_ready(const struct peer *peer, const struct built *built)
{
    int mountns = stage_thing();

    peer_offer(peer, SHARE_READY, &(struct offer){.mountns = mountns, .mountinfo = built->mounts[0]});
    close(mountns);
}

/* --- a place for files ------------------------------------------------------------ */

static inline void stage_make_scratch(char *scratch, size_t room)
{
    const char *parent = getenv("TMPDIR");

    snprintf(scratch, room, "%s/coracle-unit-XXXXXX", parent ? parent : "/tmp");
    if (!mkdtemp(scratch))
        stage_give_up("mkdtemp");
}

static inline void stage_remove_scratch(const char *scratch)
{
    char command[PATH_MAX];

    snprintf(command, sizeof(command), "chmod -R u+rwx '%s'; rm -rf '%s'", scratch, scratch);
    if (system(command) != 0)
        stage_give_up(command);
}

#endif
