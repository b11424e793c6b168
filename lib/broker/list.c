/* For `coracle ps` and `coracle exec`. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "broker/state.h"

/* For how long the others wait for one who asks and does not read, in milliseconds. */
enum { ASKER_PATIENCE = 100 };

/* Sends or, where the asker does not read, closes the connection for reading as well: no more is sent. */
static void send_to(struct rank *asker, const void *bytes, size_t length)
{
    struct pollfd room = {.fd = asker->connection, .events = POLLOUT};

    if (share_send(asker->connection, bytes, length, NULL, 0) == 0)
        return;
    if (errno != EAGAIN || poll(&room, 1, ASKER_PATIENCE) <= 0 ||
        share_send(asker->connection, bytes, length, NULL, 0) < 0)
        shutdown(asker->connection, SHUT_RDWR);
}

/* The two texts are cut where they do not fit; a path keeps its end. */
static void send_item(struct rank *asker, const struct share_item *item, const char *first,
                      const char *second)
{
    char bytes[SHARE_MESSAGE_LIMIT];
    size_t length = sizeof(*item), n = strlen(first), m = strlen(second);

    if (n > 4096) {
        first += n - 4096;
        n = 4096;
    }
    if (m > 1024)
        m = 1024;
    memcpy(bytes, item, sizeof(*item));
    memcpy(bytes + length, first, n + 1);
    length += n + 1;
    memcpy(bytes + length, second, m);
    length += m;
    bytes[length++] = 0;
    send_to(asker, bytes, length);
}

static struct share_item new_item(enum share_item_kind kind, pid_t pid, int64_t since)
{
    return (struct share_item){.message = {SHARE_MESSAGE_MAGIC, SHARE_ITEM, 0, 0},
                               .kind = kind,
                               .pid = (uint32_t)pid,
                               .age = (uint64_t)(clock_milliseconds() - since)};
}

static void list_ranks(const struct broker *broker, struct rank *asker, const struct view *view)
{
    for (struct rank *rank = broker->ranks; rank; rank = rank->next) {
        struct share_item item = new_item(SHARE_ITEM_RANK, rank->pid, rank->since);

        if (rank->view == view && !broker_is_found_dead(&rank->process))
            send_item(asker, &item, rank->name ? rank->name : "", "");
    }
}

static void list_views(const struct broker *broker, struct rank *asker, const struct image *image)
{
    for (const struct view *view = broker->views; view; view = view->next) {
        struct share_item item = new_item(SHARE_ITEM_VIEW, 0, view->since);
        char digest[DIGEST_TEXT];

        if (view->image != image)
            continue;
        item.pins = (view->mountns >= 0 ? SHARE_MOUNTNS : 0) | (view->cover_count ? SHARE_COVERS : 0);
        item.flags = view->is_own ? SHARE_OWN_VIEW : 0;
        digest_format(digest, &view->digest);
        send_item(asker, &item, digest, "");
        list_ranks(broker, asker, view);
    }
}

void broker_list(struct broker *broker, struct rank *asker)
{
    const struct share_message end = {SHARE_MESSAGE_MAGIC, SHARE_END, 0, 0};
    struct share_item item = new_item(SHARE_ITEM_BROKER, 0, broker->started);

    item.pins = broker->userns >= 0 ? SHARE_USERNS : 0;
    send_item(asker, &item, broker->scope, broker->origin);
    for (const struct image *image = broker->images; image; image = image->next) {
        item = new_item(SHARE_ITEM_IMAGE, image->server.pid, image->since);
        item.flags = (uint32_t)image->identity.is_served;
        item.pins =
            (image->fuse >= 0 ? SHARE_FUSE : 0) | (image->unpacked.directory >= 0 ? SHARE_DIRECTORY : 0);
        send_item(asker, &item, image->path, "");
        list_views(broker, asker, image);
    }
    send_to(asker, &end, sizeof(end));
}

static int is_wanted(const struct rank *rank, pid_t process)
{
    return rank->pid == process && rank->view && !rank->view->builder && rank->view->mountns >= 0 &&
           !broker_is_found_dead(&rank->process);
}

void broker_find(struct broker *broker, struct rank *asker, pid_t process)
{
    for (struct rank *rank = broker->ranks; rank; rank = rank->next) {
        if (!is_wanted(rank, process))
            continue;
        broker_enter(asker, rank->view);
        broker_answer(broker, asker, SHARE_ENTER,
                      SHARE_USERNS | SHARE_MOUNTNS | (rank->view->image->config >= 0 ? SHARE_CONFIG : 0),
                      NULL);
        return;
    }
    broker_answer(broker, asker, SHARE_END, 0, NULL);
}
