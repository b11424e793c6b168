/* Each path of a table is opened by the kernel and by the walk, which must agree; then others change the
 * way meanwhile. */
#include "base/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../tap.h"
#include "base/fd.h"
#include "base/remove.h"
#include "base/sys.h"

static char folder[] = "/tmp/coracle-test-XXXXXX";
static int top = -1; /* the tree's root, folder/root; beside it is folder/outside */

enum {
    THING = O_PATH,
    NAME = O_PATH | O_NOFOLLOW,
    DIRECTORY = O_PATH | O_DIRECTORY,
    LOOP = 50,
};

static void link_to(const char *text, const char *name)
{
    TAP_INT(symlinkat(text, top, name), 0);
}

static void make_tree(void)
{
    static const char *const directories[] = {"root", "root/a", "root/a/b", "root/a/b/c", "outside"};
    char name[NAME_MAX];

    TAP_TRUE(mkdtemp(folder) != NULL);
    TAP_INT(chdir(folder), 0);
    for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
        TAP_INT(mkdir(directories[i], 0755), 0);
    top = open("root", O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (const char *path = "root/a/file"; path; path = *path == 'r' ? "outside/file" : NULL) {
        FD_CLEANUP int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        TAP_TRUE(fd >= 0);
    }
    link_to("a/b", "relative");
    link_to("/a/b", "absolute");
    link_to("../../../../outside", "outward");
    link_to("/", "to-root");
    link_to("../a/./b//c/", "a/slashes");
    link_to("a/file", "to-file");
    link_to("nothing", "dangling");
    link_to("loop", "loop");
    link_to("/proc/self/root/etc", "by-proc");
    for (int i = 0; i < LOOP; i++) {
        char text[NAME_MAX];

        snprintf(name, sizeof(name), "chain%d", i);
        snprintf(text, sizeof(text), i ? "chain%d" : "a", i - 1);
        link_to(text, name);
    }
}

/* The same file, or the same error. */
static void compare(int dir, const char *path, int flags, uint64_t resolve)
{
    FD_CLEANUP int kernel = sys_openat2(dir, path, (uint64_t)flags | O_CLOEXEC, resolve);
    const int expected = kernel < 0 ? errno : 0;
    FD_CLEANUP int walk = resolve_walk(dir, path, (uint64_t)flags | O_CLOEXEC, resolve);
    const int got = walk < 0 ? errno : 0;
    struct sys_identity a, b;

    if (expected == ENOSYS)
        return;
    TAP_INT(got, expected);
    if (kernel < 0 || walk < 0)
        return;
    TAP_INT(fcntl(walk, F_GETFD), FD_CLOEXEC);
    TAP_INT(sys_identify(kernel, "", AT_EMPTY_PATH, &a), 0);
    TAP_INT(sys_identify(walk, "", AT_EMPTY_PATH, &b), 0);
    TAP_TRUE(a.device == b.device && a.inode == b.inode && a.mount == b.mount && a.mode == b.mode);
}

static void test_agreement(void)
{
    static const char *const paths[] = {"/",
                                        ".",
                                        "..",
                                        "/..",
                                        "/../..",
                                        "a",
                                        "/a",
                                        "//a//",
                                        "a/b/c",
                                        "/a/b/c/",
                                        "a/b/../b",
                                        "a/b/../../..",
                                        "a/../../outside",
                                        "a/.",
                                        "a/b/c/../..",
                                        "../a/file",
                                        "a/file",
                                        "a/file/",
                                        "a/file/x",
                                        "a/file/..",
                                        "missing",
                                        "a/missing",
                                        "missing/x",
                                        "a/missing/..",
                                        "relative",
                                        "relative/",
                                        "relative/c",
                                        "relative/..",
                                        "relative/../file",
                                        "absolute",
                                        "absolute/c/..",
                                        "outward",
                                        "outward/",
                                        "outward/file",
                                        "to-root",
                                        "to-root/a",
                                        "to-root/to-root/to-root/a/b",
                                        "a/slashes",
                                        "a/slashes/.",
                                        "to-file",
                                        "to-file/",
                                        "to-file/x",
                                        "dangling",
                                        "dangling/x",
                                        "loop",
                                        "loop/x",
                                        "chain20",
                                        "chain39",
                                        "chain40",
                                        "chain49/b",
                                        "by-proc",
                                        ""};
    static const int flags[] = {THING, NAME, DIRECTORY, O_RDONLY | O_NONBLOCK};
    static const uint64_t ways[] = {SYS_RESOLVE_IN_ROOT, SYS_RESOLVE_IN_ROOT | SYS_RESOLVE_NO_MAGICLINKS,
                                    SYS_RESOLVE_IN_ROOT | SYS_RESOLVE_NO_SYMLINKS};

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        for (size_t j = 0; j < sizeof(flags) / sizeof(flags[0]); j++)
            for (size_t k = 0; k < sizeof(ways) / sizeof(ways[0]); k++) {
                tap.row = paths[i];
                compare(top, paths[i], flags[j], ways[k]);
            }
    tap.row = NULL;
}

/* In /proc, as its own root and from ours: links that are a file are refused, others followed. */
static void test_proc(void)
{
    static const char *const paths[] = {"self",        "self/stat",   "self/cwd",       "self/exe/x",
                                        "self/ns/mnt", "mounts",      "net/dev",        "self/fd/0",
                                        "self/root",   "thread-self", "self/root/proc", "self/cwd/.."};
    FD_CLEANUP int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    char path[PATH_MAX];

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        tap.row = paths[i];
        compare(proc, paths[i], NAME, SYS_RESOLVE_IN_ROOT | SYS_RESOLVE_NO_MAGICLINKS);
        compare(proc, paths[i], THING, SYS_RESOLVE_IN_ROOT | SYS_RESOLVE_NO_MAGICLINKS);
        compare(proc, paths[i], THING, SYS_RESOLVE_NO_SYMLINKS | SYS_RESOLVE_NO_MAGICLINKS);
        snprintf(path, sizeof(path), "/proc/%s", paths[i]);
        compare(AT_FDCWD, path, THING, SYS_RESOLVE_NO_MAGICLINKS);
        compare(AT_FDCWD, path, DIRECTORY, SYS_RESOLVE_NO_MAGICLINKS);
    }
    tap.row = NULL;
    compare(AT_FDCWD, "/tmp/../proc/self/", DIRECTORY, SYS_RESOLVE_NO_MAGICLINKS);
}

static void test_lengths(void)
{
    static char path[PATH_MAX + 2], name[NAME_MAX + 2];

    memset(name, 'x', sizeof(name) - 1);
    TAP_INT(resolve_walk(top, name, THING, SYS_RESOLVE_IN_ROOT), -1);
    TAP_INT(errno, ENAMETOOLONG);
    memset(path, '/', sizeof(path) - 1);
    TAP_INT(resolve_walk(top, path, THING, SYS_RESOLVE_IN_ROOT), -1);
    TAP_INT(errno, ENAMETOOLONG);
    path[PATH_MAX - 1] = 0;
    {
        FD_CLEANUP int fd = resolve_walk(top, path, THING, SYS_RESOLVE_IN_ROOT);
        TAP_TRUE(fd >= 0);
    }
    /* A link's text and what follows it are one path. */
    memset(path, '/', PATH_MAX - 2);
    memcpy(path, "relative", strlen("relative"));
    path[PATH_MAX - 3] = 'c';
    path[PATH_MAX - 2] = 0;
    TAP_INT(resolve_walk(top, path, THING, SYS_RESOLVE_IN_ROOT) >= 0 || errno == ENAMETOOLONG, 1);
}

/* Another exchanges directories on the way with links outward, and moves one out of the tree and back. */
static void __attribute__((noreturn)) disturb(void)
{
    enum { EXCHANGE = 2 };

    for (;;) {
        syscall(SYS_renameat2, top, "a", top, "outward", EXCHANGE);
        rename("root/a/b", "outside/b");
        rename("root/outward/b", "outside/b");
        usleep(50);
        rename("outside/b", "root/a/b");
        rename("outside/b", "root/outward/b");
        usleep(50);
    }
}

static void test_race(void)
{
    const time_t end = time(NULL) + 2;
    struct sys_identity outside, above, found;
    unsigned opened = 0, refused = 0, escaped = 0;
    pid_t child;

    TAP_INT(sys_identify(AT_FDCWD, "outside", 0, &outside), 0);
    TAP_INT(sys_identify(AT_FDCWD, ".", 0, &above), 0);
    child = fork();
    if (child == 0)
        disturb();
    TAP_TRUE(child > 0);
    for (unsigned tries = 0; time(NULL) < end; tries++) {
        FD_CLEANUP int fd =
            resolve_walk(top, tries % 2 ? "a/b/c/../.." : "a/b/../../..", DIRECTORY, SYS_RESOLVE_IN_ROOT);

        refused += fd < 0;
        opened += fd >= 0;
        escaped += fd >= 0 && (sys_identify(fd, "", AT_EMPTY_PATH, &found) < 0 ||
                               found.inode == outside.inode || found.inode == above.inode);
    }
    kill(child, SIGKILL);
    TAP_INT(waitpid(child, NULL, 0), child);
    printf("# %u opened, %u refused\n", opened, refused);
    TAP_TRUE(opened > 100 && refused > 100);
    TAP_INT(escaped, 0);
}

static void clean_up(void)
{
    FD_CLEANUP int parent = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    TAP_INT(chdir("/"), 0);
    fd_close(&top);
    TAP_INT(remove_tree(parent, folder + strlen("/tmp/")), 0);
}

int main(void)
{
    make_tree();
    test_agreement();
    test_proc();
    test_lengths();
    test_race();
    clean_up();
    return tap_done();
}
