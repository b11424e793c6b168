/*
 * greeting - what the server tells of an image when it has opened it: the OCI
 * configuration, or what another system left.
 */
#ifndef CORACLE_FUSE_GREETING_H
#define CORACLE_FUSE_GREETING_H

#include "base/err.h"
#include "base/str.h"
#include "squash/squash.h"

/*
 * Adds to BYTES what the image says about itself. 1, 0: nothing, or -1 with
 * ERR_IMAGE_EMPTY, ERR_IMAGE_DAMAGED or ERR_IMAGE_CONFIG (it is too large, or no file).
 */
int greeting_read(struct squash *squash, struct str *bytes, struct err *err);

#endif
