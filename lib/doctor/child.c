/* Processes that try. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "doctor/probe.h"
#include "host/userns.h"

struct doctor_facts *doctor_facts_new(void)
{
    struct doctor_facts *facts =
        mmap(NULL, sizeof(*facts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (facts == MAP_FAILED)
        return NULL;
    facts->uid = geteuid();
    facts->gid = getegid();
    facts->namespaces = (struct doctor_namespaces){-1, -1, -1, -1, -1, -1};
    facts->mounts = (struct doctor_mounts){-1, -1, -1, -1, -1, -1, -1};
    facts->fuse = (struct doctor_fuse){-1, -1, -1, -1};
    facts->kernel.yama = facts->kernel.copies = DOCTOR_UNTRIED;
    facts->jobs.auth_connects = facts->directory.status = facts->squashfs.status = DOCTOR_UNTRIED;
    return facts;
}

/* Whether PID has ended within SECONDS. */
static int ends_within(pid_t pid, int seconds)
{
    struct timespec pause = {0, 200000};
    long long left = seconds * 1000000000ll;
    pid_t ended;

    while ((ended = waitpid(pid, NULL, WNOHANG)) == 0 && left > 0) {
        nanosleep(&pause, NULL);
        left -= pause.tv_nsec;
        if (pause.tv_nsec < 20000000)
            pause.tv_nsec *= 2;
    }
    return ended != 0;
}

static volatile pid_t group; /* 0: none */

void doctor_group(pid_t pid)
{
    group = pid;
}

/* The disposition is the default's again, by SA_RESETHAND. */
static void end_with_group(int signal)
{
    if (group > 0)
        kill(-group, SIGKILL);
    raise(signal);
}

void doctor_heed_signals(void)
{
    static const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    struct sigaction now = {.sa_handler = end_with_group, .sa_flags = (int)(SA_RESETHAND | SA_NODEFER)};
    struct sigaction before;

    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(signals[i], &now, NULL);
}

/* Waits for the child PID, and no longer than for DOCTOR_PATIENCE. */
static void wait_for(pid_t pid)
{
    if (pid < 0 || ends_within(pid, DOCTOR_PATIENCE))
        return;
    kill(-pid, SIGKILL); /* what it has started, where it leads a group */
    kill(pid, SIGKILL);
    ends_within(pid, 1);
}

void doctor_child(void (*work)(struct doctor_facts *facts), struct doctor_facts *facts)
{
    const pid_t pid = fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        work(facts);
        _exit(0);
    }
    wait_for(pid);
}

void doctor_child_of(doctor_work *work, struct doctor_facts *facts, char *const environment[],
                     struct arena *arena)
{
    const pid_t pid = fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        setpgid(0, 0);
        work(facts, environment, arena);
        _exit(0);
    }
    doctor_group(pid);
    wait_for(pid);
    doctor_group(0);
}

int doctor_unshare(unsigned flags)
{
    return unshare((int)flags) < 0 ? errno : 0;
}

static int write_file(const char *name, const char *text)
{
    FD_CLEANUP int fd = open(name, O_WRONLY | O_CLOEXEC);

    return fd < 0 || fd_write_all(fd, text, strlen(text)) < 0 ? errno : 0;
}

int doctor_map_ids(const struct doctor_facts *facts)
{
    char text[USERNS_MAP];
    int error = write_file("/proc/self/setgroups", "deny");

    if (!error)
        error = write_file("/proc/self/uid_map", userns_format_map(text, facts->uid, facts->uid));
    if (!error)
        error = write_file("/proc/self/gid_map", userns_format_map(text, facts->gid, facts->gid));
    return error;
}

int doctor_enter(const struct doctor_facts *facts)
{
    return doctor_unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && doctor_map_ids(facts) == 0;
}
