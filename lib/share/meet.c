#include "share/meet.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/env.h"
#include "base/fd.h"
#include "base/orphan.h"
#include "base/str.h"
#include "host/programs.h"
#include "share/address.h"

/*
 * How often a launch begins anew: the others of its scope may be starting or ending
 * while it arrives, and a broker's program may lie on a slow file system. 5 seconds.
 * A name that is taken and at which nobody listens is passed over after 2 of them.
 */
enum {
    ATTEMPTS = 1050,
    REFUSALS = 450,
    SHORT_PAUSE_NS = 100 * 1000,
    LONG_PAUSE_NS = 5 * 1000 * 1000,
    SHORT_PAUSES = 50
};

/* What came of one attempt. */
enum outcome { MET, NOBODY, FOREIGN, AGAIN, SILENT, LIMITED };

struct caller {
    struct share_meeting *meeting;
    const struct plan *plan;
    const struct share_first *first;
    char *const *environment;
    struct arena *arena;
    struct share_key key;
    struct str hello;
    int index;    /* of the address that is tried */
    int lowest;   /* of those that are not passed over */
    int refusals; /* how often the name was taken, and nobody there */
    int checked;
};

void share_alone(struct share_meeting *meeting)
{
    *meeting = (struct share_meeting){.way = SHARE_ALONE,
                                      .broker = -1,
                                      .userns = -1,
                                      .mountns = -1,
                                      .fuse = -1,
                                      .directory = -1,
                                      .config = -1,
                                      .mountinfo = -1};
}

static void compose_hello(struct caller *caller, const struct share_view *view)
{
    const struct plan *plan = caller->plan;
    struct share_hello hello = {.message = {SHARE_MESSAGE_MAGIC, SHARE_HELLO, 0, 0},
                                .flags = plan->own_view ? SHARE_OWN_VIEW : 0,
                                .view = view->digest,
                                .image = view->image};
    const size_t length = strlen(plan->image_path);
    const char *image = length >= 4096 ? plan->image_path + length - 4095 : plan->image_path;

    str_add_bytes(&caller->hello, &hello, sizeof(hello));
    str_add_bytes(&caller->hello, image, strlen(image) + 1);
    str_add_bytes(&caller->hello, plan->name ? plan->name : "", plan->name ? strlen(plan->name) + 1 : 1);
}

static int new_socket(void)
{
    return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* Whoever listens must be this user's and none of his containers: what has his uid inside may listen too. */
static int is_ours(int socket, uint64_t user_namespace)
{
    struct ucred peer;
    socklen_t length = sizeof(peer);

    /* A pid of 0 is of a pid namespace that we do not see. */
    return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 &&
           peer.uid == getauxval(AT_EUID) && peer.pid > 0 && share_user_namespace(peer.pid) == user_namespace;
}

int share_connect(const struct sockaddr_un *address, socklen_t length)
{
    FD_CLEANUP int fd = new_socket();

    if (fd < 0 || connect(fd, (const struct sockaddr *)address, length) < 0)
        return -1;
    if (is_ours(fd, share_user_namespace(0)))
        return fd_steal(&fd);
    errno = EACCES;
    return -1;
}

static int is_answer(const struct share_message *message, ssize_t length)
{
    return length >= (ssize_t)sizeof(*message) && message->magic == SHARE_MESSAGE_MAGIC &&
           message->kind >= SHARE_ENTER && message->kind <= SHARE_WAIT;
}

static void take_answer(struct share_meeting *meeting, const struct share_message *message, int *fds,
                        size_t count)
{
    meeting->way = (enum share_kind)message->kind;
    meeting->has_config = message->has_config != 0;
    meeting->userns = share_take(message, SHARE_USERNS, fds, count);
    meeting->mountns = share_take(message, SHARE_MOUNTNS, fds, count);
    meeting->fuse = share_take(message, SHARE_FUSE, fds, count);
    meeting->config = share_take(message, SHARE_CONFIG, fds, count);
    meeting->directory = share_take(message, SHARE_DIRECTORY, fds, count);
    share_close(fds, count);
}

/* The one answer. The broker may be about to end (AGAIN), or stopped (SILENT). */
static enum outcome hear(struct share_meeting *meeting, struct share_answer *answer, int socket)
{
    int fds[SHARE_DESCRIPTOR_LIMIT];
    size_t count;
    ssize_t length;

    do {
        length = share_wait(socket, SHARE_PATIENCE, answer, sizeof(*answer) - 1, fds, &count);
        if (length < 0 && errno == ETIME)
            return SILENT;
        if (length < 0 && errno == EMSGSIZE)
            return LIMITED; /* the descriptors did not come along */
        if (!is_answer(&answer->message, length))
            return AGAIN;
    } while (answer->message.kind == SHARE_WAIT);
    ((char *)answer)[length] = 0;
    take_answer(meeting, &answer->message, fds, count);
    return MET;
}

int share_hear(struct share_meeting *meeting, int socket)
{
    struct share_answer answer;

    return hear(meeting, &answer, socket) == MET ? 0 : -1;
}

/* A broker that has just ended cannot be looked at any more. */
static int has_hung_up(int socket)
{
    struct pollfd other = {.fd = socket};

    return poll(&other, 1, 0) > 0 && (other.revents & POLLHUP);
}

/* What the text of an answer is. */
static const char **text_of(struct share_meeting *meeting)
{
    if (meeting->way == SHARE_ALONE)
        return &meeting->why_alone;
    return meeting->directory >= 0 ? &meeting->directory_path : &meeting->news;
}

static enum outcome ask(struct caller *caller, int *socket)
{
    struct share_answer answer;
    enum outcome outcome;

    if (!is_ours(*socket, caller->key.user_namespace))
        return has_hung_up(*socket) ? AGAIN : FOREIGN;
    /* Who is turned away cannot send, but is told why. */
    if (share_send(*socket, caller->hello.data, caller->hello.length, NULL, 0) < 0 && errno != EPIPE)
        return AGAIN;
    outcome = hear(caller->meeting, &answer, *socket);
    if (outcome == MET)
        caller->meeting->broker = fd_steal(socket);
    if (outcome == MET && *answer.text)
        *text_of(caller->meeting) = arena_strdup(caller->arena, answer.text);
    return outcome;
}

static enum outcome connect_and_ask(struct caller *caller)
{
    struct sockaddr_un address;
    socklen_t length = share_address(&address, caller->plan->host_uid, &caller->key.digest, caller->index);
    FD_CLEANUP int socket = new_socket();

    if (socket < 0)
        return LIMITED;
    if (connect(socket, (struct sockaddr *)&address, length) == 0)
        return ask(caller, &socket);
    if (errno != EAGAIN)
        return NOBODY;
    caller->refusals++; /* more are waiting than the kernel queues */
    return AGAIN;
}

/* Of the environment the broker gets what concerns it. */
static char *const *broker_environment(const struct caller *caller)
{
    static const char *const names[] = {"CORACLE_LOG=", "CORACLE_LINGER="};
    char **kept = arena_alloc(caller->arena, 3 * sizeof(*kept));
    size_t count = 0;

    for (char *const *entry = caller->environment; *entry; entry++)
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
            if (count < 2 && strncmp(*entry, names[i], strlen(names[i])) == 0)
                kept[count++] = *entry;
    return kept;
}

/* This launch's own words are the first that the broker hears, whoever else waits by then. */
static int start_broker(struct caller *caller, int listener, int *ours)
{
    char *argv[] = {arena_strdup(caller->arena, "coracle-broker"),
                    arena_strdup(caller->arena, caller->plan->scope.name),
                    arena_strdup(caller->arena, caller->plan->scope.origin), NULL};
    int ends[2];
    pid_t broker;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        return -1;
    ((struct share_hello *)(void *)caller->hello.data)->flags |= SHARE_IS_FIRST;
    broker = -1;
    if (share_send(ends[0], caller->hello.data, caller->hello.length, NULL, 0) == 0)
        broker = orphan_start(programs_find("coracle-broker", caller->arena), argv,
                              broker_environment(caller), (const int[]){listener, ends[1]}, 2);
    fd_close(&ends[1]);
    if (broker < 0)
        fd_close(&ends[0]);
    *ours = ends[0];
    return broker < 0 ? -1 : 0;
}

/*
 * Nobody was there: whoever binds the name is the first. It does not listen: who
 * connects would take it for the broker, and it is elsewhere soon. Until the broker
 * listens others find the name taken and nobody there, and try again.
 */
static enum outcome be_first(struct caller *caller)
{
    struct sockaddr_un address;
    socklen_t length = share_address(&address, caller->plan->host_uid, &caller->key.digest, caller->index);
    FD_CLEANUP int listener = new_socket();

    if (listener < 0)
        return LIMITED;
    if (bind(listener, (struct sockaddr *)&address, length) < 0) {
        caller->refusals++;
        return AGAIN;
    }
    if (start_broker(caller, listener, &caller->meeting->broker) < 0) {
        caller->meeting->why_alone =
            arena_join(caller->arena, "coracle-broker cannot be started: ", err_reason(errno),
                       programs_place(errno), NULL);
        return MET;
    }
    caller->meeting->way = SHARE_LEAD;
    return MET;
}

static enum outcome attempt(struct caller *caller, struct err *err)
{
    enum outcome outcome = FOREIGN;

    if (caller->refusals >= REFUSALS) {
        caller->refusals = 0;
        caller->lowest++;
    }
    for (caller->index = caller->lowest; caller->index < SHARE_ADDRESSES && outcome == FOREIGN;
         caller->index++)
        outcome = connect_and_ask(caller);
    caller->index--;
    if (outcome != NOBODY)
        return outcome;
    if (!caller->checked && caller->first->check(caller->first->context, err) < 0)
        return NOBODY;
    caller->checked = 1;
    return be_first(caller);
}

static void pause_for(int attempt)
{
    const struct timespec pause = {0, attempt < SHORT_PAUSES ? SHORT_PAUSE_NS : LONG_PAUSE_NS};

    nanosleep(&pause, NULL);
}

/* The host's mounts before any of them is looked at: what changes from now on shows. */
static int open_mountinfo(void)
{
    return openat(AT_FDCWD, "/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
}

/* Why a launch is alone that came to OUTCOME; NULL: it is not. */
static const char *reason_of(enum outcome outcome)
{
    switch (outcome) {
    case FOREIGN:
        return "all names of its meeting place are taken by somebody else";
    case SILENT:
        return "coracle-broker does not answer; was it stopped?";
    case LIMITED:
        return "it may not have enough files open; raise the limit: ulimit -n";
    case AGAIN:
        return "too many are starting and ending at the same time";
    default:
        return NULL;
    }
}

int share_meet(struct share_meeting *meeting, const struct plan *plan, const struct share_view *view,
               const struct share_first *first, char *const environment[], struct arena *arena,
               struct err *err)
{
    struct caller caller = {.meeting = meeting,
                            .plan = plan,
                            .first = first,
                            .environment = environment,
                            .arena = arena,
                            .hello = {.arena = arena}};
    enum outcome outcome = AGAIN;

    share_alone(meeting);
    meeting->view = view;
    share_key_take(&caller.key, plan, arena);
    compose_hello(&caller, view);
    for (int i = 0; i < ATTEMPTS && outcome == AGAIN; i++) {
        if (i)
            pause_for(i);
        outcome = attempt(&caller, err);
    }
    if (outcome == NOBODY)
        return -1;
    meeting->why_alone = meeting->why_alone ? meeting->why_alone : reason_of(outcome);
    if (meeting->broker >= 0 && meeting->way != SHARE_ENTER)
        meeting->mountinfo = open_mountinfo();
    return 0;
}
