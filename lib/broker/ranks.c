/* Those who come, what they say, and their going. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "broker/state.h"
#include "share/address.h"

/* The process at the other end. -1 and errno: nobody whom we answer (0), or no descriptor for it. */
static int identify(struct broker *broker, struct rank *rank, int is_first)
{
    struct ucred peer;
    socklen_t length = sizeof(peer);

    errno = 0;
    if (getsockopt(rank->connection, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0 || peer.uid != geteuid() ||
        peer.pid <= 0)
        return -1;
    rank->pid = peer.pid;
    /* The first may have ended already; older kernels have no descriptor for it then. */
    if (process_open_peer(&rank->process, rank->connection, peer.pid) < 0 && !(is_first && errno == ESRCH))
        return -1;
    errno = 0;
    /* The first may be on its way already. */
    return is_first || share_user_namespace(peer.pid) == broker->user_namespace ? 0 : -1;
}

static int identify_with_room(struct broker *broker, struct rank *rank)
{
    const int is_first = broker->listener_event.owner == NULL;

    if (identify(broker, rank, is_first) == 0)
        return 0;
    return broker_finds_room(broker) ? identify(broker, rank, is_first) : -1;
}

static struct rank *new_rank(int fd)
{
    struct rank *rank = calloc(1, sizeof(*rank));

    if (!rank) {
        close(fd);
        return NULL;
    }
    rank->connection = fd;
    rank->process = PROCESS_NONE;
    rank->connection_event = (struct event){EVENT_CONNECTION, rank};
    rank->process_event = (struct event){EVENT_RANK, rank};
    rank->since = clock_milliseconds();
    return rank;
}

void broker_turn_away(int fd)
{
    static const struct share_answer answer = {
        .message = {SHARE_MESSAGE_MAGIC, SHARE_ALONE, 0, 0},
        .text = "coracle-broker, which lets ranks meet, may have no more files open (ulimit -n)"};
    char heard[SHARE_MESSAGE_LIMIT];

    /* What comes and is not read would take the answer along when this end is closed. */
    share_send(fd, &answer, sizeof(answer), NULL, 0);
    shutdown(fd, SHUT_RD);
    while (recv(fd, heard, sizeof(heard), 0) > 0)
        ;
}

/* What was said while connecting is heard at once, and mostly answered. */
void broker_add_rank(struct broker *broker, int fd)
{
    struct rank *rank = new_rank(fd);

    if (!rank)
        return;
    *broker->last = rank;
    broker->last = &rank->next;
    if (identify_with_room(broker, rank) < 0 ||
        broker_watch_process(broker, &rank->process, &rank->process_event) < 0) {
        if (errno == EMFILE || errno == ENFILE)
            broker_turn_away(rank->connection);
        broker_remove_rank(broker, rank);
        return;
    }
    if (broker_hear(broker, rank) < 0)
        return;
    broker_decide(broker);
    if (rank->connection >= 0 && broker_watch(broker, rank->connection, &rank->connection_event) < 0)
        broker_remove_rank(broker, rank);
}

static void unlink_rank(struct broker *broker, struct rank *rank)
{
    struct rank **at = &broker->ranks;

    while (*at != rank)
        at = &(*at)->next;
    *at = rank->next;
    if (broker->last == &rank->next)
        broker->last = at;
}

void broker_remove_rank(struct broker *broker, struct rank *rank)
{
    broker_give_up(broker, rank);
    broker_leave(rank);
    unlink_rank(broker, rank);
    fd_close(&rank->connection);
    process_close(&rank->process);
    free(rank->path);
    free(rank->name);
    free(rank);
    broker->has_to_decide = 1;
}

/* The text behind a message of SIZE bytes, number INDEX; "" where there is none. BYTES ends with a zero. */
static const char *text_of(const char *bytes, size_t length, size_t size, int index)
{
    const char *at = bytes + size, *end = bytes + length;

    while (index-- > 0 && at < end)
        at += strlen(at) + 1;
    return at < end ? at : "";
}

static int take_hello(struct broker *broker, struct rank *rank, const char *bytes, size_t length)
{
    const char *name;

    if (length < sizeof(rank->hello) || rank->hello.message.kind)
        return -1;
    memcpy(&rank->hello, bytes, sizeof(rank->hello));
    name = text_of(bytes, length, sizeof(rank->hello), 1);
    rank->path = strdup(text_of(bytes, length, sizeof(rank->hello), 0));
    rank->name = strdup(strlen(name) <= SHARE_NAME_LIMIT ? name : "");
    if (!rank->path || !rank->name)
        return -1;
    rank->waits = 1;
    broker->has_to_decide = 1;
    return 0;
}

static int take_ready(struct broker *broker, struct rank *rank, const char *bytes, size_t length, int *fds,
                      size_t count)
{
    struct share_ready ready;

    if (length != sizeof(ready))
        return -1;
    memcpy(&ready, bytes, sizeof(ready));
    if (ready.cover_count > SHARE_COVER_LIMIT)
        return -1;
    (ready.message.kind == SHARE_READY ? broker_ready : broker_mounted)(broker, rank, &ready, fds, count);
    return 0;
}

static int take_unpacking(struct rank *rank, const char *bytes, size_t length, int *fds, size_t count)
{
    struct share_message message;

    memcpy(&message, bytes, sizeof(message));
    broker_unpacking(rank, &message, text_of(bytes, length, sizeof(message), 0),
                     text_of(bytes, length, sizeof(message), 1), fds, count);
    return 0;
}

static int take_find(struct broker *broker, struct rank *rank, const char *bytes, size_t length)
{
    struct share_find find;

    if (length != sizeof(find) || rank->view)
        return -1;
    memcpy(&find, bytes, sizeof(find));
    broker_find(broker, rank, (pid_t)find.pid);
    return 0;
}

static int take_message(struct broker *broker, struct rank *rank, const char *bytes, size_t length, int *fds,
                        size_t count)
{
    struct share_message message;

    if (length < sizeof(message))
        return -1;
    memcpy(&message, bytes, sizeof(message));
    if (message.magic != SHARE_MESSAGE_MAGIC)
        return -1;
    switch (message.kind) {
    case SHARE_HELLO:
        return take_hello(broker, rank, bytes, length);
    case SHARE_MOUNTED:
    case SHARE_READY:
        return take_ready(broker, rank, bytes, length, fds, count);
    case SHARE_UNPACKING:
        return take_unpacking(rank, bytes, length, fds, count);
    case SHARE_LIST:
        broker_list(broker, rank);
        return 0;
    case SHARE_FIND:
        return take_find(broker, rank, bytes, length);
    default:
        return -1;
    }
}

/*
 * An exec closes the connection, and so does the end of a rank that did not come to
 * it. Whether the rank counts on.
 */
static int hang_up(struct broker *broker, struct rank *rank)
{
    fd_close(&rank->connection);
    broker_give_up(broker, rank);
    if (rank->view && !rank->waits && rank->process.fd >= 0)
        return 1;
    broker_remove_rank(broker, rank);
    return 0;
}

int broker_hear(struct broker *broker, struct rank *rank)
{
    static char bytes[SHARE_MESSAGE_LIMIT + 1];
    int fds[SHARE_DESCRIPTOR_LIMIT];
    size_t count;
    ssize_t length = share_receive(rank->connection, bytes, sizeof(bytes) - 1, fds, &count);
    int heard = 1;

    if (length < 0 && errno == EAGAIN)
        return 0;
    if (length > 0)
        bytes[length] = 0;
    if (length <= 0 || take_message(broker, rank, bytes, (size_t)length, fds, count) < 0)
        heard = hang_up(broker, rank) ? 0 : -1;
    share_close(fds, count);
    return heard;
}

void broker_see_end(struct broker *broker, struct rank *rank)
{
    int heard = 1;

    while (heard > 0 && rank->connection >= 0)
        heard = broker_hear(broker, rank);
    if (heard >= 0)
        broker_remove_rank(broker, rank);
}

void broker_answer(struct broker *broker, struct rank *rank, enum share_kind kind, unsigned which,
                   const char *text)
{
    struct share_answer answer = {.message = {SHARE_MESSAGE_MAGIC, kind, which, 0}};
    const struct view *view = rank->view;
    const struct image *image = view ? view->image : NULL;
    const int held[] = {broker->userns,
                        view ? view->mountns : -1,
                        image ? image->fuse : -1,
                        image ? image->config : -1,
                        -1,
                        -1,
                        image ? image->unpacked.directory : -1};
    size_t length = sizeof(answer.message);
    int fds[SHARE_DESCRIPTORS];
    size_t count = 0;

    if (rank->hello.flags & SHARE_IS_FIRST)
        return; /* it does not read: it knows that it leads */
    for (size_t i = 0; i < sizeof(held) / sizeof(held[0]); i++)
        if (which & 1u << i)
            fds[count++] = held[i];
    answer.message.has_config = image && image->has_config;
    if (text)
        strncpy(answer.text, text, sizeof(answer.text) - 1);
    length += strlen(answer.text);
    share_send(rank->connection, &answer, length, fds, count);
    if (kind == SHARE_ENTER)
        fd_close(&rank->connection);
}
