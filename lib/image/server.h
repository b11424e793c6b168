/*
 * server - the launcher's side of coracle-fuse, which serves a SquashFS image or
 * unpacks it.
 *
 * The server is started before anything is known of the image beyond its first
 * bytes, in the host's namespaces, as nobody's child: what parses an image is
 * another process than what launches. It opens the image and sends its
 * configuration. launch_run() hands it the FUSE descriptor. It ends by itself:
 * when the socket is closed before that, or when no process sees the mount. One
 * that unpacks ends when it has, or when the socket is closed.
 */
#ifndef CORACLE_IMAGE_SERVER_H
#define CORACLE_IMAGE_SERVER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "image/server-message.h"

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
 * configuration, or what foreign_collect() made, *LENGTH of them, in ARENA; NULL: it says nothing. 0, or -1
 * with what is wrong with the image, or why the server cannot work.
 */
int image_server_greet(const struct image_server *server, char **config, size_t *length, struct arena *arena,
                       struct err *err);

/*
 * Hands it the FUSE descriptor, the owner of all files and COUNT mount points as
 * server-message.h has them, LENGTH bytes. 0, or -1 and errno (EPIPE: it has ended).
 */
int image_server_order(const struct image_server *server, int fuse, uint32_t uid, uint32_t gid,
                       const char *points, size_t count, size_t length);

/*
 * Lets it make the tree of the image in DIRECTORY, as unpack/unpack.h says, and
 * waits for it. DIRECTORY, which stays the caller's, is empty, open for reading
 * and the root of a mount (open_tree(2), OPEN_TREE_CLONE): whoever takes the
 * server over through a decoder could leave any other by "..". 0 and *RESULT; or
 * -1 with ERR_IMAGE_DAMAGED, ERR_LIMIT (space, quota, size of files ...),
 * ERR_NO_MEMORY, ERR_SYSTEM or ERR_SERVER, and what was made so far is there.
 */
int image_server_unpack(const struct image_server *server, int directory, struct unpacked *result,
                        struct err *err);

#endif
