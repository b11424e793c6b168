/*
 * hostile - what a program of a hostile image would try. Static; it lies in the
 * image and is told what it must not reach.
 *
 *     hostile reach DEVICE:INODE   tries every way to the directory DEVICE:INODE,
 *                                  the host's root; prints the ways that led there
 *     hostile write PATH...        tries to make mounts of PATH writable, and to
 *                                  write there; prints where it could
 *     hostile spy PID              tries to look into the process PID; prints how
 *     hostile privilege            tries to get some; prints what it got
 *     hostile swap A B             exchanges the names A and B until it is killed
 *
 * Status 0 where nothing was reached; 1 where something was; each try is one of
 * those that "tries" counts in the last line.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static int tries, reached;

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY);

    if (fd >= 0) {
        (void)!write(fd, text, strlen(text));
        close(fd);
    }
}

/* A user namespace of one's own gives all capabilities, over what is in it. Whether there was one. */
static int become_root_of_a_namespace(int flags)
{
    char map[64];
    unsigned uid = getuid(), gid = getgid();

    if (unshare(CLONE_NEWUSER | flags) < 0)
        return 0;
    write_file("/proc/self/setgroups", "deny");
    snprintf(map, sizeof(map), "0 %u 1", uid);
    write_file("/proc/self/uid_map", map);
    snprintf(map, sizeof(map), "0 %u 1", gid);
    write_file("/proc/self/gid_map", map);
    return 1;
}

static unsigned long long target_device, target_inode;

static int is_target(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && st.st_dev == target_device && st.st_ino == target_inode;
}

/* Whether the target can be seen from here, from "/" or upwards. */
static int sees_target(void)
{
    char up[3 * 64 + 1] = "";

    if (is_target("/") || is_target(".") || is_target("/..") || is_target("/../../."))
        return 1;
    for (int i = 0; i < 64; i++) {
        strcat(up, "../");
        if (is_target(up))
            return 1;
    }
    return 0;
}

static void by_dots(void)
{
}

static void by_chroot(void)
{
    int root = open("/", O_RDONLY | O_DIRECTORY);

    become_root_of_a_namespace(0);
    (void)!chroot("/tmp");
    (void)!fchdir(root);
    for (int i = 0; i < 64; i++)
        (void)!chdir("..");
    (void)!chroot(".");
}

static void by_unmounting(void)
{
    become_root_of_a_namespace(CLONE_NEWNS);
    umount2("/", MNT_DETACH);
    umount2("/", 0);
    umount2("/", UMOUNT_NOFOLLOW);
    (void)!chdir("/");
}

static void by_unmounting_at_once(void)
{
    umount2("/", MNT_DETACH);
    (void)!chdir("/");
}

static void by_pivoting(void)
{
    become_root_of_a_namespace(CLONE_NEWNS);
    mount("none", "/tmp", "tmpfs", 0, NULL);
    mkdir("/tmp/new", 0755);
    mkdir("/tmp/new/old", 0755);
    mount("/tmp/new", "/tmp/new", NULL, MS_BIND, NULL);
    (void)!syscall(SYS_pivot_root, "/tmp/new", "/tmp/new/old");
    (void)!chdir("/old");
    umount2("/old", 0);
    umount2("/", MNT_DETACH);
}

static void by_moving(void)
{
    become_root_of_a_namespace(CLONE_NEWNS);
    mkdir("/tmp/moved", 0755);
    mount("/", "/tmp", NULL, MS_MOVE, NULL);
    (void)!chdir("/");
}

static void by_binding_the_root(void)
{
    become_root_of_a_namespace(CLONE_NEWNS);
    mount("/", "/tmp", NULL, MS_BIND | MS_REC, NULL);
    (void)!chdir("/tmp");
    (void)!chroot(".");
    umount2("/", MNT_DETACH);
}

static void by_joining(const char *name, int type)
{
    int fd = open(name, O_RDONLY | O_CLOEXEC);

    become_root_of_a_namespace(0);
    setns(fd, type);
    (void)!chdir("/");
}

static void by_joining_itself(void)
{
    by_joining("/proc/self/ns/mnt", CLONE_NEWNS);
}

static void by_joining_init(void)
{
    by_joining("/proc/1/ns/mnt", CLONE_NEWNS);
}

static void by_the_parent(void)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/root", getppid());
    (void)!chdir(path);
    (void)!chdir("/proc/1/root");
    (void)!chdir("/proc/1/cwd");
}

static void by_descriptors(void)
{
    for (int fd = 0; fd < 1024; fd++)
        if (fchdir(fd) == 0)
            return;
}

static void try_to_reach(const char *name, void (*way)(void))
{
    int status = 0;
    pid_t child;

    tries++;
    fflush(stdout);
    child = fork();
    if (child == 0) {
        way();
        _exit(sees_target());
    }
    waitpid(child, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status)) {
        printf("reached the host's root %s\n", name);
        reached++;
    }
}

static void reach(const char *target)
{
    sscanf(target, "%llu:%llu", &target_device, &target_inode);
    try_to_reach("by dots", by_dots);
    try_to_reach("by chroot", by_chroot);
    try_to_reach("by unmounting", by_unmounting);
    try_to_reach("by unmounting at once", by_unmounting_at_once);
    try_to_reach("by pivoting", by_pivoting);
    try_to_reach("by moving", by_moving);
    try_to_reach("by binding the root", by_binding_the_root);
    try_to_reach("by joining its own mount namespace", by_joining_itself);
    try_to_reach("by joining that of process 1", by_joining_init);
    try_to_reach("by other processes", by_the_parent);
    try_to_reach("by descriptors", by_descriptors);
}

static int can_write(const char *path)
{
    char name[4096];
    int fd;

    snprintf(name, sizeof(name), "%s/hostile-was-here", path);
    fd = open(name, O_WRONLY | O_CREAT, 0644);
    if (fd < 0)
        return 0;
    close(fd);
    unlink(name);
    return 1;
}

static void try_to_write(const char *path, int nested)
{
    int status = 0;
    pid_t child;

    tries++;
    fflush(stdout);
    child = fork();
    if (child == 0) {
        if (nested)
            become_root_of_a_namespace(CLONE_NEWNS);
        mount(NULL, path, NULL, MS_REMOUNT | MS_BIND, NULL);
        mount(NULL, path, NULL, MS_REMOUNT, NULL);
        umount2(path, MNT_DETACH);
        _exit(can_write(path));
    }
    waitpid(child, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status)) {
        printf("could write to %s\n", path);
        reached++;
    }
}

static void note(const char *what, int got)
{
    tries++;
    if (got) {
        printf("got: %s\n", what);
        reached++;
    }
}

static void spy(const char *pid)
{
    static const char *const names[] = {"root", "cwd", "exe", "fd/0", "mem", "environ", "ns/mnt", "ns/user"};
    char path[128];

    note("ptrace", ptrace(PTRACE_ATTACH, atoi(pid), NULL, NULL) == 0);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "/proc/%s/%s", pid, names[i]);
        note(path, open(path, O_RDONLY | O_CLOEXEC) >= 0);
    }
}

static void privilege(void)
{
    static const gid_t groups[] = {0};

    note("setgroups", setgroups(1, groups) == 0);
    note("a device", mknod("/tmp/hostile-device", S_IFCHR | 0666, makedev(1, 3)) == 0);
    note("chroot", chroot("/tmp") == 0);
    note("a mount", mount("none", "/tmp", "tmpfs", 0, NULL) == 0);
    note("another uid", setuid(getuid() + 1) == 0);
    note("a host name", sethostname("hostile", 7) == 0);
    become_root_of_a_namespace(CLONE_NEWNS);
    note("setgroups, nested", setgroups(1, groups) == 0);
    note("a device, nested", mknod("/tmp/hostile-device", S_IFCHR | 0666, makedev(1, 3)) == 0);
    unlink("/tmp/hostile-device");
}

int main(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : "";

    if (strcmp(command, "swap") == 0 && argc == 4)
        for (;;)
            (void)!syscall(SYS_renameat2, AT_FDCWD, argv[2], AT_FDCWD, argv[3], 2 /* RENAME_EXCHANGE */);
    if (strcmp(command, "reach") == 0 && argc == 3)
        reach(argv[2]);
    else if (strcmp(command, "spy") == 0 && argc == 3)
        spy(argv[2]);
    else if (strcmp(command, "privilege") == 0)
        privilege();
    else if (strcmp(command, "write") == 0)
        for (int i = 2; i < argc; i++)
            for (int nested = 0; nested < 2; nested++)
                try_to_write(argv[i], nested);
    printf("%d tries\n", tries);
    return reached != 0 || tries == 0;
}
