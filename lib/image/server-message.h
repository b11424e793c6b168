/*
 * server-message - what the launcher and the image server say to each other.
 *
 * One exchange over a stream socket. The server, when it has opened the image:
 * a greeting with the image's OCI configuration or, where it has none, what another
 * system left in it (foreign/foreign.h), or with what is wrong. The
 * launcher then: an order with a descriptor (SCM_RIGHTS). To serve, when it has
 * mounted: the FUSE device, ids, and the mount points that must be there; after
 * that neither speaks. To unpack: the directory; the server answers when it has
 * done it or cannot, and gives up when the launcher is gone.
 * Both come from one build; lengths are in bytes, numbers in the host's order.
 */
#ifndef CORACLE_IMAGE_SERVER_MESSAGE_H
#define CORACLE_IMAGE_SERVER_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

/* "crc" and the version of this exchange. */
#define SERVER_MESSAGE_MAGIC 0x63726302u

/* Descriptors that the server is started with. */
enum { SERVER_IMAGE_FD = 3, SERVER_SOCKET_FD = 4 };

enum server_greeting_kind {
    SERVER_HAS_CONFIG, /* `length` bytes of configuration follow, or foreign_collect()'s */
    SERVER_NO_CONFIG,
    SERVER_REFUSES, /* `length` bytes of text follow: why; `error` is an enum err_id */
};

struct server_greeting {
    uint32_t magic, kind, error, length;
};

/* How long a configuration may be, and a text. */
enum { SERVER_CONFIG_LIMIT = 4 * 1024 * 1024, SERVER_TEXT_LIMIT = 1024 };

enum server_order_kind {
    SERVER_SERVE,
    SERVER_UNPACK, /* the other fields are 0 */
};

/*
 * `length` bytes follow: `count` times a letter and an absolute path with a zero
 * byte. The letters: what to make where the path does not exist.
 */
struct server_order {
    uint32_t magic, kind;
    uint32_t uid, gid; /* who owns every file, in the mount's user namespace */
    uint32_t count, length;
};

enum { SERVER_ORDER_LIMIT = 64 * 1024 * 1024 };

/* What unpacking has made. */
struct unpacked {
    uint64_t files;   /* names: of files, links and directories, without the root */
    uint64_t bytes;   /* of contents, without holes */
    uint64_t skipped; /* names of devices and sockets */
};

/* The answer to the order to unpack. */
struct server_outcome {
    uint32_t magic;
    uint32_t failed; /* `length` bytes of text follow: why; `error` is an enum err_id */
    uint32_t error, length;
    struct unpacked unpacked;
};

/*
 * A file in the root directory that only the launcher asks for, and only once:
 * opened and closed, it lets the kernel learn that neither open nor close need
 * be told. A close that is told cannot be killed while the server hangs.
 */
#define SERVER_PRIME_NAME ".coracle-served"

#define SERVER_MAKE_DIRECTORY 'd'
#define SERVER_MAKE_FILE 'f'
/* The same on the name itself, where a link stands there too. */
#define SERVER_MAKE_FILE_ON_NAME 'F'
#define SERVER_MAKE_DIRECTORY_ON_NAME 'D'

/*
 * Send or receive all LENGTH bytes. 0, or -1: the other side has gone (and errno,
 * EPIPE for one, where it was told; no SIGPIPE comes).
 */
int server_message_send(int socket, const void *bytes, size_t length);
int server_message_receive(int socket, void *bytes, size_t length);

#endif
