/*
 * What the end-to-end tests run inside an image, or use to start Coracle in a
 * state that a shell cannot make. Static, so that it runs in any image.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HIGHEST_FD = 4096 };

struct subcommand {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *usage;
};

/* The rest of the line becomes this process. */
static int become(char **argv)
{
    execvp(argv[0], argv);
    fprintf(stderr, "payload: %s: %s\n", argv[0], strerror(errno));
    return 127;
}

static int do_exit(int argc, char **argv)
{
    return argc > 1 ? atoi(argv[1]) : 0;
}

static int do_raise(int argc, char **argv)
{
    int sig = argc > 1 ? atoi(argv[1]) : SIGTERM;
    struct rlimit no_core = {0, 0};
    sigset_t set;

    setrlimit(RLIMIT_CORE, &no_core);
    signal(sig, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, sig);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    raise(sig);
    return 99;
}

/* Every open descriptor, one a line, found without opening another. */
static int do_fds(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    for (int fd = 0; fd < HIGHEST_FD; fd++) {
        if (fcntl(fd, F_GETFD) != -1)
            printf("%d\n", fd);
    }
    return 0;
}

static int do_id(int argc, char **argv)
{
    uid_t uid[3];
    gid_t gid[3];

    (void)argc;
    (void)argv;
    if (getresuid(&uid[0], &uid[1], &uid[2]) == -1 || getresgid(&gid[0], &gid[1], &gid[2]) == -1)
        return 1;
    printf("uid %u %u %u\ngid %u %u %u\n", uid[0], uid[1], uid[2], gid[0], gid[1], gid[2]);
    return 0;
}

static int do_mount_flags(int argc, char **argv)
{
    struct statvfs fs;

    if (argc < 2 || statvfs(argv[1], &fs) == -1) {
        perror("payload: mount-flags");
        return 1;
    }
    printf("%s%s%s%s\n", fs.f_flag & ST_RDONLY ? "ro" : "rw", fs.f_flag & ST_NOSUID ? " nosuid" : "",
           fs.f_flag & ST_NODEV ? " nodev" : "", fs.f_flag & ST_NOEXEC ? " noexec" : "");
    return 0;
}

/* block SIGNAL... -- COMMAND: COMMAND starts with these signals blocked. */
static int do_block(int argc, char **argv)
{
    sigset_t set;
    int i = 1;

    sigemptyset(&set);
    for (; i < argc && strcmp(argv[i], "--") != 0; i++)
        sigaddset(&set, atoi(argv[i]));
    sigprocmask(SIG_BLOCK, &set, NULL);
    return become(argv + i + 1);
}

/* ignore SIGNAL... -- COMMAND: COMMAND starts with these signals ignored. */
static int do_ignore(int argc, char **argv)
{
    int i = 1;

    for (; i < argc && strcmp(argv[i], "--") != 0; i++)
        signal(atoi(argv[i]), SIG_IGN);
    return become(argv + i + 1);
}

/* close FD... -- COMMAND: COMMAND starts without these descriptors. */
static int do_close(int argc, char **argv)
{
    int i = 1;

    for (; i < argc && strcmp(argv[i], "--") != 0; i++)
        close(atoi(argv[i]));
    return become(argv + i + 1);
}

/* status COMMAND: says how COMMAND ended, which a shell's $? cannot. */
static int do_status(int argc, char **argv)
{
    int status;
    pid_t pid = fork();

    if (pid == 0)
        _exit(become(argv + 1));
    if (argc < 2 || pid == -1 || waitpid(pid, &status, 0) == -1)
        return 2;
    if (WIFSIGNALED(status))
        printf("killed %d\n", WTERMSIG(status));
    else
        printf("exited %d\n", WEXITSTATUS(status));
    return 0;
}

static volatile sig_atomic_t arrived[NSIG];

static void note(int sig)
{
    arrived[sig] = 1;
}

/*
 * signals COUNT: prints "ready PID", then "got N" for each signal, until COUNT
 * have arrived.
 */
static int do_signals(int argc, char **argv)
{
    static const int watched[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGCONT, SIGTSTP};
    struct sigaction action = {.sa_handler = note};
    int left = argc > 1 ? atoi(argv[1]) : 1;
    sigset_t all, none;

    sigfillset(&all);
    sigemptyset(&none);
    sigprocmask(SIG_BLOCK, &all, NULL);
    for (size_t i = 0; i < sizeof(watched) / sizeof(watched[0]); i++)
        sigaction(watched[i], &action, NULL);
    setvbuf(stdout, NULL, _IONBF, 0);
    printf("ready %d\n", (int)getpid());
    alarm(30);
    while (left > 0) {
        sigsuspend(&none);
        for (int sig = 1; sig < NSIG; sig++) {
            if (arrived[sig]) {
                arrived[sig] = 0;
                left--;
                printf("got %d\n", sig);
            }
        }
    }
    return 0;
}

static int do_no_new_privs(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    printf("%d\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    return 0;
}

/* access PATH...: what access(2) says that one may do with each, as ls writes it. */
static int do_access(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        printf("%c%c%c %s\n", access(argv[i], R_OK) ? '-' : 'r', access(argv[i], W_OK) ? '-' : 'w',
               access(argv[i], X_OK) ? '-' : 'x', argv[i]);
    return 0;
}

/* args ARG...: each argument in brackets, one a line. */
static int do_args(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        printf("[%s]\n", argv[i]);
    return 0;
}

/* argv0 NAME COMMAND ARG...: COMMAND with NAME as its zeroth argument. */
static int do_argv0(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    char *path = argv[2];
    argv[2] = argv[1];
    execv(path, argv + 2);
    perror(path);
    return 127;
}

static const struct subcommand subcommands[] = {
    {"access", do_access, "PATH..."},
    {"args", do_args, "ARG..."},
    {"argv0", do_argv0, "NAME COMMAND ARG..."},
    {"block", do_block, "SIGNAL... -- COMMAND"},
    {"close", do_close, "FD... -- COMMAND"},
    {"exit", do_exit, "STATUS"},
    {"fds", do_fds, ""},
    {"id", do_id, ""},
    {"ignore", do_ignore, "SIGNAL... -- COMMAND"},
    {"mount-flags", do_mount_flags, "PATH"},
    {"no-new-privs", do_no_new_privs, ""},
    {"raise", do_raise, "SIGNAL"},
    {"signals", do_signals, "COUNT"},
    {"status", do_status, "COMMAND..."},
};

int main(int argc, char **argv)
{
    size_t count = sizeof(subcommands) / sizeof(subcommands[0]);

    for (size_t i = 0; argc > 1 && i < count; i++) {
        if (strcmp(argv[1], subcommands[i].name) == 0)
            return subcommands[i].run(argc - 1, argv + 1);
    }
    for (size_t i = 0; i < count; i++)
        fprintf(stderr, "usage: payload %s %s\n", subcommands[i].name, subcommands[i].usage);
    return 2;
}
