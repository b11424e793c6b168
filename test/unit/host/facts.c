/* What only few launches ask for. The rest of the facts is seen in `coracle explain`. */
#include "host/facts.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../tap.h"
#include "base/fd.h"

static struct arena arena;

/* Runs PLAY in a process of its own. Its exit status. */
static int run(int (*play)(pid_t parent))
{
    const pid_t parent = getpid();
    const pid_t child = fork();
    int status;

    if (child == 0)
        _exit(play(parent));
    if (child < 0 || waitpid(child, &status, 0) != child)
        exit(EXIT_FAILURE);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_session(void)
{
    struct host_facts facts = {0};

    facts_gather_session(&facts);
    TAP_INT(facts.session, getsid(0));
}

/* In a session of its own, under a name that looks like the end of the name. */
static int play_leader(const char *name, pid_t parent)
{
    struct host_facts facts = {0};

    if (setsid() < 0 || prctl(PR_SET_NAME, name) < 0)
        return 1;
    facts_gather_session(&facts);
    facts_gather_launcher(&facts);
    return (facts.session == getpid() ? 0 : 2) | (facts.launcher == parent ? 0 : 4);
}

static int play_plain(pid_t parent)
{
    return play_leader("leader", parent);
}

static int play_odd(pid_t parent)
{
    return play_leader(") S 99 (a) R 7", parent);
}

static int play_empty(pid_t parent)
{
    return play_leader("", parent);
}

static int play_lines(pid_t parent)
{
    return play_leader("a\n1 (b) S 5", parent);
}

/* A member of the session that does not lead it. */
static int play_member(pid_t parent)
{
    struct host_facts facts = {0};
    int status;
    pid_t child;

    if (setsid() < 0)
        return 1;
    child = fork();
    if (child == 0) {
        facts_gather_session(&facts);
        facts_gather_launcher(&facts);
        _exit((facts.session == getppid() ? 0 : 2) | (facts.launcher == parent ? 0 : 4));
    }
    return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : 8;
}

static void test_launcher(void)
{
    struct host_facts facts = {0};

    TAP_INT(run(play_plain), 0);
    TAP_INT(run(play_odd), 0);
    TAP_INT(run(play_empty), 0);
    TAP_INT(run(play_lines), 0);
    TAP_INT(run(play_member), 0);
    /* A leader outside of this pid namespace, or gone. */
    facts_gather_launcher(&facts);
    TAP_INT(facts.launcher, 0);
    facts.session = 4194305; /* above the largest pid: proc(5), pid_max */
    facts_gather_launcher(&facts);
    TAP_INT(facts.launcher, 0);
}

static void test_cgroup(void)
{
    struct host_facts facts = {0};
    FD_CLEANUP int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
    size_t length;
    const char *text = fd < 0 ? NULL : fd_read_all(fd, 1024 * 1024, &arena, &length);

    facts_gather_cgroup(&facts, &arena);
    TAP_STR(facts.cgroup, text);
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    test_session();
    test_launcher();
    test_cgroup();
    arena_free(&arena);
    return tap_done();
}
