/*
 * broker - lets the ranks of a node meet.
 *
 * One process per key (share/address.h), started by the first rank, nobody's
 * child. It stays in the host's namespaces and mounts nothing. It holds the user
 * namespace of its ranks, a descriptor of each view that is ready, the FUSE device
 * of each served image, and each rank by what base/process.h holds:
 *
 *     broker ── image ── view ── rank
 *
 * A view that no rank is in is dropped after a linger, and with it what it pins;
 * when no rank is left at all the broker closes its name first, then the rest, and
 * ends. The kernel releases everything with it, however it ends.
 */
#ifndef CORACLE_BROKER_BROKER_H
#define CORACLE_BROKER_BROKER_H

/* How long a view waits for the next rank, in milliseconds, and the longest that can be asked for. */
enum { BROKER_LINGER = 300, BROKER_LINGER_LIMIT = 60 * 1000 };

/*
 * Serves ranks until none is left. LISTENER is the bound socket, FIRST a
 * connection whose HELLO is already under way. SCOPE and ORIGIN are for those who
 * ask. LINGER in milliseconds. 0, or -1 where the system gives no memory or
 * descriptors to begin with.
 */
int broker_run(int listener, int first, const char *scope, const char *origin, int linger);

#endif
