/* Images and their views. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/sys.h"
#include "broker/state.h"

static int is_image(const struct image *image, const struct rank *rank)
{
    return memcmp(&image->identity, &rank->hello.image, sizeof(image->identity)) == 0;
}

struct image *broker_find_image(struct broker *broker, const struct rank *rank)
{
    for (struct image *image = broker->images; image; image = image->next)
        if (is_image(image, rank) && !image->is_mounted_once)
            return image;
    return NULL;
}

struct image *broker_add_image(struct broker *broker, struct rank *rank)
{
    struct image *image = calloc(1, sizeof(*image));

    if (!image)
        return NULL;
    image->path = strdup(rank->path);
    if (!image->path) {
        free(image);
        return NULL;
    }
    image->identity = rank->hello.image;
    image->is_ready = !rank->hello.image.is_served;
    image->fuse = image->config = -1;
    image->server = PROCESS_NONE;
    image->unpacked = UNPACKED_NONE;
    image->since = clock_milliseconds();
    image->next = broker->images;
    broker->images = image;
    return image;
}

struct view *broker_find_view(struct broker *broker, const struct rank *rank)
{
    if (rank->hello.flags & SHARE_OWN_VIEW)
        return NULL;
    for (struct view *view = broker->views; view; view = view->next)
        if (is_image(view->image, rank) && !view->is_own && !view->is_gone &&
            digest_equal(&view->digest, &rank->hello.view))
            return view;
    return NULL;
}

struct view *broker_add_view(struct broker *broker, struct image *image, struct rank *builder)
{
    struct view *view = calloc(1, sizeof(*view));

    if (!view)
        return NULL;
    view->image = image;
    view->digest = builder->hello.view;
    view->is_own = (builder->hello.flags & SHARE_OWN_VIEW) != 0;
    view->builder = builder;
    view->mountns = view->mountinfo = -1;
    view->since = clock_milliseconds();
    view->next = broker->views;
    broker->views = view;
    broker_enter(builder, view);
    return view;
}

void broker_enter(struct rank *rank, struct view *view)
{
    rank->view = view;
    rank->waits = 0;
    rank->since = clock_milliseconds();
    view->ranks++;
    view->empty = 0;
}

void broker_leave(struct rank *rank)
{
    struct view *view = rank->view;

    rank->view = NULL;
    if (view && --view->ranks == 0)
        view->empty = clock_milliseconds();
}

/* What VIEW pins is given back; those who are in it keep it by being there. */
static void unpin(struct view *view)
{
    view->is_gone = 1;
    fd_close(&view->mountns);
    fd_close(&view->mountinfo);
    share_close(view->covers, view->cover_count);
    view->cover_count = 0;
}

static void unpin_image(struct broker *broker, struct image *image)
{
    broker_take_away(broker, image);
    broker_unwatch(broker, &image->server);
    fd_close(&image->fuse);
    fd_close(&image->config);
    image->is_ready = 0;
}

void broker_give_up(struct broker *broker, struct rank *rank)
{
    struct view *view = rank->view;

    if (!view || view->builder != rank)
        return;
    view->builder = NULL;
    unpin(view);
    if (view->image->lead == rank) {
        view->image->lead = NULL;
        unpin_image(broker, view->image); /* what it has begun is of no use to the next */
    }
    broker->has_to_decide = 1;
}

static void take_covers(struct view *view, const struct share_ready *ready, int *fds, size_t count)
{
    unsigned before = ready->message.descriptors & (SHARE_COVERS - 1);
    size_t index = (size_t)__builtin_popcount(before);

    while (view->cover_count < ready->cover_count && index < count) {
        view->expected[view->cover_count] = ready->covers[view->cover_count];
        view->covers[view->cover_count++] = fd_steal(&fds[index++]);
    }
}

static void take_server(struct image *image, int fd, pid_t pid)
{
    if (process_take(&image->server, fd, pid) < 0)
        fd_close(&fd);
}

void broker_mounted(struct broker *broker, struct rank *rank, const struct share_ready *mounted, int *fds,
                    size_t count)
{
    const struct share_message *message = &mounted->message;
    struct image *image = rank->view ? rank->view->image : NULL;

    if (!image || image->lead != rank || image->server.fd >= 0)
        return;
    image->has_config = mounted->message.has_config != 0;
    image->fuse = share_take(message, SHARE_FUSE, fds, count);
    image->config = share_take(message, SHARE_CONFIG, fds, count);
    take_server(image, share_take(message, SHARE_SERVER, fds, count), (pid_t)mounted->server);
    image->event = (struct event){EVENT_SERVER, image};
    if (image->fuse < 0 || image->server.fd < 0 ||
        broker_watch_process(broker, &image->server, &image->event) < 0)
        unpin_image(broker, image);
}

/* The leader has looked up every name that others will use first: now they may. */
static void finish_image(struct image *image, const struct rank *rank, const struct share_ready *ready)
{
    if (!image->identity.is_served)
        image->has_config = ready->message.has_config != 0;
    if (image->lead != rank)
        return;
    image->lead = NULL;
    image->is_ready = image->fuse >= 0 || image->unpacked.directory >= 0;
    image->is_mounted_once = (ready->flags & SHARE_MOUNTED_ONCE) != 0;
}

void broker_ready(struct broker *broker, struct rank *rank, const struct share_ready *ready, int *fds,
                  size_t count)
{
    const struct share_message *message = &ready->message;
    struct view *view = rank->view;
    int userns = share_take(message, SHARE_USERNS, fds, count);

    broker->has_to_decide = 1;
    /* Somebody else has taken its place, and may have made another user namespace. */
    if (!view || view->builder != rank || (userns >= 0 && broker->userns >= 0)) {
        fd_close(&userns);
        broker_give_up(broker, rank);
        return;
    }
    view->builder = NULL;
    if (userns >= 0)
        broker->userns = userns;
    view->is_own |= (ready->flags & SHARE_OWN_VIEW) != 0;
    finish_image(view->image, rank, ready);
    view->mountns = share_take(message, SHARE_MOUNTNS, fds, count);
    view->mountinfo = share_take(message, SHARE_MOUNTINFO, fds, count);
    take_covers(view, ready, fds, count);
    if (view->mountns < 0 || broker->userns < 0 || view->cover_count != ready->cover_count)
        unpin(view);
}

static int has_changed(int fd, const struct share_cover *expected)
{
    struct sys_identity found;

    return sys_identify(fd, "", AT_EMPTY_PATH, &found) < 0 || found.device != expected->device ||
           found.inode != expected->inode || found.mtime != expected->mtime ||
           found.mtime_ns != expected->mtime_ns;
}

int broker_is_fresh(const struct view *view)
{
    struct pollfd mounts = {.fd = view->mountinfo, .events = POLLPRI};

    if (view->mountinfo < 0 || poll(&mounts, 1, 0) != 0)
        return 0;
    for (size_t i = 0; i < view->cover_count; i++)
        if (has_changed(view->covers[i], &view->expected[i]))
            return 0;
    return 1;
}

void broker_server_ended(struct broker *broker, struct image *image)
{
    for (struct view *view = broker->views; view; view = view->next)
        if (view->image == image && !view->builder)
            unpin(view);
    /* Else its leader has failed, and says so itself. */
    if (image->is_ready)
        broker_note_loss(broker, image);
    unpin_image(broker, image);
    /* The same file is served anew for those who come now. */
    memset(&image->identity, 0, sizeof(image->identity));
    broker->has_to_decide = 1;
}

int broker_has_lost_server(const struct image *image)
{
    return image->server.fd >= 0 && process_has_ended(&image->server);
}

int broker_is_being_mounted(const struct broker *broker, const struct image *image)
{
    for (const struct view *view = broker->views; view; view = view->next)
        if (view->image == image && view->builder)
            return 1;
    return 0;
}

static int is_over(const struct broker *broker, const struct view *view)
{
    if (view->ranks || view->builder || broker_is_being_mounted(broker, view->image))
        return 0;
    return view->is_gone || view->is_own || clock_milliseconds() - view->empty >= broker->linger;
}

int broker_is_idle(const struct broker *broker)
{
    for (const struct view *view = broker->views; view; view = view->next)
        if (!is_over(broker, view))
            return 0;
    return !broker->ranks;
}

static void sweep_images(struct broker *broker)
{
    for (struct image **at = &broker->images; *at;) {
        struct image *image = *at;
        int is_used = 0;

        for (struct view *view = broker->views; view; view = view->next)
            is_used |= view->image == image;
        if (is_used) {
            at = &image->next;
            continue;
        }
        *at = image->next;
        unpin_image(broker, image);
        free(image->path);
        free(image);
    }
}

void broker_sweep(struct broker *broker)
{
    for (struct view **at = &broker->views; *at;) {
        struct view *view = *at;

        if (!is_over(broker, view)) {
            at = &view->next;
            continue;
        }
        *at = view->next;
        unpin(view);
        free(view);
    }
    sweep_images(broker);
}
