/*
 * seized-broker - a broker that runs already is traced, and killed at one of the
 * boundaries of its system calls that follow. ptrace(2), PTRACE_SEIZE
 */
#ifndef CORACLE_TEST_FAULT_SEIZED_BROKER_H
#define CORACLE_TEST_FAULT_SEIZED_BROKER_H

#include <sys/types.h>

#include "traced-launch.h"

struct seized {
    pid_t pid;
    int at, boundaries;
    long call;
    int is_over;
    struct outcome outcome; /* hit, call, ordinal (the boundary), is_entry, status */
};

/* Seizes PID, which is to be killed at its boundary AT. 0, or -1 and errno. */
int seized_begin(struct seized *seized, pid_t pid, int at);

/* Handles what waitpid() told of PID, where that is SEIZED. Whether it is. */
int seized_takes(struct seized *seized, pid_t pid, int status);

#endif
