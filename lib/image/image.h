/*
 * image - what an image is and what it says about itself.
 *
 * An image is recognised by its content, never by its name.
 */
#ifndef CORACLE_IMAGE_IMAGE_H
#define CORACLE_IMAGE_IMAGE_H

#include "base/arena.h"
#include "base/err.h"
#include "image/server.h"
#include "oci/image-config.h"

/* Where an image carries its OCI image configuration, byte for byte. */
#define IMAGE_CONFIG_DIR ".coracle"
#define IMAGE_CONFIG_NAME "config.json"

enum image_kind { IMAGE_DIRECTORY, IMAGE_SQUASHFS };

struct image {
    enum image_kind kind;
    const struct oci_image_config *config; /* NULL: the image has none */
    struct image_server server;            /* IMAGE_SQUASHFS: has opened it */
};

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

#endif
