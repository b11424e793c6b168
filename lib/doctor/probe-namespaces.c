/* User and mount namespaces, as a launch, its ranks and the image server make them. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "base/proc.h"
#include "doctor/probe.h"
#include "host/userns.h"

void probe_switches(struct doctor_facts *facts)
{
    userns_look(&facts->switches);
}

static void try_together(struct doctor_facts *facts)
{
    struct doctor_namespaces *found = &facts->namespaces;

    found->together = doctor_unshare(CLONE_NEWUSER | CLONE_NEWNS);
    for (int i = 0; i < DOCTOR_ATTEMPTS && found->together == ENOSPC && !facts->switches.no_user; i++) {
        usleep(DOCTOR_PAUSE);
        found->together = doctor_unshare(CLONE_NEWUSER | CLONE_NEWNS);
    }
    if (found->together)
        return;
    found->maps = doctor_map_ids(facts);
    if (found->maps == 0)
        found->again = doctor_unshare(CLONE_NEWUSER | CLONE_NEWNS);
}

static void try_apart(struct doctor_facts *facts)
{
    struct doctor_namespaces *found = &facts->namespaces;

    found->apart = doctor_unshare(CLONE_NEWUSER);
    if (found->apart)
        return;
    found->maps = doctor_map_ids(facts);
    found->mount = doctor_unshare(CLONE_NEWNS);
}

/* Another rank: in namespaces of its own, until nobody holds the other end of WAIT. */
static void __attribute__((noreturn)) be_first(const struct doctor_facts *facts, int tell, int wait)
{
    char c = 0;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (doctor_enter(facts) && write(tell, &c, 1) == 1)
        while (read(wait, &c, 1) < 0 && errno == EINTR)
            ;
    _exit(0);
}

static int join(pid_t pid, const char *name, int kind)
{
    char path[PROC_PATH];
    FD_CLEANUP int fd = open(proc_path(path, pid, name), O_RDONLY | O_CLOEXEC);

    return fd < 0 || setns(fd, kind) < 0 ? errno : 0;
}

static void try_join(struct doctor_facts *facts)
{
    int told[2], held[2];
    pid_t first;
    char c;

    if (pipe2(told, O_CLOEXEC) < 0 || pipe2(held, O_CLOEXEC) < 0)
        return;
    first = fork();
    if (first == 0) {
        close(told[0]);
        close(held[1]);
        be_first(facts, told[1], held[0]);
    }
    close(told[1]);
    if (first < 0 || read(told[0], &c, 1) != 1)
        return;
    facts->namespaces.join = join(first, "ns/user", CLONE_NEWUSER);
    if (facts->namespaces.join == 0)
        facts->namespaces.join = join(first, "ns/mnt", CLONE_NEWNS);
    close(held[1]);
    waitpid(first, NULL, 0);
}

void probe_namespaces(struct doctor_facts *facts)
{
    doctor_child(try_together, facts);
    if (facts->namespaces.together != 0)
        doctor_child(try_apart, facts);
    else
        doctor_child(try_join, facts);
}
