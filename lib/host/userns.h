/*
 * userns - why this node gives somebody no user namespace. user_namespaces(7)
 */
#ifndef CORACLE_HOST_USERNS_H
#define CORACLE_HOST_USERNS_H

#include "base/err.h"

/*
 * unshare(2) of a user or mount namespace failed with ERRNUM. Where a switch or a
 * limit of the node is why, fills ERR (ERR_USERNS_DISABLED), which names it, and
 * returns -1; else 0. Each switch that can forbid it is looked at in turn.
 */
int userns_refused(int errnum, struct err *err);

#endif
