#include "broker/broker.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "broker/state.h"
#include "share/address.h"

/* How often those who wait are told that they still do, and how long a stopped builder is waited for. */
enum { WAIT_EVERY = 1000, STOPPED_FOR = 1000, SILENT_FOR = 10000 };

int broker_watch(struct broker *broker, int fd, struct event *event)
{
    struct epoll_event watched = {.events = EPOLLIN, .data.ptr = event};

    return epoll_ctl(broker->events, EPOLL_CTL_ADD, fd, &watched);
}

int broker_watch_process(struct broker *broker, const struct process *process, struct event *event)
{
    return process_can_be_polled(process) ? broker_watch(broker, process->fd, event) : 0;
}

void broker_unwatch(struct broker *broker, struct process *process)
{
    if (process_can_be_polled(process))
        epoll_ctl(broker->events, EPOLL_CTL_DEL, process->fd, NULL);
    process_close(process);
}

/* One descriptor is kept for those who come when there is none left: they are told. */
static int spare = -1;

static void keep_spare(void)
{
    spare = openat(AT_FDCWD, "/dev/null", O_RDONLY | O_CLOEXEC);
}

int broker_finds_room(struct broker *broker)
{
    const int saved = errno;
    int found;

    if (saved != EMFILE && saved != ENFILE)
        return 0;
    fd_close(&spare); /* a look takes one */
    found = broker_look_at_ranks(broker, 1);
    keep_spare();
    errno = saved;
    return found;
}

static void accept_next(struct broker *broker)
{
    int fd = accept4(broker->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0 && broker_finds_room(broker))
        fd = accept4(broker->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0 && (errno == EMFILE || errno == ENFILE) && spare >= 0) {
        fd_close(&spare);
        fd = accept4(broker->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        broker_turn_away(fd);
        fd_close(&fd);
        keep_spare();
    } else if (fd >= 0) {
        broker_add_rank(broker, fd);
    }
}

/* A builder that was stopped holds up everybody: the next one builds. */
static void pass_over_stopped(struct broker *broker, int64_t now)
{
    for (struct view *view = broker->views; view; view = view->next)
        if (view->builder && now - view->since >= STOPPED_FOR && broker_is_stopped(view->builder->pid))
            broker_give_up(broker, view->builder);
}

static void tell_waiting(struct broker *broker, int64_t now)
{
    const struct share_message wait = {SHARE_MESSAGE_MAGIC, SHARE_WAIT, 0, 0};

    if (now - broker->last_wait < WAIT_EVERY)
        return;
    broker->last_wait = now;
    pass_over_stopped(broker, now);
    for (struct rank *rank = broker->ranks; rank; rank = rank->next)
        if (rank->waits)
            share_send(rank->connection, &wait, sizeof(wait), NULL, 0);
}

/* Whoever has connected and says nothing does not keep the broker alive. */
static void drop_silent(struct broker *broker, int64_t now)
{
    for (struct rank *rank = broker->ranks, *next; rank; rank = next) {
        next = rank->next;
        if (!rank->hello.message.kind && !rank->view && now - rank->since >= SILENT_FOR)
            broker_remove_rank(broker, rank);
    }
}

/* When something is due, in milliseconds; -1: nothing is. */
static int next_due(const struct broker *broker, int64_t now)
{
    int64_t due = broker_poll_due(broker);

    if (broker->leftovers)
        return 0;
    for (const struct view *view = broker->views; view; view = view->next)
        if (view->empty && !broker_is_being_mounted(broker, view->image) &&
            (due < 0 || view->empty + broker->linger < due))
            due = view->empty + broker->linger;
    for (const struct rank *rank = broker->ranks; rank; rank = rank->next)
        if ((rank->waits || !rank->view) && (due < 0 || now + WAIT_EVERY < due))
            due = now + WAIT_EVERY;
    for (const struct image *image = broker->images; image; image = image->next)
        if (image->server.fd >= 0 && (due < 0 || broker->last_look + BROKER_LOOK_EVERY < due))
            due = broker->last_look + BROKER_LOOK_EVERY;
    if (due < 0 && !broker->ranks)
        due = now + WAIT_EVERY; /* only to tell what happened */
    return due < 0 ? -1 : due <= now ? 0 : (int)(due - now);
}

/* One event at a time: the next may be about what this one takes away. */
static void handle(struct broker *broker, const struct event *event)
{
    switch (event->kind) {
    case EVENT_LISTENER:
        accept_next(broker);
        break;
    case EVENT_CONNECTION:
        broker_hear(broker, event->owner);
        break;
    case EVENT_RANK:
        broker_see_end(broker, event->owner);
        break;
    case EVENT_SERVER:
        broker_server_ended(broker, event->owner);
        break;
    }
}

static int is_over(const struct broker *broker)
{
    return broker_is_idle(broker) && !broker_has_to_tell(broker, clock_milliseconds());
}

static void serve(struct broker *broker)
{
    while (!is_over(broker)) {
        int64_t now = clock_milliseconds();
        struct epoll_event event;
        int n = epoll_wait(broker->events, &event, 1, next_due(broker, now));

        if (n < 0 && errno != EINTR)
            return;
        if (n > 0)
            handle(broker, event.data.ptr);
        else
            broker_take_some_away(broker);
        now = clock_milliseconds();
        broker_poll(broker, now);
        broker_decide(broker);
        broker_look_at_servers(broker, now);
        tell_waiting(broker, now);
        drop_silent(broker, now);
        broker_decide(broker);
        if (!is_over(broker))
            broker_sweep(broker);
    }
}

int broker_run(int listener, int first, const char *scope, const char *origin, int linger)
{
    struct broker broker = {.events = epoll_create1(EPOLL_CLOEXEC),
                            .listener = listener,
                            .userns = -1,
                            .user_namespace = share_user_namespace(0),
                            .scope = scope,
                            .origin = origin,
                            .linger = linger,
                            .started = clock_milliseconds(),
                            .last_wait = clock_milliseconds(),
                            .last_look = clock_milliseconds(),
                            .last_poll = clock_milliseconds(),
                            .last_full_poll = clock_milliseconds(),
                            .last = &broker.ranks};

    keep_spare();
    broker_add_rank(&broker, first);
    broker.listener_event = (struct event){EVENT_LISTENER, &broker};
    /* Not before: who connects asks whose socket it is, and gets the one who listens. */
    if (broker.events < 0 || listen(listener, SOMAXCONN) < 0 ||
        broker_watch(&broker, listener, &broker.listener_event) < 0)
        return -1;
    serve(&broker);
    /* Who has queued meanwhile is told so by this, while he can still go elsewhere. */
    close(listener);
    broker_sweep(&broker);
    broker_take_all_away(&broker); /* which can last */
    return 0;
}
