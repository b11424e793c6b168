/*
 * image - what an image is and what it says about itself.
 *
 * An image is recognised by its content, never by its name.
 */
#ifndef CORACLE_IMAGE_IMAGE_H
#define CORACLE_IMAGE_IMAGE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/sys.h"
#include "foreign/foreign.h"
#include "image/server.h"
#include "oci/image-config.h"

/* Where an image carries its OCI image configuration, byte for byte. */
#define IMAGE_CONFIG_DIR ".coracle"
#define IMAGE_CONFIG_NAME "config.json"

enum image_kind { IMAGE_DIRECTORY, IMAGE_SQUASHFS };

struct image {
    enum image_kind kind;
    const struct oci_image_config *config; /* NULL: the image has none */
    const struct foreign *foreign;         /* what another system left instead; NULL: nothing */
    const char *config_bytes; /* of either, as the file or the server of a SquashFS has it; NULL: none */
    size_t config_length;
    struct image_server server;   /* IMAGE_SQUASHFS: has opened it */
    struct sys_identity identity; /* IMAGE_SQUASHFS: of the file that it has opened */
};

/* What PATH is. 0, or -1 where it does not exist or is closed to us; a file may still be no image. */
int image_identify(const char *path, struct sys_identity *identity, struct arena *arena, struct err *err);

/*
 * Whether PATH, which was identified, begins like an image. 0, or -1 with ERR_IMAGE_UNKNOWN or
 * -UNREADABLE.
 */
int image_check(const char *path, const struct sys_identity *identity, struct arena *arena, struct err *err);

/*
 * Looks at PATH: a directory, or a file with a SquashFS at its beginning or in
 * the SIF partition that it names, for which a server is started (ENVIRONMENT as
 * for image_server_start()). 0, or -1: it does not exist (ERR_IMAGE_MISSING), is
 * closed to us (ERR_IMAGE_UNREADABLE), is something that cannot be run
 * (ERR_IMAGE_UNKNOWN), is damaged (ERR_IMAGE_DAMAGED), its configuration is broken
 * (ERR_IMAGE_CONFIG), or there is no server (ERR_SERVER, ERR_LIMIT). Everything
 * belongs to ARENA; no descriptor stays open but the server's socket.
 */
int image_inspect(struct image *image, const char *path, char *const environment[], struct arena *arena,
                  struct err *err);

/*
 * Fills IMAGE with what it says, of what is mounted as DIR, the root of a container called NAME. 0
 * or -1.
 */
int image_inspect_root(struct image *image, int dir, const char *name, struct arena *arena, struct err *err);

/* Whether IMAGE says anything about how to run it. */
int image_says_something(const struct image *image);
/* Tells the user what of IMAGE, which is called PATH, is left out. */
void image_warn(const struct image *image, const char *path, struct arena *arena);

/* The configuration of IMAGE in a memory file for other ranks; -1: it has none, or there is no memory. */
int image_keep_config(const struct image *image);
/* Fills IMAGE with the configuration in FD, a memory file that image_keep_config() made. 0 or -1. */
int image_take_config(struct image *image, int fd, struct arena *arena, struct err *err);

#endif
