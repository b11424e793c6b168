/*
 * traced-launch - runs a launch under ptrace and makes one thing go wrong in it.
 *
 * Processes are numbered as they appear: 0 is the launcher, 1 the first process
 * that it starts. A boundary is the entry or the exit of a system call. Those of
 * the launcher count from its own exec to that of the command; the command is
 * let run.
 */
#ifndef CORACLE_TEST_FAULT_TRACED_LAUNCH_H
#define CORACLE_TEST_FAULT_TRACED_LAUNCH_H

enum fault_kind {
    FAULT_NONE,          /* let it run, untraced */
    FAULT_KILL,          /* SIGKILL for the process that is at the boundary */
    FAULT_KILL_LAUNCHER, /* SIGKILL for the launcher while the process is there */
    FAULT_ERRNO,         /* the system call fails; only entries are counted */
};

struct fault {
    enum fault_kind kind;
    int process;
    int at; /* the boundary: 1, 2, 3 ... within that process */
    int errnum;
    void (*before)(void *context); /* called at the boundary, before it goes wrong; NULL */
    void *context;
};

struct outcome {
    int hit;           /* the fault's boundary was reached */
    long call;         /* and was one of this system call, */
    int ordinal;       /* the so-manieth of its name in that process, */
    int is_entry;      /* on its way in */
    int status;        /* of the launcher, as from waitpid() */
    int executed;      /* it had become the command, or was lost on the way to that */
    int hung;          /* it had to be ended after LAUNCH_SECONDS */
    int left;          /* a process of it lived on for more than LEFT_SECONDS */
    long after_ms;     /* how long the last one lived on */
    char output[8192]; /* what came on stdout and stderr, zero-terminated */
};

enum { LAUNCH_SECONDS = 20, LEFT_SECONDS = 5 };

/*
 * Runs ARGV with ENVIRONMENT and FAULT and fills OUTCOME. Every process that
 * came of it is gone on return. 0, or -1 and errno where the harness itself
 * fails. Not to be used beside other children of the caller.
 */
int traced_launch(char *const argv[], char *const environment[], const struct fault *fault,
                  struct outcome *outcome);

#endif
