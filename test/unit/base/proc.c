#include "base/proc.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../tap.h"

static void test_path(void)
{
    char path[PROC_PATH];

    TAP_STR(proc_path(path, 1, "stat"), "/proc/1/stat");
    TAP_STR(proc_path(path, 2147483647, "ns/mnt"), "/proc/2147483647/ns/mnt");
}

/* A process that calls itself NAME and is stopped. */
static pid_t start_stopped(const char *name)
{
    pid_t child = fork();

    if (child == 0) {
        prctl(PR_SET_NAME, name);
        raise(SIGSTOP);
        _exit(0);
    }
    waitpid(child, NULL, WUNTRACED);
    return child;
}

static void test_stat(const char *name)
{
    pid_t child = start_stopped(name);
    char text[PROC_STAT];
    const char *stat = proc_stat(text, child);

    TAP_INT(stat[0], 'T');
    TAP_INT(atoi(stat + 2), getpid());
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    TAP_STR(proc_stat(text, child), "");
}

int main(void)
{
    test_path();
    test_stat("plain");
    test_stat(") S 1 (");
    test_stat("a b\n)");
    return tap_done();
}
