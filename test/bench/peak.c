/*
 * peak - the highest resident size of a command, exactly.
 *
 *     peak COMMAND [ARG...]
 *
 * Prints in KiB the most that any one process of the command ever had. What
 * wait4 reports is too low by up to 32 pages a CPU (Linux counts per CPU since
 * 6.2), which is more than a small program has; /proc/PID/status is exact when
 * it is read. It is read here before each execve and exit, by ptrace.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void die(const char *what) __attribute__((noreturn));

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* VmHWM of PID in KiB, 0 where it cannot be read. */
static long resident_peak(pid_t pid)
{
    char name[64], line[256];
    long peak = 0;
    snprintf(name, sizeof name, "/proc/%ld/status", (long)pid);
    FILE *status = fopen(name, "re");
    if (!status)
        return 0;
    while (fgets(line, sizeof line, status))
        if (sscanf(line, "VmHWM: %ld", &peak) == 1)
            break;
    fclose(status);
    return peak;
}

static int enters_exec(pid_t pid)
{
    struct __ptrace_syscall_info info = {0};
    if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof info, &info) <= 0)
        return 0;
    return info.op == PTRACE_SYSCALL_INFO_ENTRY &&
           (info.entry.nr == SYS_execve || info.entry.nr == SYS_execveat);
}

/* What a stop means: 1 if the size is to be read now; *SIGNAL is to be delivered. */
static int is_last_look(pid_t pid, int status, int *signal)
{
    int stop = WSTOPSIG(status), event = status >> 16;
    *signal = 0;
    if (stop == (SIGTRAP | 0x80))
        return enters_exec(pid);
    if (event == PTRACE_EVENT_EXIT)
        return 1;
    if (event == 0 && stop != SIGSTOP && stop != SIGTRAP)
        *signal = stop;
    return 0;
}

static pid_t start(char **argv)
{
    pid_t pid = fork();
    if (pid < 0)
        die("fork");
    if (pid == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
            _exit(127);
        raise(SIGSTOP);
        execv(argv[0], argv);
        _exit(127);
    }
    return pid;
}

/* Follows FIRST and all its children to their end; the exit status of FIRST goes to *FINAL. */
static long follow(pid_t first, int *final)
{
    long peak = 0;
    int running = 0, status, signal;
    pid_t pid;
    while ((pid = waitpid(-1, &status, __WALL)) > 0) {
        if (!WIFSTOPPED(status)) {
            if (pid == first)
                *final = status;
            continue;
        }
        if (is_last_look(pid, status, &signal)) {
            long now =
                running ? resident_peak(pid) : 0; /* before its first execve it is still a copy of us */
            running = 1;
            if (now > peak)
                peak = now;
        }
        ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(intptr_t)signal);
    }
    return peak;
}

int main(int argc, char **argv)
{
    int status, final = 1;
    if (argc < 2) {
        fputs("usage: peak COMMAND [ARG...]\n", stderr);
        return 2;
    }
    pid_t pid = start(argv + 1);
    if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status))
        die("waitpid");
    long options = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |
                   PTRACE_O_TRACEEXIT | PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL;
    if (ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)options) < 0 ||
        ptrace(PTRACE_SYSCALL, pid, NULL, NULL) < 0)
        die("ptrace");
    long peak = follow(pid, &final);
    if (final != 0) {
        fprintf(stderr, "peak: %s: wait status 0x%x\n", argv[1], (unsigned) final);
        return 1;
    }
    printf("%ld\n", peak);
    return 0;
}
