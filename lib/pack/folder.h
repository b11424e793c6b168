/*
 * folder - a sink that makes a directory, as the user.
 *
 *     struct flatten_sink *sink = folder_open(AT_FDCWD, "image", err);
 *     flatten(&request, sink, NULL, &arena, err);
 *     folder_close(sink);
 *
 * Everything belongs to the user, whatever the image says; what would run with the
 * owner's id (set-user-id, set-group-id) loses that bit: the owner is another now.
 * Other modes are as in the image, those that lock the user himself out included. What the
 * image says of owners and lost bits is recorded in it, in .coracle/owners.mtree (owners.h).
 * user.* attributes are kept where the file system has such, security.capability never: it is counted.
 *
 * It is made beside its place, in a directory that only the user may enter, and gets its
 * name when it is complete: then what killed makers of the same name left is gone too
 * (base/unfinished.h). A kill just then can leave a root without its mode, where the image has
 * one that its owner may not write to: all else is complete. No link is followed: names
 * are made in directories that were made here.
 */
#ifndef CORACLE_PACK_FOLDER_H
#define CORACLE_PACK_FOLDER_H

#include "base/err.h"
#include "flatten/flatten.h"

/*
 * PATH, beneath the directory PARENT (openat() rules), must not exist. NULL: it does, or
 * nothing can be made there (ERR_OUTPUT), or no memory.
 */
struct flatten_sink *folder_open(int parent, const char *path, struct err *err);

/* How many files of the complete directory have lost their security.capability. */
uint64_t folder_capabilities(const struct flatten_sink *sink);

/* What is not complete is removed. NULL is fine. */
void folder_close(struct flatten_sink *sink);

#endif
