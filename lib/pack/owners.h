/*
 * owners - the record of what a directory of the user's cannot show: .coracle/owners.mtree.
 *
 * Source: mtree(5) of FreeBSD and NetBSD, which libarchive (bsdtar) reads too. A line for each
 * name whose owner is not root (0:0), or whose mode has lost bits (set-id):
 *
 *     #mtree
 *     ./usr/bin/wall type=file uid=0 gid=5 mode=2755
 *
 * Names are relative to the image's root ("."). Bytes that are not printable ASCII, and those
 * with a meaning, are \ and three octal digits. Where all is root's there is no such file.
 * lib/stream reads it when the directory becomes an image again.
 */
#ifndef CORACLE_PACK_OWNERS_H
#define CORACLE_PACK_OWNERS_H

#include "flatten/flatten.h"

/*
 * Writes the record of TREE into the directory ROOT, which is what became of it, in place of
 * one that the image itself has. KEPT_FILE and KEPT_DIRECTORY are the bits of modes that ROOT
 * shows. 0, or -1 with ERR_OUTPUT, or ERR_LAYER: the image has something else in that place.
 */
int owners_write(int root, const struct flatten_tree *tree, unsigned kept_file, unsigned kept_directory,
                 struct err *err);

#endif
