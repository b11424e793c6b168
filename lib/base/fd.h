/*
 * fd - file descriptors and whole small files.
 *
 * Every descriptor that Coracle opens is close-on-exec: none reaches the
 * application.
 */
#ifndef CORACLE_BASE_FD_H
#define CORACLE_BASE_FD_H

#include <stddef.h>
#include <sys/types.h>

#include "base/arena.h"

/* Closes *FD if it is open (not negative) and sets it to -1. Keeps errno. */
void fd_close(int *fd);

/* A local descriptor that is closed when its scope ends: `FD_CLEANUP int fd = -1;` */
#define FD_CLEANUP __attribute__((cleanup(fd_close)))

/* Hands *FD out of a scope that would close it. */
int fd_steal(int *fd);

/*
 * Reads the regular file NAME beneath DIR (openat() rules; AT_FDCWD works) into
 * the arena, zero-terminated, and sets *LENGTH. A file above LIMIT bytes is
 * EFBIG, anything but a regular file EINVAL; it never blocks on a FIFO.
 * FLAGS are added to open()'s, O_NOFOLLOW for one. Files of /proc and /sys have
 * no size: read those with fd_read_all(). NULL and errno on failure.
 */
char *fd_read_file(int dir, const char *name, int flags, size_t limit, struct arena *arena, size_t *length);

/* The same from an open descriptor, from where it stands to its end (a pipe will do). */
char *fd_read_all(int fd, size_t limit, struct arena *arena, size_t *length);

/*
 * The beginning of FILE, as of one in /proc or /sys, with a zero byte: at most SIZE - 1 bytes.
 * "" where it cannot be read.
 */
void fd_read_head(const char *file, char *text, size_t size);

/* Writes all LENGTH bytes. 0, or -1 and errno. */
int fd_write_all(int fd, const void *bytes, size_t length);

/*
 * For a process that will execute a program: its descriptors 0, 1 ... become the
 * COUNT descriptors FDS, of which a negative one stands for /dev/null, open at
 * exec, and it has no other. At most FD_ARRANGE_LIMIT. 0, or -1 and errno, some
 * being arranged then. close_range(2); before Linux 5.9 what /proc lists is closed.
 */
enum { FD_ARRANGE_LIMIT = 8 };
int fd_arrange(const int fds[], size_t count);

#endif
