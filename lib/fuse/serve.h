/*
 * serve - answers the kernel's requests for the files of an image.
 *
 * Speaks the protocol of linux/fuse.h, version 7.31 (Linux 5.4) or later, over
 * an open /dev/fuse, without a library: what the kernel may keep it is told to
 * keep, since an image does not change, and what it may stop asking for is
 * answered with ENOSYS, after which it never asks again (open, opendir, flush,
 * attributes where the image has none).
 *
 * Every file belongs to the user: with one mapped id nothing else can be shown
 * but "nobody", which programs that check owners refuse.
 */
#ifndef CORACLE_FUSE_SERVE_H
#define CORACLE_FUSE_SERVE_H

#include <stdint.h>

#include "base/err.h"
#include "fuse/grafts.h"
#include "squash/squash.h"

struct serve {
    int device; /* the open /dev/fuse */
    uint32_t uid, gid;
    struct squash *squash;
    const struct grafts *grafts;
    int primed;             /* the launcher's first request has come; see SERVER_PRIME_NAME */
    uint64_t *requests;     /* counts each when it begins and when it ends; see watch.h */
    char *request, *answer; /* of SERVE_REQUEST_SIZE and SERVE_ANSWER_SIZE bytes */
};

/* The largest request (the kernel wants 8 KB and more) and the largest answer to one. */
enum {
    SERVE_REQUEST_SIZE = 64 * 1024,
    SERVE_DATA_LIMIT = 256 * 1024,
    SERVE_ANSWER_SIZE = SERVE_DATA_LIMIT + 256
};

/*
 * Serves until no process sees the mount any more. Whether it came to that: 0,
 * or -1 and errno where the device failed otherwise.
 */
int serve_run(struct serve *serve);

#endif
