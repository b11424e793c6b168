/*
 * host-mounts - what a launch costs where the host has many mounts, by two ways.
 *
 *     host-mounts [ROUNDS [MOUNTS...]]
 *
 *     unshare     unshare(2) copies all mounts of the host; sources are cloned from the copy. As lib/launch
 * does. namespaces  open_tree(OPEN_TREE_NAMESPACE), Linux 7.0, copies of the host only what is bound: a
 *                 namespace for the image and for each directory. After it a clone of a path of the host is
 *                 EPERM: the launcher enters each, clones there, and puts the clones into the image's in the
 * end.
 *
 * Both mount the sources of a plan without options on an image made here, and execute a program that exits at
 * once. A namespace of a file is refused: its directory gives one. Directories are found beforehand, not
 * on the launch's time. Ways take turns; MOUNTS are how many the host has, shared as systemd makes them.
 *
 * Prints medians and minima, in microseconds: by a clock inside, to the exec; from the fork to the end of
 * waitpid, the mounts gone too; and how often the launch slept, as it does for each of the kernel's grace
 * periods.
 *
 * Run it as an ordinary user. Status 77 where the kernel does not have the second way.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CLONE_TREE 1u     /* open_tree(2): OPEN_TREE_CLONE */
#define NAMESPACE_TREE 2u /* OPEN_TREE_NAMESPACE, Linux 7.0 */
#define FROM_FD 0x04u     /* move_mount(2): MOVE_MOUNT_F_EMPTY_PATH */
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

enum { SOURCES = 10, ROUNDS_LIMIT = 1001, COUNTS_LIMIT = 16, WAYS = 2, SKIPPED = 77 };

struct source {
    char path[PATH_MAX];    /* links resolved */
    char beneath[PATH_MAX]; /* its place in its namespace, "/..." */
    char target[24];        /* in the image, which both ways stand in */
    int space;              /* index of its namespace */
};

static struct source sources[SOURCES];
static int source_count;
static char spaces[SOURCES + 1][PATH_MAX]; /* directories; the first is the image */
static int space_count;
static char work[] = "/tmp/host-mounts.XXXXXX";
static int program;              /* this one, to execute */
static volatile int64_t *inside; /* nanoseconds up to the exec, told by the launch */
static int clock_pipe[2];        /* through it the command tells when it ran */

static void die(const char *what)
{
    fprintf(stderr, "host-mounts: %s: %s\n", what, strerror(errno));
    exit(2);
}

/* In a launch: nothing of the parent's is flushed or removed. */
static void need(int good, const char *what)
{
    if (good)
        return;
    dprintf(2, "host-mounts: %s: %s\n", what, strerror(errno));
    _exit(125);
}

static int64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

/* --- the two ways ---------------------------------------------------------- */

static int open_tree_of(const char *path, unsigned flags)
{
    const int tree = (int)syscall(SYS_open_tree, AT_FDCWD, path, flags | AT_RECURSIVE | O_CLOEXEC);

    need(tree >= 0, path);
    return tree;
}

static void attach(int tree, const char *target)
{
    need(syscall(SYS_move_mount, tree, "", AT_FDCWD, target, FROM_FD) == 0, target);
}

static void write_file(const char *name, const char *text)
{
    const int fd = open(name, O_WRONLY | O_CLOEXEC);

    need(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), name);
    close(fd);
}

static void make_namespaces(int flags, uid_t uid, gid_t gid)
{
    char map[48];

    need(unshare(flags) == 0, "unshare");
    write_file("/proc/self/setgroups", "deny");
    snprintf(map, sizeof(map), "%u %u 1", uid, uid);
    write_file("/proc/self/uid_map", map);
    snprintf(map, sizeof(map), "%u %u 1", gid, gid);
    write_file("/proc/self/gid_map", map);
}

static void attach_sources(const int trees[])
{
    for (int i = 0; i < source_count; i++)
        attach(trees[i], sources[i].target);
}

static void by_unshare(uid_t uid, gid_t gid)
{
    int trees[SOURCES], image;

    make_namespaces(CLONE_NEWUSER | CLONE_NEWNS, uid, gid);
    for (int i = 0; i < source_count; i++)
        trees[i] = open_tree_of(sources[i].path, CLONE_TREE);
    image = open_tree_of(spaces[0], CLONE_TREE);
    attach(image, "/");
    need(fchdir(image) == 0, "enter the image");
    attach_sources(trees);
    need(chroot(".") == 0, "chroot");
}

static void by_namespaces(uid_t uid, gid_t gid)
{
    int trees[SOURCES], fds[SOURCES + 1];

    make_namespaces(CLONE_NEWUSER, uid, gid);
    for (int i = 0; i < space_count; i++)
        fds[i] = open_tree_of(spaces[i], NAMESPACE_TREE);
    for (int space = 1; space < space_count; space++) {
        need(setns(fds[space], CLONE_NEWNS) == 0, "enter the namespace of a source");
        for (int i = 0; i < source_count; i++)
            if (sources[i].space == space)
                trees[i] = open_tree_of(sources[i].beneath, CLONE_TREE);
    }
    need(setns(fds[0], CLONE_NEWNS) == 0, "enter the namespace of the image");
    attach_sources(trees);
}

static const struct way {
    const char *name;
    void (*launch)(uid_t uid, gid_t gid);
} ways[WAYS] = {{"unshare", by_unshare}, {"namespaces", by_namespaces}};

/* --- what is bound --------------------------------------------------------- */

static void join(char to[PATH_MAX], const char *path, const char *more)
{
    if (snprintf(to, PATH_MAX, "%s%s", path, more) >= PATH_MAX) {
        errno = ENAMETOOLONG;
        die(path);
    }
}

/* What of PATH is below DIR, "/" for DIR itself; NULL: it is not there. */
static const char *below(const char *path, const char *dir)
{
    const size_t length = strlen(dir);

    if (strncmp(path, dir, length) != 0 || (path[length] && path[length] != '/'))
        return NULL;
    return path[length] ? path + length : "/";
}

static void add_space(struct source *source, int is_directory)
{
    char dir[PATH_MAX];

    for (int i = 1; i < space_count; i++) {
        if (below(source->path, spaces[i])) {
            source->space = i;
            join(source->beneath, below(source->path, spaces[i]), "");
            return;
        }
    }
    join(dir, source->path, "");
    if (!is_directory)
        strrchr(dir, '/')[0] = '\0';
    source->space = space_count++;
    join(spaces[source->space], dir, "");
    join(source->beneath, below(source->path, dir), "");
}

/* A place in the image too. A source that this host lacks is left out, as by a launch. */
static void add_source(const char *path)
{
    struct source *source = &sources[source_count];
    char place[PATH_MAX + sizeof(source->target)];
    struct stat st;

    if (!realpath(path, source->path) || stat(source->path, &st) < 0)
        return;
    snprintf(source->target, sizeof(source->target), "%d", source_count++);
    join(place, spaces[0], "/");
    strcat(place, source->target);
    if (S_ISDIR(st.st_mode) ? mkdir(place, 0755) : mknod(place, S_IFREG | 0644, 0))
        die(place);
    add_space(source, S_ISDIR(st.st_mode));
}

static void make_sources(void)
{
    static const char *const defaults[] = {
        "/proc", "/sys", "/dev", "/tmp", "/etc/hosts", "/etc/resolv.conf", "/etc/localtime"};
    char path[PATH_MAX];

    if (!mkdtemp(work))
        die(work);
    join(spaces[space_count++], work, "/image");
    if (mkdir(spaces[0], 0755) < 0)
        die(spaces[0]);
    for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
        add_source(defaults[i]);
    /* The record's passwd and group. */
    for (int i = 0; i < 2; i++) {
        join(path, work, i ? "/group" : "/passwd");
        if (mknod(path, S_IFREG | 0644, 0) < 0)
            die(path);
        add_source(path);
    }
    if (getenv("HOME"))
        add_source(getenv("HOME"));
}

static void remove_sources(void)
{
    char path[PATH_MAX];

    for (int i = 0; i < source_count; i++) {
        snprintf(path, sizeof(path), "%s/image/%s", work, sources[i].target);
        remove(path);
    }
    join(path, work, "/passwd");
    remove(path);
    join(path, work, "/group");
    remove(path);
    remove(spaces[0]);
    remove(work);
}

/* --- the host -------------------------------------------------------------- */

static int count_mounts(void)
{
    FILE *info = fopen("/proc/self/mountinfo", "re");
    int count = 0, c;

    if (!info)
        die("/proc/self/mountinfo");
    while ((c = getc(info)) != EOF)
        count += c == '\n';
    fclose(info);
    return count;
}

/* A namespace that stands for the host's: mounts can be made in it. */
static void make_host(uid_t uid, gid_t gid)
{
    make_namespaces(CLONE_NEWUSER | CLONE_NEWNS, uid, gid);
    if (mount("none", "/mnt", "tmpfs", 0, NULL) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL) < 0)
        die("/mnt");
}

static void mount_more(int wanted)
{
    char path[32];

    for (int i = count_mounts(); i < wanted; i++) {
        snprintf(path, sizeof(path), "/mnt/%d", i);
        if (mkdir(path, 0755) < 0 || mount(path, path, NULL, MS_BIND, NULL) < 0)
            die(path);
    }
}

/* --- taking the time ------------------------------------------------------- */

struct sample {
    int64_t inside, command, whole, sleeps;
};

/* This program once more: it tells what the clock says. Descriptors are left for the exec to close. */
static void execute_clock(void)
{
    static char name[] = "clock";
    static char *const arguments[] = {name, NULL}, *const environment[] = {NULL};

    dup2(clock_pipe[1], STDOUT_FILENO);
    syscall(SYS_execveat, program, "", arguments, environment, AT_EMPTY_PATH);
}

static int be_clock(void)
{
    const int64_t time = now();

    return write(STDOUT_FILENO, &time, sizeof(time)) != sizeof(time);
}

static struct sample launch(const struct way *way, uid_t uid, gid_t gid)
{
    const int64_t begin = now();
    struct rusage usage;
    int64_t command = 0, end;
    int status = 0;
    const pid_t pid = fork();

    if (pid == 0) {
        const int64_t started = now();

        way->launch(uid, gid);
        *inside = now() - started;
        execute_clock();
        _exit(125);
    }
    if (pid < 0 || wait4(pid, &status, 0, &usage) != pid)
        die("fork");
    end = now();
    if (status != 0 || read(clock_pipe[0], &command, sizeof(command)) != sizeof(command)) {
        remove_sources();
        exit(1);
    }
    return (struct sample){*inside, command - begin, end - begin, usage.ru_nvcsw};
}

static int compare(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

struct summary {
    double median, minimum;
};

static struct summary summarise(const struct sample *samples, int count, size_t field)
{
    int64_t values[ROUNDS_LIMIT];

    for (int i = 0; i < count; i++)
        memcpy(&values[i], (const char *)&samples[i] + field, sizeof(values[i]));
    qsort(values, (size_t)count, sizeof(values[0]), compare);
    return (struct summary){(double)values[count / 2] / 1e3, (double)values[0] / 1e3};
}

static void measure(int mounts, int rounds, struct summary told[WAYS], uid_t uid, gid_t gid)
{
    static struct sample samples[WAYS][ROUNDS_LIMIT];

    for (int round = 0; round < rounds; round++)
        for (int way = 0; way < WAYS; way++)
            samples[way][round] = launch(&ways[way], uid, gid);
    for (int way = 0; way < WAYS; way++) {
        const struct summary command = summarise(samples[way], rounds, offsetof(struct sample, command));
        const struct summary whole = summarise(samples[way], rounds, offsetof(struct sample, whole));
        const struct summary sleeps = summarise(samples[way], rounds, offsetof(struct sample, sleeps));

        told[way] = summarise(samples[way], rounds, offsetof(struct sample, inside));
        printf("%6d  %-10s %8.0f %8.0f  %8.0f %8.0f  %8.0f %8.0f  %6.0f\n", mounts, ways[way].name,
               told[way].median, told[way].minimum, command.median, command.minimum, whole.median,
               whole.minimum, sleeps.median * 1e3);
    }
    fflush(stdout);
}

static int has_namespace_trees(void)
{
    /* Without the privilege that it wants it is EPERM; what the kernel does not know is EINVAL or ENOSYS. */
    return syscall(SYS_open_tree, AT_FDCWD, "/", NAMESPACE_TREE | O_CLOEXEC) >= 0 || errno == EPERM;
}

static void print_head(int rounds)
{
    struct utsname system;

    uname(&system);
    printf("Linux %s, %ld CPUs; %d sources from %d namespaces, the image's among them; %d rounds\n\n",
           system.release, sysconf(_SC_NPROCESSORS_ONLN), source_count, space_count, rounds);
    puts("  host              in the launcher    fork to command       fork to end  sleeps");
    puts("mounts  way           median      min    median      min    median      min  median");
}

int main(int argc, char *argv[])
{
    static const int defaults[] = {0, 100, 300, 1000};
    const int given = argc > 2 ? argc - 2 : (int)(sizeof(defaults) / sizeof(defaults[0]));
    const int rounds = argc > 1 ? atoi(argv[1]) : 41;
    const uid_t uid = getuid();
    const gid_t gid = getgid();
    struct summary first[WAYS] = {{0}}, last[WAYS];
    int fewest = 0, most = 0;

    if (strcmp(argv[0], "clock") == 0)
        return be_clock();
    if (rounds < 1 || rounds > ROUNDS_LIMIT)
        return 2;
    if (!has_namespace_trees()) {
        puts("this kernel's open_tree() makes no namespaces: Linux 7.0 does");
        return SKIPPED;
    }
    program = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    inside = mmap(NULL, sizeof(*inside), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (program < 0 || inside == MAP_FAILED || pipe2(clock_pipe, O_CLOEXEC) < 0)
        die("prepare");
    make_sources();
    make_host(uid, gid);
    print_head(rounds);
    for (int i = 0; i < given; i++) {
        mount_more(argc > 2 ? atoi(argv[2 + i]) : defaults[i]);
        most = count_mounts();
        measure(most, rounds, last, uid, gid);
        if (i == 0) {
            fewest = most;
            memcpy(first, last, sizeof(first));
        }
    }
    if (most > fewest)
        printf("\nslope inside, us a mount: unshare %.2f, namespaces %.2f (minima)\n",
               (last[0].minimum - first[0].minimum) / (most - fewest),
               (last[1].minimum - first[1].minimum) / (most - fewest));
    remove_sources();
    return 0;
}
