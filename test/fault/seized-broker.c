#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/wait.h>

#include <linux/ptrace.h>

#include "seized-broker.h"

int seized_begin(struct seized *seized, pid_t pid, int at)
{
    memset(seized, 0, sizeof *seized);
    seized->pid = pid;
    seized->at = at;
    if (ptrace(PTRACE_SEIZE, pid, NULL, (void *)PTRACE_O_TRACESYSGOOD) < 0)
        return -1;
    return ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) < 0 ? -1 : 0;
}

static void at_boundary(struct seized *seized)
{
    struct ptrace_syscall_info info;
    struct outcome *outcome = &seized->outcome;

    memset(&info, 0, sizeof info);
    ptrace(PTRACE_GET_SYSCALL_INFO, seized->pid, (void *)sizeof info, &info);
    outcome->is_entry = info.op == PTRACE_SYSCALL_INFO_ENTRY;
    if (outcome->is_entry)
        outcome->call = (long)info.entry.nr;
    outcome->ordinal = ++seized->boundaries;
    if (seized->boundaries != seized->at)
        return;
    outcome->hit = 1;
    kill(seized->pid, SIGKILL);
}

int seized_takes(struct seized *seized, pid_t pid, int status)
{
    int number = 0;

    if (pid != seized->pid)
        return 0;
    if (!WIFSTOPPED(status)) {
        seized->is_over = 1;
        seized->outcome.status = status;
        return 1;
    }
    if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
        if (!seized->outcome.hit)
            at_boundary(seized);
    } else if (status >> 16 == 0) {
        number = WSTOPSIG(status);
    }
    ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(long)number);
    return 1;
}
