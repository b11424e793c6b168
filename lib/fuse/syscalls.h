/*
 * syscalls - the system calls that an image server may make; any other kills it.
 *
 * A fixed list of a dozen numbers needs no compiler of filters. seccomp(2)
 */
#ifndef CORACLE_FUSE_SYSCALLS_H
#define CORACLE_FUSE_SYSCALLS_H

/* Numbers, ending with -1: while the image is opened, and while it is served. */
extern const int syscalls_opening[], syscalls_serving[];

/* Allows NUMBERS and no other from here on, on top of what was forbidden before. 0, or -1 and errno. */
int syscalls_allow(const int numbers[]);

#endif
