/*
 * stream - a root file system as a tar archive, made by a thread while it is read.
 *
 *     struct stream *stream = stream_of_directory("rootfs", &arena, err);
 *     struct layer layer = stream_layer(stream);
 *     ... flatten() or layout_write() ...
 *     stream_close(stream);
 *
 * The same tree gives the same bytes. Of a directory names come in strcmp() order, each
 * directory before what is in it. Of a SquashFS directories, links and empty files come
 * first, so ordered, then the contents in the order in which they are stored: what was packed
 * by lib/pack gives the same file again. The format is POSIX pax, with sparse files as GNU
 * tar 1.0 writes them and attributes as SCHILY.xattr.
 *
 * - /.coracle is left out: the image's configuration is given separately.
 * - Names of one inode are hard links; holes stay holes; times are whole seconds.
 * - Of extended attributes user.* and security.capability are kept, others counted.
 * - Devices and sockets are left out and counted.
 *
 * A directory:
 * - No link is followed, nothing beneath is opened by a path. Other mounts beneath it are
 *   not entered, as by `tar --one-file-system`: the directory is there, empty, and counted;
 *   a file that is mounted is left out and counted.
 * - Owners: who makes an image in a directory as himself (ch-image, debootstrap, `coracle pull
 *   dir:`) means root's files, so what belongs to the owner of the directory belongs to root
 *   (0:0), whatever the group; other owners stay as numbers. A directory that root owns stays
 *   as it is. Where the image has .coracle/owners.mtree (pack/owners.h), what belongs
 *   to the directory's owner has the owner and set-id bits that it says.
 * - security.capability of a user namespace (version 3) becomes that of the host (2).
 * - What its own user may not read (mode 0000) is made readable for the moment (a directory:
 *   while it is read), if he owns it. Other things that cannot be read are errors.
 * - What changes while it is read is an error.
 */
#ifndef CORACLE_STREAM_STREAM_H
#define CORACLE_STREAM_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "layer/layer.h"

enum { STREAM_OWNERS_LIMIT = 64 * 1024 * 1024 }; /* bytes of owners.mtree */

struct stream;

/*
 * The directory PATH. NULL: ERR_IMAGE_MISSING, ERR_IMAGE_UNREADABLE, or ERR_IMAGE_DAMAGED: its
 * owners.mtree is broken. When ARENA has no memory left, so has the stream.
 */
struct stream *stream_of_directory(const char *path, struct arena *arena, struct err *err);

/*
 * The SquashFS in FD, or in the SIF there; FD stays the caller's and must stay open. NAME is
 * for messages. NULL: ERR_IMAGE_UNKNOWN (also where this build reads no SquashFS),
 * ERR_IMAGE_DAMAGED, ERR_IMAGE_UNREADABLE or ERR_NO_MEMORY.
 */
struct stream *stream_of_file(int fd, const char *name, struct arena *arena, struct err *err);

/*
 * The image's /.coracle/config.json, with a zero byte behind it, into ARENA; to be called before
 * the layer is read. 1; 0: it has none; -1 with ERR_IMAGE_CONFIG or ERR_IMAGE_DAMAGED.
 */
int stream_config(struct stream *stream, const char **bytes, size_t *length, struct arena *arena,
                  struct err *err);

/*
 * The tar, to be read once. What goes wrong while it is made is an error of layer_read(): of
 * a kind as above, or ERR_LIMIT (a path of more than 4095 bytes).
 */
struct layer stream_layer(struct stream *stream);

struct stream_counts {
    uint64_t entries;          /* in the tar */
    uint64_t devices, sockets; /* left out */
    uint64_t mounts;           /* whose contents were left out */
    uint64_t attributes;       /* extended attributes left out */
    const char *foreign;       /* where another system keeps environment and command; NULL: nowhere */
};

/* What there was; complete when the layer was read to its end. */
void stream_count(const struct stream *stream, struct stream_counts *counts);

/* Ends the thread, wherever it is. NULL is fine. */
void stream_close(struct stream *stream);

#endif
