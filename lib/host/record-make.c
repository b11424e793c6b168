#include "host/record-make.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "host/programs.h"

/*
 * How the middle process ends: 0; the errno for which no program could be
 * started (all are below 128 but a few that execve(2) does not know); 128 and
 * the signal that ended it; or this, where the program itself failed.
 */
enum { SIGNAL_STATUS = 128, FAILED_STATUS = 255 };

/* ENVIRONMENT without LD_PRELOAD and the like: nobody's libraries are for this program. */
static char *const *clean_environment(char *const environment[], struct arena *arena)
{
    size_t count = 0, kept = 0;
    char **clean;

    while (environment[count])
        count++;
    clean = arena_alloc(arena, (count + 1) * sizeof(*clean));
    for (size_t i = 0; i < count; i++)
        if (strncmp(environment[i], "LD_", 3) != 0)
            clean[kept++] = environment[i];
    return clean;
}

/* Waits for CHILD, of whatever exit signal. 0 and *STATUS, or -1. */
static int wait_for(pid_t child, int *status)
{
    while (waitpid(child, status, __WALL) < 0)
        if (errno != EINTR)
            return -1;
    return 0;
}

/* Runs the first of PROGRAMS that exists. The exit status of the middle process. */
static int run_first(const char *const programs[], char *const environment[])
{
    char name[] = "coracle-record";
    char *const argv[] = {name, NULL};
    int error = ENOENT;
    int status;
    pid_t child;

    for (; *programs && (error == ENOENT || error == ENOTDIR || error == EACCES); programs++) {
        error = posix_spawn(&child, *programs, NULL, NULL, argv, environment);
        if (error)
            continue;
        if (wait_for(child, &status) < 0)
            return FAILED_STATUS;
        if (WIFSIGNALED(status))
            return SIGNAL_STATUS + WTERMSIG(status);
        return WEXITSTATUS(status) ? FAILED_STATUS : 0;
    }
    return error;
}

/*
 * The program's parent is a process of its own. execve() sets the signal that
 * a process sends when it ends to SIGCHLD, so a program run directly would
 * leave that signal pending in a caller who blocks it, and no status for one
 * who ignores it. A process that only forks can end with no signal at all.
 */
static void __attribute__((noreturn))
be_middle_process(const int fds[3], const char *const programs[], char *const environment[])
{
    signal(SIGCHLD, SIG_DFL);
    if (fd_arrange(fds, 3) < 0)
        _exit(errno);
    _exit(run_first(programs, environment));
}

/* WHAT, "cannot ...", and why: ERR_LIMIT where something has run out, else ERR_RECORD. Returns -1. */
static int cannot(struct err *err, const char *what, int errnum)
{
    const int is_limit = errnum == EAGAIN || errnum == ENOMEM || errnum == EMFILE || errnum == ENFILE;

    return err_set(err, is_limit ? ERR_LIMIT : ERR_RECORD, "%s: %s%s", what, err_reason(errnum),
                   errnum == EMFILE ? "; raise the limit of open files: ulimit -n" : programs_place(errnum));
}

/* Starts the middle process. Its id and *OUTPUT, what the program prints; or -1. */
static pid_t start(const char *const programs[], char *const environment[], int *output, struct err *err)
{
    int errors = fcntl(STDERR_FILENO, F_GETFD) < 0 ? -1 : STDERR_FILENO; /* the pipe may take its number */
    int ends[2];
    pid_t child;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return cannot(err, "cannot make a pipe to coracle-record", errno);
    child = (pid_t)syscall(SYS_clone, 0, NULL, NULL, NULL, NULL); /* exit signal 0: none */
    if (child == 0)
        be_middle_process((const int[]){-1, ends[1], errors}, programs, environment);
    if (child < 0) {
        cannot(err, "cannot make a process for coracle-record", errno);
        close(ends[0]);
    } else {
        *output = ends[0];
    }
    close(ends[1]);
    return child;
}

/* Says why a middle process with the wait(2) status STATUS brought no record. */
static void explain(int status, struct err *err)
{
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : SIGNAL_STATUS + WTERMSIG(status);

    if (code == 0)
        err_set(err, ERR_RECORD, "coracle-record gave a damaged answer; reinstall Coracle");
    else if (code < SIGNAL_STATUS)
        cannot(err, "coracle-record cannot be started", code);
    else if (code < FAILED_STATUS)
        err_set(err, ERR_RECORD, "coracle-record was ended by signal %d", code - SIGNAL_STATUS);
    else
        err_set(err, ERR_RECORD, "coracle-record failed");
}

int record_make(const char *const programs[], char *const environment[], struct record_file *file,
                struct arena *arena, struct err *err)
{
    FD_CLEANUP int output = -1;
    pid_t child = start(programs, clean_environment(environment, arena), &output, err);
    size_t length;
    char *text;
    int status = 0;

    if (child < 0)
        return -1;
    text = fd_read_all(output, RECORD_STREAM_LIMIT, arena, &length);
    fd_close(&output); /* one that prints without end is stopped by it */
    if (wait_for(child, &status) == 0 && status == 0 && text &&
        record_file_parse(text, length, file, arena) == 0)
        return 0;
    explain(status, err);
    return 1;
}
