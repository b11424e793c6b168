/*
 * message - what ranks and broker say to each other.
 *
 * Over a socket that keeps messages apart (SOCK_SEQPACKET), with descriptors
 * beside them (SCM_RIGHTS); unix(7). A rank: one HELLO, then, where it is to
 * build, one READY, and before that MOUNTED where it leads. The broker: one answer, before it any number of
 * WAIT. Both come from one build, or do not meet: numbers are in the host's order.
 */
#ifndef CORACLE_SHARE_MESSAGE_H
#define CORACLE_SHARE_MESSAGE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/digest.h"

/* "crb" and the version of the protocol. */
#define SHARE_MESSAGE_MAGIC 0x63726201u

/* Descriptors that the broker is started with. */
enum { SHARE_LISTENER_FD = 3, SHARE_FIRST_FD = 4 };

enum share_kind {
    /* A rank's. */
    SHARE_HELLO = 1, /* struct share_hello */
    SHARE_MOUNTED,   /* struct share_ready: it has mounted a served image, and gives the device away */
    SHARE_UNPACKING, /* struct share_message, the path and the name of the directory, each with a zero byte */
    SHARE_READY,     /* struct share_ready: it has built its view */
    SHARE_LIST,      /* struct share_message: everything, please */
    SHARE_FIND,      /* struct share_find: the view that a process is in */
    /* The broker's: struct share_message. */
    SHARE_ENTER,  /* a view that is equal: user namespace, mount namespace */
    SHARE_SERVED, /* the image is served: user namespace, FUSE device, a namespace to mount from on old
                     kernels */
    SHARE_BUILD,  /* the image is a directory: user namespace */
    SHARE_LEAD,   /* the first of its image: user namespace, where there is one */
    SHARE_ALONE,  /* go without: a reason as text follows */
    SHARE_WAIT,   /* somebody is building: still alive */
    SHARE_ITEM,   /* struct share_item */
    SHARE_END,    /* no more items; nothing found */
};

/* Which descriptors come with a message, in this order. */
enum share_descriptor {
    SHARE_USERNS = 1 << 0,
    SHARE_MOUNTNS = 1 << 1,
    SHARE_FUSE = 1 << 2,
    SHARE_CONFIG = 1 << 3,    /* a memory file with the OCI configuration of the image */
    SHARE_MOUNTINFO = 1 << 4, /* the host's mounts, opened before any was looked at; proc(5) */
    SHARE_SERVER = 1 << 5,    /* the server's process, by base/process.h */
    SHARE_DIRECTORY = 1 << 6, /* what holds the unpacked image, locked; flock(2) */
    SHARE_PARENT = 1 << 7,    /* what holds that */
    SHARE_COVERS = 1 << 8,    /* as many as `cover_count` says */
};

/* How the directory that holds an unpacked image is called: this, the uid, a number. */
#define SHARE_DIRECTORY_PREFIX "coracle-image-"

enum { SHARE_DESCRIPTORS = 9, SHARE_COVER_LIMIT = 8, SHARE_DESCRIPTOR_LIMIT = 16 };

/* The image, by what it is and not by what it is called. */
struct share_image {
    uint64_t device, inode, size;
    int64_t mtime, ctime;
    uint32_t mtime_ns, ctime_ns;
    uint64_t is_served; /* a SquashFS; else a directory. 2: one that is to be unpacked */
};

struct share_message {
    uint32_t magic, kind;
    uint32_t descriptors; /* enum share_descriptor */
    uint32_t has_config;  /* the image has an OCI configuration */
};

/* More on the stack of a rank would be a page more to touch. */
enum { SHARE_TEXT_LIMIT = 1024 };

/* The broker's answer. It is cut behind the text, which is the reason of SHARE_ALONE, or what to tell the
 * user. */
struct share_answer {
    struct share_message message;
    char text[SHARE_TEXT_LIMIT];
};

enum share_flag {
    SHARE_IS_FIRST = 1 << 0,     /* has started this broker: no answer is read */
    SHARE_OWN_VIEW = 1 << 1,     /* what it builds is for nobody else */
    SHARE_MOUNTED_ONCE = 1 << 2, /* this kernel has no second mount of one FUSE connection */
};

/* Behind it the image's path and the launch's name, each with a zero byte. */
struct share_hello {
    struct share_message message;
    uint32_t flags; /* enum share_flag */
    uint32_t unused;
    struct digest view;
    struct share_image image;
};

/* A directory of the image of which the view shows a copy of the list of names. */
struct share_cover {
    uint64_t device, inode;
    int64_t mtime;
    uint64_t mtime_ns;
};

struct share_ready {
    struct share_message message;
    uint32_t server; /* SHARE_MOUNTED: its pid */
    /* SHARE_OWN_VIEW: what was built is not what HELLO said, or may change unseen. SHARE_MOUNTED_ONCE */
    uint32_t flags;
    uint32_t cover_count, unused;
    struct share_cover covers[SHARE_COVER_LIMIT];
};

struct share_find {
    struct share_message message;
    uint32_t pid, unused;
};

enum share_item_kind { SHARE_ITEM_BROKER, SHARE_ITEM_IMAGE, SHARE_ITEM_VIEW, SHARE_ITEM_RANK };

/*
 * Broker, its images, their views, their ranks, each before what belongs to it.
 * Two texts follow, each with a zero byte: scope and origin of a broker, the path
 * of an image, the digest of a view, the name of a rank.
 */
struct share_item {
    struct share_message message;
    uint32_t kind; /* enum share_item_kind */
    uint32_t pid;  /* broker, rank; an image's server, 0: none */
    uint64_t age;  /* milliseconds */
    uint32_t pins; /* enum share_descriptor: what the broker holds */
    uint32_t flags;
};

enum { SHARE_NAME_LIMIT = 64, SHARE_MESSAGE_LIMIT = 16 * 1024 };

/* Sends LENGTH bytes as one message with COUNT descriptors. 0, or -1 and errno. No SIGPIPE comes. */
int share_send(int socket, const void *bytes, size_t length, const int *fds, size_t count);

/*
 * Receives one message of at most ROOM bytes. FDS has room for SHARE_DESCRIPTOR_LIMIT
 * descriptors, close-on-exec, the caller's; *COUNT came. The length, 0 where the
 * other side has gone, or -1 and errno; EAGAIN as the socket is set. A message that
 * was cut is EMSGSIZE.
 */
ssize_t share_receive(int socket, void *bytes, size_t room, int *fds, size_t *count);

/* The same, after waiting for PATIENCE milliseconds at most: -1 with ETIME where none came. */
ssize_t share_wait(int socket, int patience, void *bytes, size_t room, int *fds, size_t *count);

/* The descriptor WHICH of MESSAGE, with which the COUNT descriptors FDS came; it is the caller's then. -1:
 * none. */
int share_take(const struct share_message *message, enum share_descriptor which, int *fds, size_t count);

void share_close(int *fds, size_t count);

#endif
