/*
 * image-config - the OCI image configuration: what an image says about how to
 * run it.
 *
 * Source: OCI image-spec, config.md (application/vnd.oci.image.config.v1+json);
 * Docker's application/vnd.docker.container.image.v1+json has the same members.
 *
 * Writers leave a member out, write null, "" or [] and mean the same: nothing
 * is said. All of these are NULL here. Members that are not below are ignored.
 */
#ifndef CORACLE_OCI_IMAGE_CONFIG_H
#define CORACLE_OCI_IMAGE_CONFIG_H

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

struct oci_image_config {
    const char *user;    /* config.User: USER[:GROUP], names or numbers */
    const char *workdir; /* config.WorkingDir, as written */
    /* Arrays end with NULL and hold at least one string. */
    char *const *env;        /* config.Env: NAME=VALUE, NAME not empty; order and repetitions are kept */
    char *const *entrypoint; /* config.Entrypoint */
    char *const *cmd;        /* config.Cmd */
};

/*
 * Fills *CONFIG from LENGTH bytes. Its strings belong to ARENA and do not point
 * into BYTES. 0, or -1 and ERR_IMAGE_CONFIG with a text that begins "image
 * configuration" and names the place in the JSON or the member; the caller puts
 * the image's name before it.
 */
int oci_image_config_parse(struct oci_image_config *config, const char *bytes, size_t length,
                           struct arena *arena, struct err *err);

#endif
