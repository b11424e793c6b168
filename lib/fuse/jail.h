/*
 * jail - takes everything from an image server that serving does not need.
 *
 * Whoever finds a hole in a decoder is then in a process without capabilities,
 * without a way to gain any, in an empty root directory, in a user namespace of
 * its own, which may read its descriptors, write to the kernel's FUSE device and
 * its log, and use memory, up to a limit. One that unpacks may make and open files
 * below the directory that it was given. Nothing keeps it from leaving that by
 * "..", so it must be the root of a mount; see image/server.h. capabilities(7),
 * chroot(2), prctl(2), seccomp(2)
 */
#ifndef CORACLE_FUSE_JAIL_H
#define CORACLE_FUSE_JAIL_H

#include "base/err.h"

/*
 * Gives back what the launcher's caller may have set (CPU mask, memory policy,
 * limits, scheduling), then enters the jail. From here on the process can still
 * talk to its launcher. To be called before any byte of the image is read. 0, or
 * -1 with ERR_SERVER, ERR_USERNS_DISABLED or ERR_LIMIT.
 */
int jail_enter(struct err *err);

/* Closes the jail: from here on it can only serve. 0, or -1. */
int jail_close(struct err *err);

/*
 * Closes the jail around a server that unpacks: it can make files, with JAIL_FILES
 * of them open, and change those that were opened since jail_enter(); none of them
 * gets a set-user-ID or set-group-ID bit. 0, or -1.
 */
enum { JAIL_FILES = 64 };
int jail_close_to_unpack(struct err *err);

#endif
