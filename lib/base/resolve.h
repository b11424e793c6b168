/*
 * resolve - opens a path of somebody else's tree, which cannot lead out of it.
 *
 * The kernel does so since Linux 5.6: openat2(2). Where it lacks the call the path is
 * walked here, one name at a time and each by a descriptor of the directory before:
 * no link is followed but by its text, and ".." goes back to where we came from, so
 * whoever renames directories or changes links meanwhile leads nowhere but within.
 */
#ifndef CORACLE_BASE_RESOLVE_H
#define CORACLE_BASE_RESOLVE_H

#include <stdint.h>

/*
 * Opens PATH beneath DIR. FLAGS as of open(2), O_CLOEXEC included; nothing is
 * created. RESOLVE: SYS_RESOLVE_*; links of /proc that lead to a file itself are
 * refused with all of them. Without SYS_RESOLVE_IN_ROOT an absolute PATH begins at
 * the process's own root; a relative one must not lead out of DIR, where the walk keeps it. A descriptor, or
 * -1 and the errno of openat2(2): ELOOP: a link where none is allowed, of /proc, or one too many.
 * ENAMETOOLONG also where a path with its links put in is longer than PATH_MAX.
 */
int resolve_open(int dir, const char *path, uint64_t flags, uint64_t resolve);

/* The walk alone; resolve_open() does it where the kernel lacks openat2(2). */
int resolve_walk(int dir, const char *path, uint64_t flags, uint64_t resolve);

#endif
