/*
 * unpack - makes the tree of an image in a directory.
 *
 * Names, contents, links, several names of one inode, permissions, times and
 * attributes (user.*) come out as in the image. What does not:
 * - All belongs to the caller.
 * - Set-user-ID and set-group-ID bits are dropped: whatever is in an image must
 *   not become a program with which other users of the node act as the caller.
 *   A container would not honour them. Sticky bits of directories stay.
 * - Devices and sockets are left out, and counted.
 * - Attributes that the file system does not take are left out; of each file 64
 *   are tried.
 * - Blocks of zeros are holes, whatever they were in the image.
 *
 * Until a directory's contents are complete it is open to its owner only; modes
 * and times of all directories, the root's too, are set at the end. One that its
 * owner may not write to must be opened (chmod) before it can be removed, or moved
 * into another directory.
 *
 * Nothing is asked of the kernel but below `root`, by names that are no path, and
 * no link is ever followed. Nothing is synchronized with storage.
 */
#ifndef CORACLE_UNPACK_UNPACK_H
#define CORACLE_UNPACK_UNPACK_H

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "image/server-message.h"
#include "squash/squash.h"

struct unpack {
    struct squash *squash;
    struct arena *arena;
    int root; /* an empty directory, open for reading */
    /* Called before each file and each part of one. Whether to go on; NULL: always. */
    int (*go_on)(void);
    struct unpacked result; /* what was made */
};

/*
 * Does it. 0; or -1 with ERR_IMAGE_DAMAGED, ERR_LIMIT (space, quota, size of
 * files, descriptors, names or trees beyond what can be made), ERR_SYSTEM, or
 * ERR_SERVER: it was told not to go on. What was made until then stays. Keeps 35
 * descriptors open at most.
 */
int unpack_image(struct unpack *unpack, struct err *err);

#endif
