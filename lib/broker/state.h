/*
 * state - what a broker knows; private to the room.
 */
#ifndef CORACLE_BROKER_STATE_H
#define CORACLE_BROKER_STATE_H

#include <stdint.h>
#include <sys/types.h>

#include "base/process.h"
#include "share/message.h"

/* What an event is about; the first member of each. */
enum event_kind { EVENT_LISTENER, EVENT_CONNECTION, EVENT_RANK, EVENT_SERVER };

struct event {
    enum event_kind kind;
    void *owner;
};

/* Where an image was unpacked to. */
struct unpacked {
    int directory; /* what holds it, locked; -1: it was not unpacked */
    int parent;    /* what holds that; -1: it is not ours to take away */
    char *path, *name;
};

#define UNPACKED_NONE ((struct unpacked){.directory = -1, .parent = -1})

/* One that nobody uses any more. */
struct leftover {
    struct leftover *next;
    struct unpacked unpacked;
};

struct image {
    struct image *next;
    struct share_image identity;
    char *path;
    int is_ready;        /* can be mounted, or is a directory */
    int is_mounted_once; /* by a kernel that mounts it once only: another view needs another server */
    struct rank *lead;   /* who is making it ready; NULL: nobody */
    int fuse;            /* -1: nobody serves it */
    struct unpacked unpacked;
    int config; /* its OCI configuration; -1 */
    int has_config;
    struct event event; /* of `server` */
    struct process server;
    int is_stopped; /* the server was, when it was looked at last */
    int64_t since;
};

/* A server that has ended while it was needed. */
struct loss {
    struct share_image image;
    int64_t when; /* 0: none, or told already */
    int was_stopped;
};

/* How often servers are looked at, and for how long a loss is remembered, in milliseconds. */
enum { BROKER_LOOK_EVERY = 5000, BROKER_TELLS_FOR = 10000, BROKER_LOSSES = 8 };

/* How often processes are looked at that cannot be polled (base/process.h), in milliseconds. */
enum { BROKER_POLL_EVERY = 250 };

struct view {
    struct view *next;
    struct image *image;
    struct digest digest;
    int is_own;           /* for its builder alone */
    struct rank *builder; /* NULL: it is ready */
    int mountns, mountinfo;
    int covers[SHARE_COVER_LIMIT];
    struct share_cover expected[SHARE_COVER_LIMIT];
    size_t cover_count;
    unsigned ranks; /* registered ones */
    int is_seen;    /* one of them was found alive in this look */
    int64_t empty;  /* since when it has none; 0: it has */
    int is_gone;    /* nobody enters any more */
    int64_t since;
};

/* A process that has said HELLO, until it has ended. */
struct rank {
    struct rank *next;
    struct event connection_event, process_event;
    int connection;         /* -1: closed, as an exec closes it */
    struct process process; /* none: it had ended when the broker began */
    pid_t pid;
    struct share_hello hello; /* message.kind 0: it has not spoken yet */
    char *path, *name;
    struct view *view; /* the one that it is in, or builds; NULL */
    int waits;         /* for an answer */
    int64_t since;     /* when it came, or began to build */
};

struct broker {
    int events; /* epoll(7) */
    int listener;
    struct event listener_event;
    int userns;              /* of all ranks; -1: none has told yet */
    uint64_t user_namespace; /* our own: nobody inside a container is answered */
    const char *scope, *origin;
    int linger;
    int64_t started, last_wait, last_look;
    int64_t last_poll, last_full_poll;
    struct loss losses[BROKER_LOSSES]; /* a ring */
    size_t loss_count;
    struct image *images;
    struct leftover *leftovers;
    struct view *views;
    struct rank *ranks; /* in the order of their coming */
    struct rank **last;
    int has_to_decide; /* something changed for those who wait */
};

/* broker.c: watches FD until it is closed, where nobody has a copy of it. 0 or -1. epoll(7), Q6 */
int broker_watch(struct broker *broker, int fd, struct event *event);
/* broker.c: the same for PROCESS, where it can be polled; polls.c looks at others. 0 or -1. */
int broker_watch_process(struct broker *broker, const struct process *process, struct event *event);
/* broker.c: stops to watch PROCESS, of which others may have copies, and closes it. */
void broker_unwatch(struct broker *broker, struct process *process);
/*
 * broker.c: whether errno, which stays, says that no more files may be open, and a look at
 * processes that cannot be polled has given some back.
 */
int broker_finds_room(struct broker *broker);

/* ranks.c: tells who has connected as FD that there are no descriptors left for him. FD stays open. */
void broker_turn_away(int fd);
/* ranks.c: a rank for the connection FD, which becomes the broker's. */
void broker_add_rank(struct broker *broker, int fd);
/*
 * ranks.c: its connection may have something to read, or was closed. 1: a message was
 * taken; 0: none was there; -1: there is no RANK any more.
 */
int broker_hear(struct broker *broker, struct rank *rank);
/* ranks.c: its process has ended. What it has said before counts: others may enter its view. Frees RANK. */
void broker_see_end(struct broker *broker, struct rank *rank);
/* ranks.c: it does not count any more. Frees RANK. */
void broker_remove_rank(struct broker *broker, struct rank *rank);
/*
 * ranks.c: sends one answer with the descriptors that WHICH names. A rank that does not take it is
 * gone soon.
 */
void broker_answer(struct broker *broker, struct rank *rank, enum share_kind kind, unsigned which,
                   const char *text);

/* decide.c: answers every waiting rank that can be answered. */
void broker_decide(struct broker *broker);

/* views.c */
/*
 * The image that RANK asks for, where it is one that it can mount, or that somebody else is
 * mounting; NULL.
 */
struct image *broker_find_image(struct broker *broker, const struct rank *rank);
struct image *broker_add_image(struct broker *broker, struct rank *rank);
/* The view that is equal to what RANK asks for, ready or not; NULL. */
struct view *broker_find_view(struct broker *broker, const struct rank *rank);
struct view *broker_add_view(struct broker *broker, struct image *image, struct rank *builder);
/* Registers RANK with VIEW. */
void broker_enter(struct rank *rank, struct view *view);
void broker_leave(struct rank *rank);
/* RANK tells that it has mounted the image that it leads: nobody but us may hold the device from now on. */
void broker_mounted(struct broker *broker, struct rank *rank, const struct share_ready *mounted, int *fds,
                    size_t count);
/* RANK tells that its view is ready. FDS become the broker's. */
void broker_ready(struct broker *broker, struct rank *rank, const struct share_ready *ready, int *fds,
                  size_t count);
/* RANK will not make its view ready any more. */
void broker_give_up(struct broker *broker, struct rank *rank);
/* Whether VIEW still shows what a new one would: no host mount and no list of names has changed. */
int broker_is_fresh(const struct view *view);
void broker_server_ended(struct broker *broker, struct image *image);
/* Whether a rank is about to mount IMAGE: it needs a mount that is there already. */
int broker_is_being_mounted(const struct broker *broker, const struct image *image);
/* Whether the server of IMAGE has ended, though nobody has heard of it yet. */
int broker_has_lost_server(const struct image *image);
/* Whether no rank is left and nothing is held for the next. */
int broker_is_idle(const struct broker *broker);
/* Drops what nobody has been in for the linger, and images without a view. */
void broker_sweep(struct broker *broker);

/*
 * unpacked.c: RANK will unpack the image that it leads to PATH, in the directory NAME, which is
 * ours to take away. FDS become the broker's.
 */
void broker_unpacking(struct rank *rank, const struct share_message *message, const char *path,
                      const char *name, int *fds, size_t count);
/* unpacked.c: nobody uses what IMAGE was unpacked to: it is among the leftovers from now on. */
void broker_take_away(struct broker *broker, struct image *image);
/* unpacked.c: takes leftovers away, for a moment, and to the end. */
void broker_take_some_away(struct broker *broker);
void broker_take_all_away(struct broker *broker);

/* watchdog.c: whether the process PID is stopped. */
int broker_is_stopped(pid_t pid);
/* watchdog.c: kills servers that were stopped the last time and still are. */
void broker_look_at_servers(struct broker *broker, int64_t now);
/* watchdog.c: the server of IMAGE has ended. */
void broker_note_loss(struct broker *broker, const struct image *image);
/* watchdog.c: what the next launch of the image IDENTITY is to be told, once; NULL: nothing. */
const char *broker_loss_of(struct broker *broker, const struct share_image *identity);
/* watchdog.c: whether the broker stays for that. */
int broker_has_to_tell(const struct broker *broker, int64_t now);

/* polls.c: whether PROCESS is one that cannot be polled, and has ended. */
int broker_is_found_dead(const struct process *process);
/*
 * polls.c: looks at the ranks whose processes cannot be polled, at all of them or until one
 * in each view was found that lives, and removes those that have ended. Whether there were any.
 */
int broker_look_at_ranks(struct broker *broker, int all);
/* polls.c: does so when it is time, and looks at servers. */
void broker_poll(struct broker *broker, int64_t now);
/* polls.c: when that is due; -1: never. */
int64_t broker_poll_due(const struct broker *broker);

/* list.c */
void broker_list(struct broker *broker, struct rank *rank);
void broker_find(struct broker *broker, struct rank *asker, pid_t process);

#endif
