/*
 * process - a process that cannot be mistaken for another, which may have got its
 * number since.
 *
 * Held by a pidfd (pidfd_open(2), Linux 5.3) or, where the kernel has none, by a
 * descriptor of /proc/PID: that one is of the process too and not of its number, as
 * nothing can be opened in it any more when the process has gone. proc(5)
 * Which it is, is found at the first call, by ENOSYS; users need to know only whether
 * it can be polled. /proc must be of the caller's pid namespace.
 *
 * What a directory of /proc cannot do:
 *   - be polled: who holds one looks from time to time, by process_has_ended();
 *   - be sent a signal: kill(2) goes to the number, right after a look at the process.
 *     Should it end and the number go round in between, another process of the user
 *     gets the signal.
 */
#ifndef CORACLE_BASE_PROCESS_H
#define CORACLE_BASE_PROCESS_H

#include <sys/types.h>

struct process {
    int fd;    /* close-on-exec; -1: none */
    pid_t pid; /* 0: none */
    int is_directory;
};

#define PROCESS_NONE ((struct process){-1, 0, 0})

/*
 * Fills PROCESS, to be closed, with the process PID. 0, or -1 and errno: ESRCH where
 * it has ended and was waited for, EXDEV where /proc is of another pid namespace.
 */
int process_open(struct process *process, pid_t pid);

/*
 * The same for PID, which the kernel gave for the other end of SOCKET (SO_PEERCRED):
 * since Linux 6.5 for certain, even if it has ended. SO_PEERPIDFD, unix(7)
 */
int process_open_peer(struct process *process, int socket, pid_t pid);

/*
 * Fills PROCESS with what is held by FD, another process's `fd` for PID, which is
 * PROCESS's then. 0, or -1 and errno where it is none; FD stays the caller's.
 */
int process_take(struct process *process, int fd, pid_t pid);

/* Closes it, if there is one, and makes it none. Keeps errno. */
void process_close(struct process *process);

#define PROCESS_CLEANUP __attribute__((cleanup(process_close)))

/* Whether its descriptor becomes readable when it ends. */
int process_can_be_polled(const struct process *process);

/* Whether it has ended: no thread of it is left, though nobody may have waited for it. */
int process_has_ended(const struct process *process);

/* 0, or -1 and errno: ESRCH where it has ended. kill(2) */
int process_signal(const struct process *process, int signal);

/*
 * Opens /proc/PID/NAME with FLAGS, close-on-exec. It is of the process and no other
 * where process_has_ended() is 0 afterwards. -1 and errno. NAME as proc_path() has it.
 */
int process_open_file(const struct process *process, const char *name, int flags);

#endif
