/*
 * lock - of several processes one at a time changes a file: for the moment in which it is read,
 * changed and replaced, never for the work before.
 *
 * Locks are flock(2)'s, which end with the process. NFS passes them to its server, and wants the file
 * open for writing. Some parallel file systems know them within a node alone, or not at all: there
 * one goes on without, and of two that change a file at the same moment the last one wins.
 */
#ifndef CORACLE_BASE_LOCK_H
#define CORACLE_BASE_LOCK_H

/* How long a lock is to be waited for, in seconds: what it is held for takes milliseconds. */
enum { LOCK_PATIENCE = 30 };

/*
 * Locks the file or directory FD, until it is closed. 0, also where the file system has no locks; -1 and
 * EWOULDBLOCK: another has had it for SECONDS.
 */
int lock_wait(int fd, int seconds);

/*
 * Makes the file NAME (a path) and locks it: for what has no file of its own that stays. What a killed
 * one has left is taken over. A descriptor, or -1 and errno, as lock_wait() or open().
 */
int lock_file(const char *name, int seconds);

/* Removes the file again and unlocks it. -1 is fine. Keeps errno. */
void lock_drop(const char *name, int *fd);

#endif
