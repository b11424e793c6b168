/*
 * refusal - why a node refuses what a launch needs, and what helps: one source for what `run`
 * says when it fails and for what `doctor` says beforehand.
 *
 * Nothing here asks anybody: what is known is given. Strings are constants.
 */
#ifndef CORACLE_HOST_REFUSAL_H
#define CORACLE_HOST_REFUSAL_H

#include "base/err.h"

struct refusal {
    enum err_id id;
    const char *what;   /* is refused, and by what */
    const char *reason; /* the kernel's; NULL: it tells nothing more */
    const char *remedy;
    const char *by; /* who can do that: "site" or "user" */
};

/* The node's switches for namespaces, and what is around the caller; all 0: nothing forbids them. */
struct userns_switches {
    int no_user;   /* user.max_user_namespaces is 0. namespaces(7) */
    int no_mount;  /* user.max_mnt_namespaces is 0 */
    int root_only; /* kernel.unprivileged_userns_clone is 0: Debian's kernels up to 10, others */
    int apparmor;  /* kernel.apparmor_restrict_unprivileged_userns is 1: Ubuntu 23.10 and later */
    int selinux;   /* it enforces; policies can deny user_namespace { create } since Linux 6.1 */
    int seccomp;   /* a filter is around the caller. seccomp(2) */
    int is_chroot; /* the caller's root is no mount: user_namespaces(7), EPERM */
};

/*
 * Why unshare(2) of a user or mount namespace failed with ERRNUM. 1 and *REFUSAL; 0: for
 * none of these reasons, memory for one.
 */
int refusal_of_namespaces(const struct userns_switches *switches, int errnum, struct refusal *refusal);

/*
 * The same for writing an id map. Where AppArmor lets a user namespace be made but takes all
 * capabilities in it, this is where it shows: unshare(2) of the user namespace succeeds.
 */
int refusal_of_id_map(const struct userns_switches *switches, int errnum, struct refusal *refusal);

/* The same for opening /dev/fuse, and for mounting through it in a user namespace. */
int refusal_of_fuse_device(const struct userns_switches *switches, int errnum, struct refusal *refusal);
int refusal_of_fuse_mount(const struct userns_switches *switches, int errnum, struct refusal *refusal);

/* Fills ERR with REFUSAL's "WHAT (REASON); REMEDY" and returns -1. */
int refusal_set(const struct refusal *refusal, struct err *err);

#endif
