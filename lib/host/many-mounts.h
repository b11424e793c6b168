/*
 * many-mounts - whether this node has so many mounts that a launch should not copy them all.
 *
 * unshare(2) of a mount namespace costs a microsecond or more for each mount of the
 * host. Since Linux 7.0 open_tree(2) makes a namespace of a single directory's mounts, which
 * costs the same whatever the host has, but one for each directory that is bound, all to be
 * freed again: that is worth while where there are many. doc/launch.md has the figures.
 */
#ifndef CORACLE_HOST_MANY_MOUNTS_H
#define CORACLE_HOST_MANY_MOUNTS_H

enum { MANY_MOUNTS = 256 }; /* from so many on */

/* Whether the file MOUNTINFO, as proc(5) describes it, lists that many. It is read from where it stands. */
int many_mounts_listed(int mountinfo);

/*
 * Whether this process sees that many and the kernel can take a piece of them. For once a day: see
 * record.h.
 */
int many_mounts(void);

#endif
