#include "base/orphan.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../tap.h"
#include "base/fd.h"

/* The name under which this test is the program that is started. */
static const char role[] = "coracle-orphan-role";

static const char *const self[] = {"/nonexistent/coracle-role", "/proc/self/exe", NULL};

/* What the program found, sent through its descriptor 3. */
struct finding {
    pid_t process, parent, session;
    int held;                         /* signals blocked before orphan_settle(); the rest is after it */
    int blocked, ignored;             /* signals */
    int scheduling, memory;           /* policies */
    int lowered;                      /* soft limits below the hard ones */
    cpu_set_t cpus;                   /* those that it may run on */
    int null[3];                      /* whether the standard descriptors are /dev/null */
    int descriptors[ORPHAN_FD_LIMIT]; /* file types of 3, 4 ...; 0: not open */
    int others;                       /* how many more are open */
    char directory[PATH_MAX], argument[64], environment[64];
};

static int count_blocked(void)
{
    sigset_t mask;
    int count = 0;

    sigprocmask(SIG_SETMASK, NULL, &mask);
    for (int number = 1; number < NSIG; number++)
        count += sigismember(&mask, number) == 1;
    return count;
}

static int count_ignored(void)
{
    struct sigaction action;
    int count = 0;

    for (int number = 1; number < NSIG; number++)
        count += sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
    return count;
}

static int is_null(int fd)
{
    struct stat null, st;

    return stat("/dev/null", &null) == 0 && fstat(fd, &st) == 0 && st.st_rdev == null.st_rdev &&
           (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR;
}

static int count_lowered_limits(void)
{
    struct rlimit limit;
    int count = 0;

    for (int resource = 0; resource < RLIM_NLIMITS; resource++)
        count += getrlimit(resource, &limit) == 0 && limit.rlim_cur != limit.rlim_max;
    return count;
}

/* The mode of get_mempolicy(2): 0 is the default. */
static int memory_policy(void)
{
    int mode = -1;

    syscall(SYS_get_mempolicy, &mode, NULL, 0, NULL, 0);
    return mode;
}

static int play_role(char **argv)
{
    const char *variable = getenv("CORACLE_TEST_ORPHAN");
    const int held = count_blocked();
    struct finding finding;
    char go;

    if (argv[1] && strcmp(argv[1], "end") == 0)
        kill(getpid(), SIGTERM);
    orphan_settle();
    finding = (struct finding){
        .process = getpid(),
        .parent = getppid(),
        .session = getsid(0),
        .held = held,
        .blocked = count_blocked(),
        .ignored = count_ignored(),
        .scheduling = sched_getscheduler(0),
        .memory = memory_policy(),
        .lowered = count_lowered_limits(),
    };
    sched_getaffinity(0, sizeof(finding.cpus), &finding.cpus);
    for (int fd = 0; fd < 3; fd++)
        finding.null[fd] = is_null(fd);
    for (int fd = 3; fd < 1024; fd++) {
        struct stat st;

        if (fstat(fd, &st) < 0)
            continue;
        if (fd < 3 + ORPHAN_FD_LIMIT)
            finding.descriptors[fd - 3] = (int)(st.st_mode & S_IFMT);
        else
            finding.others++;
    }
    if (!getcwd(finding.directory, sizeof(finding.directory)))
        return EXIT_FAILURE;
    snprintf(finding.argument, sizeof(finding.argument), "%s", argv[1] ? argv[1] : "");
    snprintf(finding.environment, sizeof(finding.environment), "%s", variable ? variable : "");
    if (fd_write_all(3, &finding, sizeof(finding)) < 0)
        return EXIT_FAILURE;
    /* It lives until the test has looked. */
    return read(4, &go, 1) < 0;
}

struct started {
    pid_t process;
    int error;
    int pipe, hold; /* what it writes to; what it waits for */
    struct finding finding;
};

static const char *argument = "an argument";

/* Starts one of PROGRAMS with COUNT descriptors, and reads what it found. */
static void start(struct started *started, const char *const programs[], size_t count)
{
    char name[sizeof(role)], text[64], variable[] = "CORACLE_TEST_ORPHAN=yes";
    char *argv[] = {name, text, NULL}, *environment[] = {variable, NULL};
    int out[2], hold[2], null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    ssize_t n;

    memcpy(name, role, sizeof(role));
    snprintf(text, sizeof(text), "%s", argument);
    memset(started, 0, sizeof(*started));
    if (pipe2(out, O_CLOEXEC) < 0 || pipe2(hold, O_CLOEXEC) < 0)
        exit(EXIT_FAILURE);
    started->process =
        orphan_start(programs, argv, environment, (const int[]){out[1], hold[0], null, null}, count);
    started->error = errno;
    close(out[1]);
    close(hold[0]);
    close(null);
    n = read(out[0], &started->finding, sizeof(started->finding));
    if (n != sizeof(started->finding))
        started->finding.process = -1;
    started->pipe = out[0];
    started->hold = hold[1];
}

/* Lets it end, and waits until it has: the last writer is gone. */
static void finish(struct started *started)
{
    char byte;

    close(started->hold);
    while (read(started->pipe, &byte, 1) > 0)
        ;
    close(started->pipe);
}

static void check_nothing_left(void)
{
    FD_CLEANUP int lowest = open("/dev/null", O_RDONLY | O_CLOEXEC);
    sigset_t pending;

    TAP_INT(lowest, 3);
    errno = 0;
    TAP_INT(waitpid(-1, NULL, WNOHANG | __WALL), -1);
    TAP_INT(errno, ECHILD);
    TAP_INT(sigpending(&pending), 0);
    TAP_INT(sigismember(&pending, SIGCHLD), 0);
}

static void check_finding(const struct started *started, size_t count)
{
    const struct finding *finding = &started->finding;

    TAP_TRUE(started->process > 0);
    TAP_INT(finding->process, started->process);
    TAP_TRUE(finding->parent != getpid());
    TAP_INT(finding->session, finding->process);
    TAP_TRUE(finding->held >= SIGRTMAX - 5); /* all but SIGKILL, SIGSTOP and the C library's own */
    TAP_INT(finding->blocked, 0);
    TAP_INT(finding->ignored, 0);
    for (int fd = 0; fd < 3; fd++)
        TAP_INT(finding->null[fd], 1);
    TAP_INT(finding->descriptors[0], S_IFIFO);
    TAP_INT(finding->descriptors[1], S_IFIFO);
    for (size_t i = 2; i < ORPHAN_FD_LIMIT; i++)
        TAP_INT(finding->descriptors[i], i < count ? S_IFCHR : 0);
    TAP_INT(finding->others, 0);
    TAP_STR(finding->directory, "/");
    TAP_STR(finding->argument, "an argument");
    TAP_STR(finding->environment, "yes");
}

/* The second of the programs, as the first does not exist. */
static void test_start(void)
{
    struct started started;
    int many[20];

    for (int i = 0; i < 20; i++) /* open at exec for the program to find */
        many[i] = dup(STDERR_FILENO);
    start(&started, self, 2);
    for (int i = 0; i < 20; i++)
        close(many[i]);
    check_finding(&started, 2);
    errno = 0;
    TAP_INT(waitpid(-1, NULL, WNOHANG | __WALL), -1); /* while it lives */
    TAP_INT(errno, ECHILD);
    finish(&started);
    check_nothing_left();
    start(&started, self, ORPHAN_FD_LIMIT);
    check_finding(&started, ORPHAN_FD_LIMIT);
    finish(&started);
}

static volatile sig_atomic_t children;

static void count_child(int number)
{
    (void)number;
    children++;
}

/* Whatever the caller does with signals: it gets none, and the program has none of it. */
static void test_signals(void)
{
    static const char *const names[] = {"default", "ignored", "handled", "blocked"};
    struct sigaction now;
    sigset_t all, before, after;

    sigfillset(&all);
    for (int way = 0; way < 4; way++) {
        struct started started;

        tap.row = names[way];
        signal(SIGCHLD, way == 1 ? SIG_IGN : way == 2 ? count_child : SIG_DFL);
        signal(SIGUSR1, way == 1 ? SIG_IGN : way == 2 ? count_child : SIG_DFL);
        if (way == 3)
            sigprocmask(SIG_BLOCK, &all, &before);
        start(&started, self, 2);
        check_finding(&started, 2);
        finish(&started);
        check_nothing_left();
        TAP_INT(children, 0);
        TAP_INT(sigaction(SIGUSR1, NULL, &now), 0);
        TAP_TRUE(now.sa_handler == (way == 1 ? SIG_IGN : way == 2 ? count_child : SIG_DFL));
        sigprocmask(SIG_SETMASK, NULL, &after);
        TAP_INT(sigismember(&after, SIGUSR1), way == 3);
        if (way == 3)
            sigprocmask(SIG_SETMASK, &before, NULL);
    }
    tap.row = NULL;
    signal(SIGCHLD, SIG_DFL);
    signal(SIGUSR1, SIG_DFL);
}

/* Sent to the process group of the caller, who ignores it, when the program was still in that group. */
static int group_signal, group_signals_sent;

pid_t setsid(void)
{
    if (group_signal) {
        kill(getpid(), group_signal);
        group_signals_sent++;
    }
    return (pid_t)syscall(SYS_setsid);
}

static void test_signals_to_group(void)
{
    static const int signals[] = {SIGINT, SIGHUP, SIGTERM, SIGTSTP, SIGUSR1};

    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        struct started started;

        tap.row = strsignal(signals[i]);
        group_signals_sent = 0;
        group_signal = signals[i];
        signal(group_signal, SIG_IGN);
        start(&started, self, 2);
        group_signal = 0;
        signal(signals[i], SIG_DFL);
        TAP_INT(group_signals_sent, 1); /* by the process that shared our memory */
        check_finding(&started, 2);
        finish(&started);
    }
    tap.row = NULL;
}

/* One that is meant for the program is not lost: it waits until the program has settled. */
static void test_signal_to_program(void)
{
    struct started started;

    argument = "end";
    start(&started, self, 2);
    argument = "an argument";
    TAP_TRUE(started.process > 0);
    TAP_INT(started.finding.process, -1); /* it found nothing any more */
    finish(&started);
}

static void set_settings(int policy, int memory, const cpu_set_t *cpus)
{
    const struct sched_param other = {0};

    TAP_INT(sched_setscheduler(0, policy, &other), 0);
    if (syscall(SYS_set_mempolicy, memory, NULL, 0) < 0)
        printf("# no memory policy can be set here: %s\n", strerror(errno));
    TAP_INT(sched_setaffinity(0, sizeof(*cpus), cpus), 0);
}

/* A caller bound to one CPU, with settings of its own: it keeps them and the program has none. */
static void test_settings(void)
{
    enum { MEMORY_PREFERRED = 1 };
    struct rlimit limit, lowered;
    cpu_set_t before, allowed, one, now;
    struct started started;

    sched_getaffinity(0, sizeof(before), &before);
    memset(&allowed, 0xff, sizeof(allowed));
    sched_setaffinity(0, sizeof(allowed), &allowed);
    sched_getaffinity(0, sizeof(allowed), &allowed);
    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE && !CPU_COUNT(&one); cpu++)
        if (CPU_ISSET(cpu, &allowed))
            CPU_SET(cpu, &one);
    set_settings(SCHED_BATCH, MEMORY_PREFERRED, &one);
    getrlimit(RLIMIT_FSIZE, &limit);
    lowered = (struct rlimit){limit.rlim_max / 2, limit.rlim_max};
    TAP_INT(setrlimit(RLIMIT_FSIZE, &lowered), 0);
    start(&started, self, 2);
    sched_getaffinity(0, sizeof(now), &now);
    TAP_TRUE(CPU_EQUAL(&now, &one));
    TAP_INT(sched_getscheduler(0), SCHED_BATCH);
    setrlimit(RLIMIT_FSIZE, &limit);
    set_settings(SCHED_OTHER, 0, &before);
    check_finding(&started, 2);
    TAP_TRUE(CPU_EQUAL(&started.finding.cpus, &allowed));
    TAP_INT(started.finding.scheduling, SCHED_OTHER);
    TAP_INT(started.finding.memory, 0);
    TAP_INT(started.finding.lowered, 0);
    finish(&started);
}

static void test_failures(void)
{
    static const struct {
        const char *what;
        const char *programs[4];
        int error;
    } rows[] = {
        {"no program", {NULL}, ENOENT},
        {"none exists", {"/nonexistent/a", "/nonexistent/b", NULL}, ENOENT},
        {"a file on the way", {"/dev/null/program", NULL}, ENOTDIR},
        {"a directory", {"/etc", NULL}, EACCES},
        {"a directory, then none", {"/etc", "/nonexistent/b", NULL}, ENOENT},
        {"not a program, though one follows", {"/proc/self/comm", "/proc/self/exe", NULL}, 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct started started;

        tap.row = rows[i].what;
        start(&started, rows[i].programs, 2);
        TAP_INT(started.process > 0, !rows[i].error);
        if (rows[i].error)
            TAP_INT(started.error, rows[i].error);
        TAP_INT(started.finding.process, started.process);
        finish(&started);
        check_nothing_left();
    }
    tap.row = NULL;
}

/* One that can be found and is not a program is no reason to take another. */
static void test_not_a_program(void)
{
    char path[] = "/tmp/coracle-test-XXXXXX";
    const char *const programs[] = {path, "/proc/self/exe", NULL};
    int fd = mkstemp(path);
    struct started started;

    if (fd < 0 || fchmod(fd, 0755) < 0 || fd_write_all(fd, "no program\n", 11) < 0)
        exit(EXIT_FAILURE);
    close(fd);
    start(&started, programs, 2);
    TAP_INT(started.process, -1);
    TAP_INT(started.error, ENOEXEC);
    finish(&started);
    unlink(path);
    check_nothing_left();
}

/* The caller may have closed its standard descriptors: the given ones are then among them. */
static void test_closed_descriptors(void)
{
    int saved[3];
    struct started started;

    for (int fd = 0; fd < 3; fd++) {
        saved[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 100);
        close(fd);
    }
    start(&started, self, 2);
    finish(&started);
    for (int fd = 0; fd < 3; fd++) {
        dup2(saved[fd], fd);
        close(saved[fd]);
    }
    check_finding(&started, 2);
    check_nothing_left();
}

int main(int argc, char **argv)
{
    (void)argc;
    if (strcmp(argv[0], role) == 0)
        return play_role(argv);
    for (int fd = 3; fd < 20; fd++)
        close(fd); /* whatever the harness left open */
    test_start();
    test_signals();
    test_signals_to_group();
    test_signal_to_program();
    test_settings();
    test_failures();
    test_not_a_program();
    test_closed_descriptors();
    return tap_done();
}
