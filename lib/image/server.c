#include "image/server.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "base/orphan.h"
#include "base/str.h"
#include "host/programs.h"
#include "image/server-message.h"

static const char program[] = "coracle-fuse";

static int not_started(int errnum, struct err *err)
{
    const int is_limit = errnum == EAGAIN || errnum == ENOMEM || errnum == EMFILE || errnum == ENFILE;
    const char *place = programs_place(errnum);

    return err_set(
        err, is_limit ? ERR_LIMIT : ERR_SERVER,
        "coracle-fuse, which serves the image, cannot be started: %s%s%s", err_reason(errnum), place,
        *place ? " and is built where configure finds libsquashfuse (Debian: libsquashfuse-dev)" : "");
}

/* Of the environment the server gets where to log, and nothing else. */
static char *const *server_environment(char *const environment[], struct arena *arena)
{
    char **kept = arena_alloc(arena, 2 * sizeof(*kept));

    for (; *environment; environment++)
        if (strncmp(*environment, "CORACLE_LOG=", 12) == 0)
            kept[0] = *environment;
    return kept;
}

int image_server_start(struct image_server *server, int image, const char *name, uint64_t offset,
                       uint64_t length, char *const environment[], struct arena *arena, struct err *err)
{
    char from[24], bytes[24];
    char *argv[] = {arena_strdup(arena, program), arena_strdup(arena, name), from, bytes, NULL};
    int ends[2];
    int saved;

    num_format(from, offset);
    num_format(bytes, length);
    server->socket = -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return not_started(errno, err);
    server->process = orphan_start(programs_find(program, arena), argv,
                                   server_environment(environment, arena), (const int[]){image, ends[1]}, 2);
    saved = errno;
    fd_close(&ends[1]);
    if (server->process < 0) {
        fd_close(&ends[0]);
        return not_started(saved, err);
    }
    server->socket = ends[0];
    return 0;
}

static int has_ended(struct err *err)
{
    return err_set(err, ERR_SERVER,
                   "coracle-fuse ended before it had opened the image; the system's log may say why, or the "
                   "file that CORACLE_LOG names");
}

int image_server_greet(const struct image_server *server, char **config, size_t *length, struct arena *arena,
                       struct err *err)
{
    struct server_greeting greeting;
    char *bytes;

    *config = NULL;
    if (server_message_receive(server->socket, &greeting, sizeof(greeting)) < 0)
        return has_ended(err);
    if (greeting.magic != SERVER_MESSAGE_MAGIC || greeting.kind > SERVER_REFUSES ||
        greeting.error >= ERR_COUNT ||
        greeting.length > (greeting.kind == SERVER_REFUSES ? SERVER_TEXT_LIMIT : SERVER_CONFIG_LIMIT))
        return err_set(err, ERR_SERVER, "coracle-fuse is of another version; reinstall Coracle");
    bytes = arena_alloc(arena, greeting.length + 1);
    if (server_message_receive(server->socket, bytes, greeting.length) < 0)
        return has_ended(err);
    if (greeting.kind == SERVER_REFUSES)
        return err_set(err, (enum err_id)greeting.error, "%s", bytes);
    if (greeting.kind == SERVER_HAS_CONFIG)
        *config = bytes;
    *length = greeting.length;
    return 0;
}

/* Sends ORDER with DESCRIPTOR. 0, or -1 and errno. */
static int send_order(const struct image_server *server, struct server_order *order, int descriptor)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec part = {order, sizeof(*order)};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);

    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
    while (sendmsg(server->socket, &message, MSG_NOSIGNAL) < 0)
        if (errno != EINTR)
            return -1;
    return 0;
}

int image_server_order(const struct image_server *server, int fuse, uint32_t uid, uint32_t gid,
                       const char *points, size_t count, size_t length)
{
    struct server_order order = {SERVER_MESSAGE_MAGIC, SERVER_SERVE,    uid, gid,
                                 (uint32_t)count,      (uint32_t)length};

    if (length > SERVER_ORDER_LIMIT) {
        errno = E2BIG;
        return -1;
    }
    if (send_order(server, &order, fuse) < 0)
        return -1;
    return server_message_send(server->socket, points, length);
}

/* Whether ".." in DIRECTORY leads nowhere. */
static int is_root(int directory)
{
    struct stat here, above;

    return fstat(directory, &here) == 0 && fstatat(directory, "..", &above, 0) == 0 &&
           here.st_dev == above.st_dev && here.st_ino == above.st_ino;
}

static int has_not_unpacked(struct err *err)
{
    return err_set(err, ERR_SERVER,
                   "coracle-fuse ended before it had unpacked the image; the system's log may say why, or "
                   "the file that CORACLE_LOG names");
}

int image_server_unpack(const struct image_server *server, int directory, struct unpacked *result,
                        struct err *err)
{
    struct server_order order = {.magic = SERVER_MESSAGE_MAGIC, .kind = SERVER_UNPACK};
    struct server_outcome outcome;
    char text[SERVER_TEXT_LIMIT + 1] = "";

    if (!is_root(directory))
        return err_set(err, ERR_SYSTEM,
                       "the directory to unpack the image into is not the root of a mount, so coracle-fuse "
                       "could leave it");
    if (send_order(server, &order, directory) < 0 ||
        server_message_receive(server->socket, &outcome, sizeof(outcome)) < 0)
        return has_not_unpacked(err);
    if (outcome.magic != SERVER_MESSAGE_MAGIC || outcome.error >= ERR_COUNT ||
        outcome.length > SERVER_TEXT_LIMIT)
        return err_set(err, ERR_SERVER, "coracle-fuse is of another version; reinstall Coracle");
    if (server_message_receive(server->socket, text, outcome.length) < 0)
        return has_not_unpacked(err);
    if (outcome.failed)
        return err_set(err, (enum err_id)outcome.error, "%s", text);
    *result = outcome.unpacked;
    return 0;
}
