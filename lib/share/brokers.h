/*
 * brokers - what the brokers of a user on this node know.
 *
 * They are found by their names: the kernel lists the sockets of a network
 * namespace (/proc/net/unix, proc(5)). Each is asked for its images, views and
 * ranks.
 */
#ifndef CORACLE_SHARE_BROKERS_H
#define CORACLE_SHARE_BROKERS_H

#include <sys/socket.h>
#include <sys/un.h>

#include "base/arena.h"
#include "base/err.h"
#include "share/message.h"

/* One line of what was told; share_item in message.h says what the texts are. */
struct share_line {
    struct share_item item;
    const char *first, *second;
    size_t broker; /* index of its broker */
};

struct share_broker {
    struct sockaddr_un address;
    socklen_t length;
    pid_t pid;
    const char *why; /* it tells nothing; NULL where it tells */
};

struct share_brokers {
    struct share_broker *brokers;
    size_t broker_count, broker_room;
    struct share_line *lines;
    size_t line_count, line_room;
};

/*
 * Fills BROKERS with all of the caller's that answer: those in his user namespace.
 * One that is stopped, hangs up or tells nothing is left out, with a warning; one
 * that ends meanwhile without. 0, or -1 where the sockets cannot be listed.
 */
int share_list_brokers(struct share_brokers *brokers, struct arena *arena, struct err *err);

#endif
