/*
 * server - the launcher's side of coracle-fuse, which serves a SquashFS image.
 *
 * The server is started before anything is known of the image beyond its first
 * bytes, in the host's namespaces, as nobody's child: what parses an image is
 * another process than what launches. It opens the image and sends its
 * configuration. launch_run() hands it the FUSE descriptor. It ends by itself:
 * when the socket is closed before that, or when no process sees the mount.
 */
#ifndef CORACLE_IMAGE_SERVER_H
#define CORACLE_IMAGE_SERVER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"

struct image_server {
    int socket; /* close-on-exec; -1: none */
    pid_t process;
};

/*
 * Starts a server for the file IMAGE, which is called NAME: LENGTH bytes from
 * OFFSET of it. IMAGE stays the caller's. 0, or -1 with ERR_SERVER or ERR_LIMIT.
 */
int image_server_start(struct image_server *server, int image, const char *name, uint64_t offset,
                       uint64_t length, char *const environment[], struct arena *arena, struct err *err);

/*
 * Waits until it has opened the image. *CONFIG: the bytes of the image's OCI
 * configuration, *LENGTH of them, in ARENA; NULL: it has none. 0, or -1 with what
 * is wrong with the image, or why the server cannot work.
 */
int image_server_greet(const struct image_server *server, char **config, size_t *length, struct arena *arena,
                       struct err *err);

/*
 * Hands it the FUSE descriptor, the owner of all files and COUNT mount points as
 * server-message.h has them, LENGTH bytes. 0, or -1 and errno (EPIPE: it has ended).
 */
int image_server_order(const struct image_server *server, int fuse, uint32_t uid, uint32_t gid,
                       const char *points, size_t count, size_t length);

#endif
