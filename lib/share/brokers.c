#include "share/brokers.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/num.h"
#include "base/str.h"
#include "share/address.h"
#include "share/meet.h"

enum { SOCKETS_LIMIT = 256 * 1024 * 1024 };

/* Adds the socket NAME, unless it is there: those it has accepted bear its name too. */
static void add_broker(struct share_brokers *brokers, const char *name, size_t length, struct arena *arena)
{
    struct share_broker broker = {.address.sun_family = AF_UNIX,
                                  .length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length)};

    if (length >= sizeof(broker.address.sun_path))
        return;
    memcpy(broker.address.sun_path + 1, name, length);
    for (size_t i = 0; i < brokers->broker_count; i++)
        if (brokers->brokers[i].length == broker.length &&
            memcmp(&brokers->brokers[i].address, &broker.address, broker.length) == 0)
            return;
    brokers->brokers = arena_grow(arena, brokers->brokers, brokers->broker_count, &brokers->broker_room,
                                  sizeof(*brokers->brokers));
    brokers->brokers[brokers->broker_count++] = broker;
}

/* Looks for names of ours: "@coracle/UID/..." at the end of a line. */
static void find_names(struct share_brokers *brokers, const char *text, struct arena *arena)
{
    char number[24];
    const char *prefix, *at = text;

    num_format(number, geteuid());
    prefix = arena_join(arena, " @" SHARE_ADDRESS_PREFIX, number, "/", NULL);
    while ((at = strstr(at, prefix))) {
        size_t length = strcspn(at, "\n");

        add_broker(brokers, at + 2, length - 2, arena);
        at += length;
    }
}

/* How one has answered. Who has HUNG_UP may just have ended. */
enum answer { TOLD, ENDED, HUNG_UP, SILENT, TURNED_AWAY };

/* How often one who hangs up is asked. */
enum { ASKED_AT_MOST = 3 };

static void add_line(struct share_brokers *brokers, size_t index, const char *bytes, struct arena *arena)
{
    struct share_line line = {.broker = index};

    memcpy(&line.item, bytes, sizeof(line.item));
    if (line.item.kind == SHARE_ITEM_BROKER)
        line.item.pid = (uint32_t)brokers->brokers[index].pid;
    line.first = arena_strdup(arena, bytes + sizeof(line.item));
    line.second = arena_strdup(arena, bytes + sizeof(line.item) + strlen(line.first) + 1);
    brokers->lines =
        arena_grow(arena, brokers->lines, brokers->line_count, &brokers->line_room, sizeof(*brokers->lines));
    brokers->lines[brokers->line_count++] = line;
}

union heard {
    struct share_answer answer;
    char bytes[SHARE_MESSAGE_LIMIT + 2];
};

/* One message, with two zeros behind it. */
static enum answer next_message(int socket, union heard *heard, ssize_t *length)
{
    int fds[SHARE_DESCRIPTOR_LIMIT];
    size_t count;

    *length = share_wait(socket, SHARE_PATIENCE, heard, SHARE_MESSAGE_LIMIT, fds, &count);
    if (*length < 0 && errno == ETIME)
        return SILENT;
    share_close(fds, count);
    if (*length < (ssize_t)sizeof(struct share_message) || heard->answer.message.magic != SHARE_MESSAGE_MAGIC)
        return HUNG_UP;
    memset(heard->bytes + *length, 0, 2);
    return TOLD;
}

static enum answer hear(struct share_brokers *brokers, size_t index, int socket, struct arena *arena)
{
    static union heard heard;
    ssize_t length;

    for (;;) {
        const enum answer came = next_message(socket, &heard, &length);

        if (came != TOLD)
            return came;
        if (heard.answer.message.kind == SHARE_ALONE) {
            brokers->brokers[index].why = arena_strdup(arena, heard.answer.text);
            return TURNED_AWAY;
        }
        if (heard.answer.message.kind == SHARE_END)
            return TOLD;
        if (heard.answer.message.kind != SHARE_ITEM || length < (ssize_t)sizeof(struct share_item))
            return HUNG_UP;
        add_line(brokers, index, heard.bytes, arena);
    }
}

/* Of one that does not tell all nothing is kept. */
static enum answer ask(struct share_brokers *brokers, size_t index, struct arena *arena)
{
    const struct share_message list = {SHARE_MESSAGE_MAGIC, SHARE_LIST, 0, 0};
    struct share_broker *broker = &brokers->brokers[index];
    FD_CLEANUP int socket = share_connect(&broker->address, broker->length);
    const size_t lines_before = brokers->line_count;
    struct ucred peer;
    socklen_t size = sizeof(peer);
    enum answer answer;

    if (socket < 0 || getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
        return ENDED; /* or it is none of ours */
    broker->pid = peer.pid;
    /* Who is turned away cannot send, but is told why. */
    if (share_send(socket, &list, sizeof(list), NULL, 0) < 0 && errno != EPIPE)
        return HUNG_UP;
    answer = hear(brokers, index, socket, arena);
    if (answer != TOLD)
        brokers->line_count = lines_before;
    return answer;
}

/* One that ends while we ask is no matter: nobody listens at its name when it is asked again. */
static enum answer ask_again(struct share_brokers *brokers, size_t index, struct arena *arena)
{
    enum answer answer = HUNG_UP;

    for (int i = 0; i < ASKED_AT_MOST && answer == HUNG_UP; i++)
        answer = ask(brokers, index, arena);
    return answer;
}

static void warn_of(const struct share_broker *broker, enum answer answer)
{
    const unsigned pid = (unsigned)broker->pid;

    if (answer == SILENT)
        log_warning("coracle-broker %u does not answer; was it stopped?", pid);
    if (answer == HUNG_UP)
        log_warning("coracle-broker %u hangs up on whoever asks; try again", pid);
    if (answer == TURNED_AWAY)
        log_warning("coracle-broker %u tells nothing: %s", pid, broker->why);
}

int share_list_brokers(struct share_brokers *brokers, struct arena *arena, struct err *err)
{
    FD_CLEANUP int fd = openat(AT_FDCWD, "/proc/net/unix", O_RDONLY | O_CLOEXEC);
    size_t length;
    char *text = fd < 0 ? NULL : fd_read_all(fd, SOCKETS_LIMIT, arena, &length);

    memset(brokers, 0, sizeof(*brokers));
    if (!text)
        return err_set(err, ERR_SYSTEM, "cannot list the node's sockets (/proc/net/unix): %s",
                       err_reason(errno));
    find_names(brokers, text, arena);
    for (size_t i = 0; i < brokers->broker_count; i++)
        warn_of(&brokers->brokers[i], ask_again(brokers, i, arena));
    return 0;
}
