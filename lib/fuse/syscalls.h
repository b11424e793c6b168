/*
 * syscalls - the system calls that an image server may make; any other kills it.
 *
 * A fixed list of some numbers needs no compiler of filters. seccomp(2)
 */
#ifndef CORACLE_FUSE_SYSCALLS_H
#define CORACLE_FUSE_SYSCALLS_H

/* Numbers, ending with -1: while the image is opened, served, unpacked. */
extern const int syscalls_opening[], syscalls_serving[], syscalls_unpacking[];

/*
 * Allows NUMBERS and no other from here on, on top of what was forbidden before;
 * where FIRST is not negative also what makes and changes files, on descriptors
 * from that one on: the image, which may be the caller's own, is below it. A mode
 * may have no set-ID bit then. 0, or -1 and errno.
 */
int syscalls_allow(const int numbers[], int first);

#endif
