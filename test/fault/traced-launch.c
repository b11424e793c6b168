#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/ptrace.h>

#include "base/fd.h"
#include "registers.h"
#include "traced-launch.h"

enum {
    PROCESSES = 16,
    CALL_NUMBERS = 1024,
    TRACE_OPTIONS = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                    PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL,
};

struct process {
    pid_t pid;
    int is_over;
    int boundaries;
    int entries;
    long call; /* the one it is in */
    int execs;
    int fails_with; /* errno that the call in progress gets; 0: none */
    unsigned short made[CALL_NUMBERS];
};

struct trace {
    const struct fault *fault;
    struct outcome *outcome;
    long over_ms; /* when the launcher ended */
    int count;
    struct process processes[PROCESSES];
};

static void ignore_alarm(int number)
{
    (void)number; /* it interrupts waitpid(), which is all it is for */
}

static void set_deadline(unsigned seconds)
{
    struct sigaction action = {.sa_handler = ignore_alarm};

    sigaction(SIGALRM, &action, NULL);
    alarm(seconds);
}

static void __attribute__((noreturn))
become_launcher(char *const argv[], char *const environment[], const struct fault *fault, int output)
{
    if (dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0)
        _exit(98);
    if (fault->kind != FAULT_NONE && (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 || raise(SIGSTOP) != 0))
        _exit(98);
    execve(argv[0], argv, environment);
    _exit(98);
}

static struct process *find_process(struct trace *trace, pid_t pid)
{
    for (int i = 0; i < trace->count; i++)
        if (trace->processes[i].pid == pid && !trace->processes[i].is_over)
            return &trace->processes[i];
    return NULL;
}

static struct process *add_process(struct trace *trace, pid_t pid)
{
    struct process *process;

    if (trace->count == PROCESSES)
        return NULL;
    process = &trace->processes[trace->count++];
    memset(process, 0, sizeof *process);
    process->pid = pid;
    process->call = -1;
    return process;
}

/* Notes the boundary at which PROCESS stands; returns whether it is an entry. */
static int count_boundary(struct process *process)
{
    struct ptrace_syscall_info info;

    memset(&info, 0, sizeof info);
    ptrace(PTRACE_GET_SYSCALL_INFO, process->pid, (void *)sizeof info, &info);
    process->boundaries++;
    if (info.op != PTRACE_SYSCALL_INFO_ENTRY)
        return 0;
    process->entries++;
    process->call = (long)info.entry.nr;
    if (process->call >= 0 && process->call < CALL_NUMBERS)
        process->made[process->call]++;
    return 1;
}

static long now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void carry_out(struct trace *trace, struct process *process, int is_entry)
{
    const struct fault *fault = trace->fault;
    struct outcome *outcome = trace->outcome;

    if (fault->kind == FAULT_KILL_LAUNCHER && trace->processes[0].is_over)
        return; /* too late: this and what follows is not hit */
    outcome->hit = 1;
    outcome->call = process->call;
    outcome->is_entry = is_entry;
    if (process->call >= 0 && process->call < CALL_NUMBERS)
        outcome->ordinal = process->made[process->call];
    if (fault->before)
        fault->before(fault->context);
    if (fault->kind == FAULT_KILL) {
        kill(process->pid, SIGKILL);
    } else if (fault->kind == FAULT_KILL_LAUNCHER) {
        kill(trace->processes[0].pid, SIGKILL);
    } else if (process->call == SYS_close || registers_skip_call(process->pid) == 0) {
        /* close() has closed whatever it returns. */
        process->fails_with = fault->errnum;
    } else {
        outcome->hit = 0;
    }
}

static void at_boundary(struct trace *trace, struct process *process)
{
    int is_entry = count_boundary(process);
    const struct fault *fault = trace->fault;
    int is_ours = process == &trace->processes[fault->process] && !trace->outcome->hit;

    if (process->fails_with && !is_entry) {
        registers_set_result(process->pid, -process->fails_with);
        process->fails_with = 0;
    } else if (is_ours && fault->kind == FAULT_ERRNO) {
        if (is_entry && process->entries == fault->at)
            carry_out(trace, process, is_entry);
    } else if (is_ours && process->boundaries == fault->at) {
        carry_out(trace, process, is_entry);
    }
}

/* The launcher's own exec is the first; with the second it is the command. */
static int is_command(const struct trace *trace, const struct process *process)
{
    return process == &trace->processes[0] && process->execs > 1;
}

/* Handles a stop; returns the signal that PROCESS gets when it goes on. */
static int at_stop(struct trace *trace, struct process *process, int status)
{
    int number = WSTOPSIG(status);
    int event = status >> 16;

    if (number == (SIGTRAP | 0x80)) {
        if (process != &trace->processes[0] || process->execs == 1)
            at_boundary(trace, process);
        return 0;
    }
    if (event == PTRACE_EVENT_EXEC)
        process->execs++;
    return event ? 0 : number;
}

static void handle(struct trace *trace, pid_t pid, int status)
{
    struct process *process = find_process(trace, pid);
    int is_new = !process;
    int number = 0;

    if (WIFEXITED(status) || WIFSIGNALED(status)) {
        if (!process)
            return;
        process->is_over = 1;
        if (process == &trace->processes[0]) {
            trace->outcome->status = status;
            trace->outcome->executed =
                process->execs > 1 || (process->call == SYS_execve && WIFSIGNALED(status));
            trace->over_ms = now_ms();
            set_deadline(LEFT_SECONDS);
        }
        return;
    }
    if (is_new)
        process = add_process(trace, pid);
    if (!process) {
        kill(pid, SIGKILL);
        return;
    }
    if (!is_new)
        number = at_stop(trace, process, status);
    ptrace(is_command(trace, process) ? PTRACE_CONT : PTRACE_SYSCALL, pid, NULL, (void *)(long)number);
}

/* Something does not end: notes which, and ends all of it. */
static void end_all(struct trace *trace)
{
    if (trace->processes[0].is_over)
        trace->outcome->left = 1;
    else
        trace->outcome->hung = 1;
    for (int i = 0; i < trace->count; i++)
        if (!trace->processes[i].is_over)
            kill(trace->processes[i].pid, SIGKILL);
    set_deadline(1);
}

/* Until no child is left: those of the launch become ours when their parent is gone. */
static int wait_for_all(struct trace *trace)
{
    int status;

    set_deadline(LAUNCH_SECONDS);
    for (;;) {
        pid_t pid = waitpid(-1, &status, __WALL);

        if (pid > 0) {
            handle(trace, pid, status);
            continue;
        }
        if (errno != EINTR)
            break;
        end_all(trace);
    }
    trace->outcome->after_ms = now_ms() - trace->over_ms;
    alarm(0);
    return errno == ECHILD ? 0 : -1;
}

static int take_output(int fd, struct outcome *outcome)
{
    ssize_t length = pread(fd, outcome->output, sizeof outcome->output - 1, 0);

    if (length < 0)
        return -1;
    outcome->output[length] = '\0';
    return 0;
}

/* Starts the launcher as process 0, stopped before its exec where it is traced. */
static int start(struct trace *trace, char *const argv[], char *const environment[], int output)
{
    int status;
    pid_t pid = fork();

    if (pid < 0)
        return -1;
    if (pid == 0)
        become_launcher(argv, environment, trace->fault, output);
    add_process(trace, pid);
    if (trace->fault->kind == FAULT_NONE)
        return 0;
    if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
        return -1;
    if (ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)TRACE_OPTIONS) < 0)
        return -1;
    return ptrace(PTRACE_SYSCALL, pid, NULL, NULL) < 0 ? -1 : 0;
}

int traced_launch(char *const argv[], char *const environment[], const struct fault *fault,
                  struct outcome *outcome)
{
    FD_CLEANUP int output = memfd_create("output", MFD_CLOEXEC);
    struct trace *trace = calloc(1, sizeof *trace);
    int failed = -1;

    memset(outcome, 0, sizeof *outcome);
    if (trace && output >= 0 && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0) {
        trace->fault = fault;
        trace->outcome = outcome;
        if (start(trace, argv, environment, output) == 0 && wait_for_all(trace) == 0)
            failed = take_output(output, outcome);
    }
    free(trace);
    return failed;
}
