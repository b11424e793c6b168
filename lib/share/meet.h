/*
 * meet - a launch finds the others of its scope on this node.
 *
 *     connect; somebody is there: say HELLO, get one answer
 *     nobody: bind, which elects, and start coracle-broker
 *
 * The broker (bin/coracle-broker.c) holds the user namespace and the views that
 * are ready and tells each rank which way to take. It ends when the last rank has
 * gone. Nothing waits for it longer than SHARE_PATIENCE: a launch that gets no
 * word goes alone and says so.
 */
#ifndef CORACLE_SHARE_MEET_H
#define CORACLE_SHARE_MEET_H

#include <sys/socket.h>
#include <sys/un.h>

#include "base/arena.h"
#include "base/err.h"
#include "plan/plan.h"
#include "share/message.h"
#include "share/view.h"

/* For how long a broker may be silent, in milliseconds. While it waits for others it says so each second. */
enum { SHARE_PATIENCE = 5000 };

struct share_meeting {
    enum share_kind way;        /* SHARE_ENTER, SHARE_SERVED, SHARE_BUILD, SHARE_LEAD or SHARE_ALONE */
    int broker;                 /* who is to be told when the view is ready; -1: nobody */
    int userns;                 /* to enter; -1: make one */
    int mountns;                /* SHARE_ENTER: to enter */
    int fuse;                   /* SHARE_SERVED: what to mount */
    int directory;              /* SHARE_SERVED, where the image was unpacked: what holds it */
    const char *directory_path; /* the image's root in it */
    int config;                 /* the image's OCI configuration in a memory file; -1: none came */
    int mountinfo;              /* the host's mounts, opened before any of them is cloned; proc(5) */
    const char *why_alone;      /* SHARE_ALONE against what was asked for: why; NULL */
    const char *news;           /* what happened to others, for the user; NULL: nothing */
    int has_config;             /* SHARE_ENTER, SHARE_SERVED: the image has one */
    const struct share_view *view;
};

/*
 * Called where this launch is the first, before it is elected: an image that cannot be run starts
 * no broker.
 */
struct share_first {
    int (*check)(void *context, struct err *err);
    void *context;
};

/*
 * Finds the way for PLAN, whose view is VIEW and has to outlive MEETING. A launch
 * that cannot meet is told to go alone, and why. 0, or -1 where FIRST's check failed. The descriptors are
 * close-on-exec and stay open.
 */
int share_meet(struct share_meeting *meeting, const struct plan *plan, const struct share_view *view,
               const struct share_first *first, char *const environment[], struct arena *arena,
               struct err *err);

/* The meeting of a launch that shares nothing. */
void share_alone(struct share_meeting *meeting);

/*
 * Opens an abstract socket of the broker at ADDRESS and checks that a process of
 * this user, outside of containers, listens there. The connection, or -1.
 */
int share_connect(const struct sockaddr_un *address, socklen_t length);

/* Waits at SOCKET for the answer to what was asked there and fills MEETING with it. 0, or -1: none came. */
int share_hear(struct share_meeting *meeting, int socket);

#endif
