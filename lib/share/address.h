/*
 * address - where the launches that meet find each other.
 *
 * An abstract socket: the kernel releases the name when its owner is gone, so
 * there is no file, no lock and no stale state. unix(7)
 */
#ifndef CORACLE_SHARE_ADDRESS_H
#define CORACLE_SHARE_ADDRESS_H

#include <sys/socket.h>
#include <sys/un.h>

#include "base/digest.h"
#include "plan/plan.h"

/* A name that somebody else holds is passed over; this many are tried. */
enum { SHARE_ADDRESSES = 8 };

/* All names of a user begin with "coracle/UID/". */
#define SHARE_ADDRESS_PREFIX "coracle/"

/*
 * The key of a plan: launches with equal keys meet. Into it go the plan's scope, the
 * ids outside and inside, the user and pid namespace of the caller, this build
 * and the version of the protocol. Two system calls.
 */
struct share_key {
    struct digest digest;
    uint64_t user_namespace; /* its inode */
};

void share_key_take(struct share_key *key, const struct plan *plan, struct arena *arena);

/* The address number INDEX of KEY for the user UID, and its length. */
socklen_t share_address(struct sockaddr_un *address, uint32_t uid, const struct digest *key, int index);

/* The inode of the user namespace of the process PID, 0: the caller. 0 where it cannot be told. */
uint64_t share_user_namespace(pid_t pid);

#endif
