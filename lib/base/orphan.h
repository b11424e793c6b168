/*
 * orphan - starts a program that is nobody's child.
 *
 * Its parent is a process in between that has already ended, so the caller,
 * which becomes the user's command, has no child that a wait() of the command
 * could find and gets no SIGCHLD, whatever it does with that signal.
 */
#ifndef CORACLE_BASE_ORPHAN_H
#define CORACLE_BASE_ORPHAN_H

#include <stddef.h>
#include <sys/types.h>

enum { ORPHAN_FIRST_FD = 3, ORPHAN_FD_LIMIT = 4 };

/*
 * Starts the first of PROGRAMS (ends with NULL) that exists, with ARGV and
 * ENVIRONMENT, in a session of its own, / as working directory, standard
 * descriptors on /dev/null, the COUNT descriptors FDS as 3, 4 ... and no other.
 * FDS may be at most ORPHAN_FD_LIMIT. The program has all signals blocked, the
 * caller's ignored, and the caller's settings until it calls orphan_settle().
 * Returns when the program has been executed, with its process id, or -1 and
 * errno: ENOENT where none of PROGRAMS exists. vfork(2), clone(2)
 */
pid_t orphan_start(const char *const programs[], char *const argv[], char *const environment[],
                   const int fds[], size_t count);

/*
 * For the program, as early as it can: gives back what belongs to the one who
 * started it. No signal is ignored or blocked any more. The first rank of a node
 * is often bound to one CPU and one memory node; a program for the whole node is
 * not: CPU mask, scheduling and memory policy become what they would be without,
 * within the cgroup, and soft limits are raised to the hard ones. What cannot be
 * had stays as it is. sched_setaffinity(2), set_mempolicy(2), setrlimit(2)
 */
void orphan_settle(void);

#endif
