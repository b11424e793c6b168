/*
 * as-squashfs - stands where the tests call coracle, and makes the directory that
 * they give as the image a SquashFS file before coracle sees it.
 *
 * What it is compiled with: PROGRAM, the coracle under test; MKSQUASHFS, the
 * packer; TESTS, the directory that holds one of each test. An IMAGE operand that
 * names a directory within such a directory is packed to a file of that name with
 * ".sqfs" behind, unless that is there from before and the directory is as it was.
 * Everything else goes to coracle as it is, and so does all that a process passes
 * on: environment, descriptors, signals. A shell could not do that.
 *
 *     as-squashfs pack DIRECTORY   packs it and prints the name of the file
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Like a signal that tests do not expect, so that nobody takes it for a status of coracle's. */
enum { FAILED = 98 };

static const char suffix[] = ".sqfs";

static void __attribute__((noreturn)) fail(const char *what, const char *name)
{
    fprintf(stderr, "as-squashfs: %s %s: %s\n", what, name, strerror(errno));
    exit(FAILED);
}

static char *join(const char *first, const char *second)
{
    char *text;

    if (asprintf(&text, "%s%s", first, second) < 0)
        fail("no memory for", first);
    return text;
}

/* --- whether a directory is as it was -------------------------------------------- */

static uint64_t seen;

static void mix(uint64_t value)
{
    seen = (seen ^ value) * 0x100000001b3;
    seen ^= seen >> 29;
}

static int look_at(const char *path, const struct stat *st, int kind, struct FTW *place)
{
    (void)path, (void)kind, (void)place;
    mix(st->st_ino);
    mix(st->st_mode);
    mix((uint64_t)st->st_size);
    mix((uint64_t)st->st_ctim.tv_sec);
    mix((uint64_t)st->st_ctim.tv_nsec);
    return 0;
}

/*
 * The time stamp of a file that DIRECTORY, as it is now, is packed to: a hash of
 * what any change in it changes. To be taken before it is packed.
 */
static struct timespec stamp_of(const char *directory)
{
    seen = 0xcbf29ce484222325;
    if (nftw(directory, look_at, 16, FTW_PHYS) != 0)
        fail("cannot look through", directory);
    return (struct timespec){.tv_sec = (time_t)(seen >> 32 & 0x7fffffff),
                             .tv_nsec = (long)(seen % 1000000000)};
}

static int has_stamp(const char *file, const struct timespec *stamp)
{
    struct stat st;

    return stat(file, &st) == 0 && st.st_mtim.tv_sec == stamp->tv_sec && st.st_mtim.tv_nsec == stamp->tv_nsec;
}

/* --- packing --------------------------------------------------------------------- */

static void write_text(const char *file, const char *format, unsigned number)
{
    int fd = open(file, O_WRONLY | O_CLOEXEC);

    if (fd >= 0)
        dprintf(fd, format, number);
    if (fd >= 0)
        close(fd);
}

/* Directories and files that a test closes to itself are packed too: root reads them. */
static void become_root(void)
{
    const unsigned uid = getuid(), gid = getgid();

    if (uid == 0 || unshare(CLONE_NEWUSER) < 0)
        return;
    write_text("/proc/self/setgroups", "deny", 0);
    write_text("/proc/self/uid_map", "0 %u 1", uid);
    write_text("/proc/self/gid_map", "0 %u 1", gid);
}

/* Nothing that a test has set decides how the image is packed. */
static void forget_state(void)
{
    static const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTERM, SIGCHLD, SIGTSTP, SIGTTOU};
    const struct rlimit files = {1024, 1024};
    sigset_t none;
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    dup2(fd, STDOUT_FILENO);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        signal(signals[i], SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    umask(022);
    setrlimit(RLIMIT_NOFILE, &files);
    become_root();
}

static void __attribute__((noreturn)) execute_packer(const char *directory, const char *file)
{
    execle(MKSQUASHFS, "mksquashfs", directory, file, "-noappend", "-quiet", "-no-progress", "-comp", "zstd",
           "-Xcompression-level", "1", "-processors", "2", (char *)NULL, (char *[]){NULL});
    fail("cannot execute", MKSQUASHFS);
}

static void wait_for(pid_t child)
{
    int status;

    if (child < 0)
        fail("cannot start", MKSQUASHFS);
    while (waitpid(child, &status, __WALL) < 0)
        if (errno != EINTR)
            fail("cannot wait for", MKSQUASHFS);
    if (status != 0)
        exit(FAILED);
}

/*
 * By a child whose end sends no signal: none must be pending in coracle for it. It
 * executes nothing itself, as that would give it SIGCHLD to send. clone(2)
 */
static void run_packer(const char *directory, const char *file)
{
    pid_t child = (pid_t)syscall(SYS_clone, 0, 0, 0, 0, 0);

    if (child == 0) {
        forget_state();
        child = fork();
        if (child == 0)
            execute_packer(directory, file);
        wait_for(child);
        _exit(0);
    }
    wait_for(child);
}

/* Beside it and then in its place: another launch may be running from the old one. */
static void pack(const char *directory, const char *file)
{
    struct timespec times[2] = {stamp_of(directory)};
    char number[24];
    char *fresh;

    times[1] = times[0];
    if (has_stamp(file, &times[0]))
        return;
    snprintf(number, sizeof(number), ".%ld", (long)getpid());
    fresh = join(file, number);
    run_packer(directory, fresh);
    if (utimensat(AT_FDCWD, fresh, times, 0) < 0 || rename(fresh, file) < 0)
        fail("cannot put in its place", file);
}

/* --- which argument is the image ------------------------------------------------- */

/* Whether NAME is a directory within that of a test; *REAL is its path without links. */
static int is_packable(const char *name, char **real)
{
    struct stat st;
    const char *rest;

    if (stat(name, &st) < 0 || !S_ISDIR(st.st_mode) || !(*real = realpath(name, NULL)))
        return 0;
    if (strncmp(*real, TESTS "/", strlen(TESTS "/")) != 0)
        return 0;
    rest = strchr(*real + strlen(TESTS "/"), '/');
    return rest && rest[1];
}

/* NAME as it was given, relative or through links, where that leads to FILE too. */
static char *name_like(const char *name, char *file)
{
    char *like = join(name, "");
    struct stat one, other;

    for (size_t n = strlen(like); n > 1 && like[n - 1] == '/'; n--)
        like[n - 1] = '\0';
    like = join(like, suffix);
    if (stat(like, &one) == 0 && stat(file, &other) == 0 && one.st_dev == other.st_dev &&
        one.st_ino == other.st_ino)
        return like;
    return file;
}

static char *packed(char *name)
{
    char *real, *file;

    if (!is_packable(name, &real))
        return name;
    file = join(real, suffix);
    pack(real, file);
    return name_like(name, file);
}

static int is_one_of(const char *word, const char *const words[])
{
    for (; *words; words++)
        if (strcmp(word, *words) == 0)
            return 1;
    return 0;
}

/* Where the operand IMAGE is in coracle's command line; ARGC where there is none. */
static int find_image(int argc, char **argv)
{
    static const char *const commands[] = {"run", "shell", "explain", NULL};
    static const char *const with_value[] = {"--bind",  "-b",     "--mount", "--tmpfs",    "--workdir",
                                             "-w",      "--env",  "-e",      "--env-file", "--unset-env",
                                             "--uid",   "-u",     "--gid",   "-g",         "--entrypoint",
                                             "--share", "--name", NULL};
    int i = 1;

    if (i >= argc || !is_one_of(argv[i], commands))
        return argc;
    i++;
    if (strcmp(argv[1], "explain") == 0 && i < argc && is_one_of(argv[i], commands))
        i++;
    while (i < argc && argv[i][0] == '-' && argv[i][1]) {
        if (strcmp(argv[i], "--") == 0)
            return i + 1;
        i += is_one_of(argv[i], with_value) ? 2 : 1;
    }
    return i < argc ? i : argc;
}

int main(int argc, char **argv)
{
    int image;

    if (argc == 3 && strcmp(argv[1], "pack") == 0) {
        puts(packed(argv[2]));
        return 0;
    }
    image = find_image(argc, argv);
    if (image < argc)
        argv[image] = packed(argv[image]);
    execv(PROGRAM, argv);
    fail("cannot execute", PROGRAM);
}
