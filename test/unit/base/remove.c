/*
 * Whatever goes wrong here must not reach further than the test's own folder: names
 * that lead upwards are tried deep in it.
 */
#include "base/remove.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../tap.h"
#include "base/fd.h"

static char scratch[PATH_MAX / 4];
static int parent = -1; /* scratch/around/parent */

static void __attribute__((noreturn)) give_up(const char *what)
{
    printf("Bail out! %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

/* Runs the commands TEXT in the parent. */
static void shell(const char *text)
{
    char command[2 * PATH_MAX];

    snprintf(command, sizeof(command), "cd '%s/around/parent' && { %s; }", scratch, text);
    if (system(command) != 0)
        give_up(text);
}

static int is_there(const char *name)
{
    struct stat st;

    return fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void check_removed(const char *what)
{
    tap.row = what;
    TAP_INT(remove_tree(parent, "tree"), 0);
    TAP_TRUE(!is_there("tree"));
    tap.row = NULL;
}

static void test_trees(void)
{
    static const struct {
        const char *what, *commands;
    } rows[] = {
        {"empty", "mkdir tree"},
        {"files", "mkdir -p tree/a/b; touch tree/x tree/a/x tree/a/b/x tree/.hidden"},
        {"no files", "mkdir tree; mkfifo tree/fifo; ln -s nowhere tree/link; ln -s . tree/self"},
        {"wide", "mkdir tree; cd tree; for i in $(seq 400); do mkdir -p $i/$i $i/x; touch f$i; done"},
        {"closed", "mkdir -p tree/a/b/c; touch tree/a/b/c/x; chmod 0 tree/a/b/c tree/a/b tree/a tree"},
        {"without search", "mkdir -p tree/a/b; touch tree/a/b/x; chmod 400 tree/a/b tree/a"},
        {"names that stand for moved ones",
         "mkdir -p tree/.coracle-0 tree/.coracle-1/.coracle-0 tree/a/b/c/.coracle-2; touch tree/.coracle-2; "
         "ln -s nowhere tree/.coracle-3; mkdir tree/a/.coracle-0"},
        {"odd names", "mkdir -p tree/' ' \"tree/$(printf 'a\\nb')\" tree/... tree/-rf; touch tree/'*'"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        shell(rows[i].commands);
        check_removed(rows[i].what);
    }
}

/* In steps of one entry each, and as much at once as there is. */
static void test_steps(void)
{
    int steps = 0, left;

    shell("mkdir tree; cd tree; for i in $(seq 40); do mkdir -p $i/$i $i/x/y; touch $i/f $i/x/y/f; done; "
          "chmod 0 7/x");
    while ((left = remove_some(parent, "tree", 0)) > 0 && is_there("tree") && steps < 100000)
        steps++;
    TAP_INT(left, 0);
    TAP_TRUE(!is_there("tree"));
    TAP_TRUE(steps >= 5 * 40);
    shell("mkdir -p tree/a/b; touch tree/a/b/c");
    TAP_INT(remove_some(parent, "tree", 100000), 0);
    TAP_TRUE(!is_there("tree"));
    TAP_INT(remove_some(parent, "tree", 0), -1);
    TAP_INT(errno, ENOENT);
}

/* Deeper than any path can tell. */
static void test_deep(void)
{
    enum { LEVELS = 3000 };
    int at = -1;

    shell("mkdir tree");
    at = openat(parent, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < LEVELS; i++) {
        int next;

        if (mkdirat(at, "directory", i % 7 ? 0700 : 0500) < 0 && errno != EACCES)
            give_up("mkdir");
        if (i % 7 == 0)
            fchmodat(at, "directory", 0700, 0);
        if (mkdirat(at, "sister", 0) < 0)
            give_up("mkdir");
        next = openat(at, "directory", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (i % 7 == 0)
            fchmod(at, 0500);
        close(at);
        at = next;
    }
    close(at);
    check_removed("3000 levels");
}

/* What links lead to stays, and its modes. */
static void test_links(void)
{
    struct stat st;

    shell(
        "mkdir -p outside/inner tree/a; touch outside/file; chmod 500 outside/inner; ln -s ../outside tree/l;"
        "ln -s \"$PWD/outside\" tree/a/l; ln -s ../../outside/inner tree/a/m; ln -s ../outside/file tree/f; "
        "ln -s .. tree/up; ln outside/file tree/hard; ln outside/file tree/a/hard; chmod 400 outside/file");
    check_removed("links");
    TAP_TRUE(is_there("outside/file"));
    TAP_INT(fstatat(parent, "outside/inner", &st, 0), 0);
    TAP_INT(st.st_mode & 07777, 0500);
    TAP_INT(fstatat(parent, "outside/file", &st, 0), 0);
    TAP_INT(st.st_mode & 07777, 0400);
    TAP_INT(st.st_nlink, 1);
    shell("ln -s outside tree");
    TAP_INT(remove_tree(parent, "tree"), -1);
    TAP_TRUE(is_there("outside/file"));
    shell("rm tree; chmod -R u+rwx outside; rm -r outside");
}

static void test_refused(void)
{
    static const char *const names[] = {"",      ".",           "..", "kept/inner", "../parent/kept",
                                        "kept/", "../../around"};

    shell("mkdir -p kept/inner; touch file");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        tap.row = names[i];
        errno = 0;
        TAP_INT(remove_tree(parent, names[i]), -1);
        TAP_INT(errno, EINVAL);
        TAP_TRUE(is_there("kept/inner"));
    }
    tap.row = NULL;
    TAP_INT(remove_tree(parent, "nowhere"), -1);
    TAP_INT(errno, ENOENT);
    TAP_INT(remove_tree(parent, "file"), -1);
    TAP_INT(errno, ENOTDIR);
    TAP_TRUE(is_there("file"));
    shell("rm -r kept file");
}

/* The header says: four. */
static void test_few_descriptors(void)
{
    struct rlimit limit, few;
    int lowest = fcntl(parent, F_DUPFD_CLOEXEC, 0);

    close(lowest);
    shell("mkdir -p tree/a/b/c/d tree/b/c/d/e; chmod 0 tree/a/b/c");
    getrlimit(RLIMIT_NOFILE, &limit);
    few = (struct rlimit){(rlim_t)lowest + 4, limit.rlim_max};
    setrlimit(RLIMIT_NOFILE, &few);
    check_removed("four descriptors");
    setrlimit(RLIMIT_NOFILE, &limit);
}

/* --- mounts ----------------------------------------------------------------------- */

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        _exit(76);
    close(fd);
}

/* The caller's ids are what they were, and it may mount. */
static void enter_namespaces(void)
{
    char uids[32], gids[32];

    snprintf(uids, sizeof(uids), "%u %u 1", (unsigned)geteuid(), (unsigned)geteuid());
    snprintf(gids, sizeof(gids), "%u %u 1", (unsigned)getegid(), (unsigned)getegid());
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
        _exit(77);
    write_file("/proc/self/uid_map", uids);
    write_file("/proc/self/setgroups", "deny");
    write_file("/proc/self/gid_map", gids);
}

static void mount_on(const char *source, const char *type, const char *target)
{
    char from[PATH_MAX], to[PATH_MAX];

    snprintf(from, sizeof(from), "%s/around/parent/%s", scratch, source);
    snprintf(to, sizeof(to), "%s/around/parent/%s", scratch, target);
    if (mount(type ? "none" : from, to, type ? type : "none", type ? 0 : MS_BIND, NULL) < 0)
        _exit(78);
    strcat(to, "/inside");
    write_file(to, "");
}

/* In a mount namespace of its own: 0 where what is mounted on TARGET stays and the call fails. */
static void check_mount(const char *what, const char *source, const char *type, const char *target)
{
    char inside[PATH_MAX];
    pid_t child;
    int status;

    shell("mkdir -p tree/top/deep source");
    child = fork();
    if (child == 0) {
        struct stat before, after;
        int failed;

        enter_namespaces();
        mount_on(source, type, target);
        /* Whatever was open before shows what lies under a mount. */
        parent = openat(AT_FDCWD, scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        parent = openat(parent, "around/parent", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        snprintf(inside, sizeof(inside), "%s/inside", target);
        if (fchmodat(parent, target, 0500, 0) < 0 || fstatat(parent, target, &before, 0) < 0)
            _exit(80);
        failed = remove_tree(parent, "tree") < 0;
        _exit((failed ? 0 : 1) | (is_there(inside) ? 0 : 2) |
              (fstatat(parent, target, &after, 0) < 0 || after.st_mode != before.st_mode ? 4 : 0));
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        give_up("fork");
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        printf("ok %d # SKIP no user namespace can be made\n", ++tap.run);
    } else {
        tap.row = what;
        TAP_INT(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0);
        tap.row = NULL;
    }
    shell("chmod -R u+rwx tree source 2>/dev/null; rm -rf tree source");
}

static void test_mounts(void)
{
    check_mount("another file system in the top", "", "tmpfs", "tree/top");
    check_mount("another file system in a directory", "", "tmpfs", "tree/top/deep");
    check_mount("a directory of this one in the top", "source", NULL, "tree/top");
    check_mount("a directory of this one in a directory", "source", NULL, "tree/top/deep");
}

/* --- others ----------------------------------------------------------------------- */

/* Somebody adds and moves all the while: either all is gone, or it says that something is left. */
static void test_concurrent(void)
{
    int removed = 0, left = 0, wrong = 0;
    pid_t child;

    shell("mkdir -p outside/kept; touch outside/kept/file");
    child = fork();
    if (child < 0)
        give_up("fork");
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (unsigned i = 0;; i++) {
            mkdirat(parent, "tree/a", 0700);
            mkdirat(parent, "tree/a/b", 0);
            close(openat(parent, "tree/a/file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
            mkdirat(parent, "tree/b", 0700);
            renameat(parent, "tree/a", parent, "tree/b/a");
            symlinkat("../outside", parent, "tree/a");
            unlinkat(parent, "tree/a", 0);
            if (i % 64 == 0)
                usleep(100);
        }
    }
    for (int i = 0; i < 300; i++) {
        mkdirat(parent, "tree", 0700);
        if (remove_tree(parent, "tree") == 0)
            removed++;
        else if (errno == ENOTEMPTY || errno == ENOENT || errno == EEXIST || errno == ENOTDIR)
            left++;
        else if (printf("# %s\n", strerror(errno)))
            wrong++;
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    TAP_INT(wrong, 0);
    TAP_TRUE(removed + left == 300);
    printf("# %d removed, %d left\n", removed, left);
    TAP_TRUE(is_there("outside/kept/file"));
    if (is_there("tree"))
        check_removed("when nobody adds any more");
    shell("rm -r outside");
}

static void make_scratch(void)
{
    const char *place = getenv("TMPDIR");
    char path[PATH_MAX];

    snprintf(scratch, sizeof(scratch), "%s/coracle-unit-XXXXXX", place ? place : "/tmp");
    if (!mkdtemp(scratch))
        give_up("mkdtemp");
    snprintf(path, sizeof(path), "%s/around", scratch);
    if (mkdir(path, 0700) < 0)
        give_up("mkdir");
    strcat(path, "/parent");
    if (mkdir(path, 0700) < 0)
        give_up("mkdir");
    parent = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void remove_scratch(void)
{
    char command[PATH_MAX];

    fd_close(&parent);
    snprintf(command, sizeof(command), "chmod -R u+rwx '%s'; rm -rf '%s'", scratch, scratch);
    if (system(command) != 0)
        give_up(command);
}

int main(void)
{
    make_scratch();
    test_trees();
    test_steps();
    test_deep();
    test_links();
    test_refused();
    test_few_descriptors();
    test_mounts();
    test_concurrent();
    remove_scratch();
    return tap_done();
}
