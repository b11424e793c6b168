/*
 * floor - what a launch costs at least.
 *
 *     floor IMAGE HOME [SOURCE TARGET]... -- COMMAND [ARG...]
 *
 * Makes the namespaces and mounts of `coracle run IMAGE -- COMMAND` in its
 * default view and nothing else: no plan, no options, no messages. The host's
 * directories are compiled in; HOME appears at its own place, made on a tmpfs
 * where the image has only its parent; each SOURCE (file or directory) takes
 * the place of TARGET. All are absolute paths without links, COMMAND too.
 * Every failure is exit status 125. The launch bench holds Coracle against it.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CLONE_TREE 1u     /* open_tree(2): OPEN_TREE_CLONE */
#define FROM_FD 0x04u     /* move_mount(2): MOVE_MOUNT_F_EMPTY_PATH */
#define ATTR_RDONLY 0x01u /* mount_setattr(2) */
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

/* Directories of the host, with what is mounted in them. */
static const char *const trees[] = {"/proc", "/sys", "/dev", "/tmp"};
enum { TREES = sizeof trees / sizeof *trees };

static void need(int good)
{
    if (!good)
        _exit(125);
}

static void write_file(const char *name, const char *text, size_t length)
{
    int fd = open(name, O_WRONLY);
    need(fd >= 0 && write(fd, text, length) == (ssize_t)length);
    close(fd);
}

/* "ID ID 1" */
static void write_map(const char *name, unsigned id)
{
    char digits[12], map[32];
    size_t length = 0;
    do
        digits[length++] = (char)('0' + id % 10);
    while (id /= 10);
    for (size_t i = 0; i < length; i++)
        map[i] = map[length + 1 + i] = digits[length - 1 - i];
    map[length] = map[2 * length + 1] = ' ';
    map[2 * length + 2] = '1';
    write_file(name, map, 2 * length + 3);
}

static void enter_namespaces(void)
{
    unsigned uid = geteuid(), gid = getegid();
    need(unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0);
    write_file("/proc/self/setgroups", "deny", 4);
    write_map("/proc/self/uid_map", uid);
    write_map("/proc/self/gid_map", gid);
}

static int clone_tree(const char *source)
{
    int tree = (int)syscall(SYS_open_tree, AT_FDCWD, source, CLONE_TREE | O_CLOEXEC | AT_RECURSIVE);
    need(tree >= 0);
    return tree;
}

/* Unlike mount(2) this replaces a symbolic link instead of following it out of the image. */
static int attach(int tree, const char *target)
{
    return (int)syscall(SYS_move_mount, tree, "", AT_FDCWD, target, FROM_FD);
}

/*
 * Lays the image over "/" and goes there. The old root stays beneath it until
 * chroot, and nothing has to be moved or detached. An image in /tmp mounted
 * where it lies would be copied by the bind of /tmp.
 */
static void cover_root(const char *image)
{
    uint64_t read_only[4] = {ATTR_RDONLY};
    int tree = clone_tree(image);
    need(syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, read_only, sizeof read_only) == 0);
    need(attach(tree, "/") == 0 && fchdir(tree) == 0);
}

/* An image has /home, but seldom the user's directory in it. */
static void bind_home(const char *home)
{
    if (mount(home, home + 1, NULL, MS_BIND | MS_REC, NULL) == 0)
        return;
    char parent[4096];
    const char *slash = strrchr(home, '/');
    need(errno == ENOENT && slash && slash - home > 1 && slash - home < (long)sizeof parent);
    size_t length = (size_t)(slash - home) - 1;
    memcpy(parent, home + 1, length);
    parent[length] = '\0';
    need(mount("tmpfs", parent, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") == 0);
    need(mkdir(home + 1, 0755) == 0);
    need(mount(home, home + 1, NULL, MS_BIND | MS_REC, NULL) == 0);
}

/* Targets are relative to the working directory, which is the new root. */
static char **assemble(char **argv)
{
    cover_root(argv[1]);
    for (size_t i = 0; i < TREES; i++)
        need(mount(trees[i], trees[i] + 1, NULL, MS_BIND | MS_REC, NULL) == 0);
    bind_home(argv[2]);
    for (argv += 3; *argv && strcmp(*argv, "--") != 0; argv += 2) {
        int tree = clone_tree(argv[0]);
        need(argv[1] && attach(tree, argv[1] + 1) == 0);
        close(tree);
    }
    return argv;
}

static void drop_privilege(void)
{
    uint32_t header[2] = {0x20080522, 0}, none[6] = {0}; /* capset(2), version 3 */
    need(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    need(syscall(SYS_capset, header, none) == 0);
}

int main(int argc, char **argv, char **environment)
{
    char directory[4096];
    need(argc > 4 && getcwd(directory, sizeof directory) != NULL);
    enter_namespaces();
    char **command = assemble(argv);
    need(chroot(".") == 0 && chdir(directory) == 0);
    drop_privilege();
    need(command[0] && command[1]);
    execve(command[1], command + 1, environment);
    return 125;
}
