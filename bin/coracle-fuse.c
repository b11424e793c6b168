/*
 * coracle-fuse: serves a SquashFS image to the processes of one mount, or unpacks
 * it into a directory.
 *
 * Started by the launcher, which is gone when this one still serves; see
 * lib/image/server.h for the life of it and lib/fuse/ for the rest.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/num.h"
#include "fuse/grafts.h"
#include "fuse/greeting.h"
#include "fuse/jail.h"
#include "base/report.h"
#include "fuse/serve.h"
#include "fuse/watch.h"
#include "image/server-message.h"
#include "squash/squash.h"
#include "unpack/unpack.h"

enum { FAILED = 125 };

static struct squash squash;
static struct arena arena;
static uint64_t requests = 1; /* up to the first, opening the image is watched as one */
static char request[SERVE_REQUEST_SIZE], answer[SERVE_ANSWER_SIZE];

static int unpacks; /* the order was that, and the launcher waits for its outcome */

/* ERR NULL: it is done. A launcher that has gone meanwhile needs no answer. */
static void tell_outcome(const struct unpacked *unpacked, const struct err *err)
{
    struct server_outcome outcome = {.magic = SERVER_MESSAGE_MAGIC, .unpacked = *unpacked};
    size_t length = err ? strlen(err->text) : 0;

    outcome.length = (uint32_t)(length < SERVER_TEXT_LIMIT ? length : SERVER_TEXT_LIMIT);
    outcome.failed = err != NULL;
    outcome.error = err ? err->id : 0;
    if (server_message_send(SERVER_SOCKET_FD, &outcome, sizeof(outcome)) == 0 && err)
        server_message_send(SERVER_SOCKET_FD, err->text, outcome.length);
}

static void __attribute__((noreturn)) out_of_memory(void)
{
    static const struct err err = {ERR_NO_MEMORY, "the system gives coracle-fuse no more memory"};

    report("the system gives no more memory");
    if (unpacks)
        tell_outcome(&(struct unpacked){0}, &err);
    _exit(FAILED);
}

/* A launcher that has gone meanwhile needs no server. */
static void greet(enum server_greeting_kind kind, enum err_id error, const void *bytes, size_t length)
{
    const struct server_greeting greeting = {SERVER_MESSAGE_MAGIC, kind, error, (uint32_t)length};

    if (server_message_send(SERVER_SOCKET_FD, &greeting, sizeof(greeting)) < 0 ||
        server_message_send(SERVER_SOCKET_FD, bytes, length) < 0)
        _exit(FAILED);
}

static void __attribute__((noreturn)) refuse(const struct err *err)
{
    size_t length = strlen(err->text);

    report("%s", err->text);
    greet(SERVER_REFUSES, err->id, err->text, length < SERVER_TEXT_LIMIT ? length : SERVER_TEXT_LIMIT);
    _exit(FAILED);
}

/* Sends what the image says about itself, or that it says nothing. */
static int greet_with_config(struct err *err)
{
    struct str bytes = {.arena = &arena};
    const int found = greeting_read(&squash, &bytes, err);

    if (found < 0)
        return -1;
    greet(found ? SERVER_HAS_CONFIG : SERVER_NO_CONFIG, 0, str_text(&bytes), bytes.length);
    return 0;
}

/* Waits for the launcher's order. 0 and *ORDER, *DESCRIPTOR; -1: it has gone, or wants nothing more. */
static int receive_order(struct server_order *order, int *descriptor)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec part = {order, sizeof(*order)};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
    struct cmsghdr *header;
    ssize_t n;

    do
        n = recvmsg(SERVER_SOCKET_FD, &message, MSG_WAITALL | MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    header = n == (ssize_t)sizeof(*order) ? CMSG_FIRSTHDR(&message) : NULL;
    if (!header || header->cmsg_type != SCM_RIGHTS || order->magic != SERVER_MESSAGE_MAGIC ||
        order->kind > SERVER_UNPACK || order->length > SERVER_ORDER_LIMIT)
        return -1;
    memcpy(descriptor, CMSG_DATA(header), sizeof(*descriptor));
    return 0;
}

/* Makes the mount points of ORDER. One that cannot be made is for the launcher to find missing. */
static int make_grafts(const struct server_order *order, struct grafts *grafts)
{
    char *bytes = arena_alloc(&arena, (size_t)order->length + 1);
    const char *next = bytes, *end = bytes + order->length;

    if (server_message_receive(SERVER_SOCKET_FD, bytes, order->length) < 0)
        return -1;
    for (uint32_t i = 0; i < order->count && next + 1 < end; i++) {
        const char kind = *next;

        grafts_add(grafts, &squash, next + 1,
                   kind == SERVER_MAKE_DIRECTORY || kind == SERVER_MAKE_DIRECTORY_ON_NAME,
                   kind == SERVER_MAKE_DIRECTORY_ON_NAME || kind == SERVER_MAKE_FILE_ON_NAME);
        next += strlen(next) + 1;
    }
    return 0;
}

static int serve_order(const struct server_order *order, int device, struct err *err)
{
    struct serve serve = {.device = device,
                          .uid = order->uid,
                          .gid = order->gid,
                          .squash = &squash,
                          .requests = &requests,
                          .request = request,
                          .answer = answer};
    struct grafts grafts = {.arena = &arena};

    serve.grafts = &grafts;
    if (make_grafts(order, &grafts) < 0)
        return 0;
    close(SERVER_SOCKET_FD);
    if (jail_close(err) < 0)
        return -1;
    requests = 2;
    if (serve_run(&serve) < 0)
        return err_set(err, ERR_SERVER, "the kernel's FUSE device failed: %s", err_reason(errno));
    return 0;
}

/* Each part of the work is a request of its own to the watch. Whether somebody waits for the next. */
static int is_wanted(void)
{
    char byte;

    requests += 2;
    return recv(SERVER_SOCKET_FD, &byte, sizeof(byte), MSG_PEEK | MSG_DONTWAIT) < 0 &&
           (errno == EAGAIN || errno == EINTR);
}

static int unpack_order(int directory, struct err *err)
{
    struct unpack unpack = {.squash = &squash, .arena = &arena, .root = directory, .go_on = is_wanted};
    int result;

    unpacks = 1;
    result = jail_close_to_unpack(err) < 0 ? -1 : unpack_image(&unpack, err);
    tell_outcome(&unpack.result, result < 0 ? err : NULL);
    return result;
}

static int follow_order(struct err *err)
{
    struct server_order order;
    int descriptor;

    if (receive_order(&order, &descriptor) < 0)
        return 0;
    return order.kind == SERVER_UNPACK ? unpack_order(descriptor, err) : serve_order(&order, descriptor, err);
}

static int usage(void)
{
    static const char text[] =
        "coracle-fuse serves or unpacks a SquashFS image. coracle starts it; it is no command.\n";

    fd_write_all(STDERR_FILENO, text, sizeof(text) - 1);
    return FAILED;
}

int main(int argc, char *argv[])
{
    uint64_t offset, length;
    struct stat st;
    struct err err;

    if (argc != 4 || num_parse(argv[2], INT64_MAX, &offset) < 0 ||
        num_parse(argv[3], INT64_MAX, &length) < 0 || fstat(SERVER_SOCKET_FD, &st) < 0 ||
        !S_ISSOCK(st.st_mode))
        return usage();
    report_open("coracle-fuse", argv[1], getenv("CORACLE_LOG"));
    arena_init(&arena, out_of_memory);
    watch_begin(&requests);
    if (jail_enter(&err) < 0 || squash_open(&squash, SERVER_IMAGE_FD, offset, length, &err) < 0 ||
        greet_with_config(&err) < 0)
        refuse(&err);
    if (follow_order(&err) < 0) {
        report("%s", err.text);
        return FAILED;
    }
    return 0;
}
