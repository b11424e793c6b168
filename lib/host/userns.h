/*
 * userns - id maps of a user namespace, and why this node gives somebody none. user_namespaces(7)
 */
#ifndef CORACLE_HOST_USERNS_H
#define CORACLE_HOST_USERNS_H

#include <stdint.h>

#include "base/err.h"
#include "host/refusal.h"

enum { USERNS_MAP = 48 };

/* What uid_map and gid_map are given for one id: "INSIDE OUTSIDE 1". Returns TEXT. */
const char *userns_format_map(char text[USERNS_MAP], uint32_t inside, uint32_t outside);

/* Looks at each switch of the node that can forbid namespaces. What cannot be read forbids nothing. */
void userns_look(struct userns_switches *switches);

/*
 * unshare(2) of a user or mount namespace failed with ERRNUM. Where a switch or a
 * limit of the node is why, fills ERR (ERR_USERNS_DISABLED), which names it, and
 * returns -1; else 0.
 */
int userns_refused(int errnum, struct err *err);

/* The same for an id map; and for /dev/fuse and a mount through it, with ERR_FUSE. */
int userns_map_refused(int errnum, struct err *err);
int userns_fuse_device_refused(int errnum, struct err *err);
int userns_fuse_mount_refused(int errnum, struct err *err);

#endif
