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

static ssize_t next_message(int socket, void *bytes, size_t room)
{
    int fds[SHARE_DESCRIPTOR_LIMIT];
    size_t count;
    ssize_t n = share_wait(socket, SHARE_PATIENCE, bytes, room, fds, &count);

    share_close(fds, count);
    return n;
}

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

static int ask(struct share_brokers *brokers, size_t index, struct arena *arena)
{
    static char bytes[SHARE_MESSAGE_LIMIT + 2];
    const struct share_message list = {SHARE_MESSAGE_MAGIC, SHARE_LIST, 0, 0};
    struct share_broker *broker = &brokers->brokers[index];
    FD_CLEANUP int socket = share_connect(&broker->address, broker->length);
    struct share_message message;
    struct ucred peer;
    socklen_t size = sizeof(peer);

    if (socket < 0)
        return 0; /* it has ended, or is none of ours */
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
        return 0;
    broker->pid = peer.pid;
    if (share_send(socket, &list, sizeof(list), NULL, 0) < 0)
        return -1;
    for (;;) {
        ssize_t length = next_message(socket, bytes, sizeof(bytes) - 2);

        if (length < (ssize_t)sizeof(message))
            return -1;
        memcpy(&message, bytes, sizeof(message));
        if (message.magic != SHARE_MESSAGE_MAGIC || message.kind != SHARE_ITEM ||
            length < (ssize_t)sizeof(struct share_item))
            return message.magic == SHARE_MESSAGE_MAGIC && message.kind == SHARE_END ? 0 : -1;
        bytes[length] = bytes[length + 1] = 0;
        add_line(brokers, index, bytes, arena);
    }
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
        if (ask(brokers, i, arena) < 0)
            log_warning("coracle-broker %u does not answer; was it stopped?",
                        (unsigned)brokers->brokers[i].pid);
    return 0;
}
