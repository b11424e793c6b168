/*
 * registers - changes a system call of a process that ptrace stopped at it.
 * Written for x86_64 and aarch64.
 */
#ifndef CORACLE_TEST_FAULT_REGISTERS_H
#define CORACLE_TEST_FAULT_REGISTERS_H

#include <sys/types.h>

/* Whether this machine is one of those. */
int registers_known(void);

/* At the entry: the call will not be made. 0, or -1 and errno. */
int registers_skip_call(pid_t pid);

/* At the exit: the call returns RESULT, for a failure -errno. 0, or -1 and errno. */
int registers_set_result(pid_t pid, long result);

#endif
