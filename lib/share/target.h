/*
 * target - the namespaces of a container that is running, for `coracle exec`.
 *
 * What is entered is pinned first, by descriptors, and then looked at: a process
 * that ends, and another that gets its number, cannot be mistaken for it.
 */
#ifndef CORACLE_SHARE_TARGET_H
#define CORACLE_SHARE_TARGET_H

#include "share/brokers.h"
#include "share/meet.h"

/*
 * Fills MEETING with the way into the container of the process PID: from BROKERS,
 * where one knows it, else from /proc. Both namespaces must belong to the caller
 * and lie beneath his own user namespace. 0, or -1 with ERR_TARGET.
 */
int share_target(struct share_meeting *meeting, pid_t pid, const struct share_brokers *brokers,
                 struct err *err);

#endif
