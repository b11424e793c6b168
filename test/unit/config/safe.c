#include "config/safe.h"

#include <sched.h>
#include <sys/wait.h>

#include "scratch.h"

static const struct config_kind of_site = {.type = S_IFREG, .is_site = 1};
static const struct config_kind of_user = {.type = S_IFREG};

/* Opens PATH. Its size, CONFIG_ABSENT, or -1. */
static int size_of(const char *path, struct config_kind kind, struct err *err)
{
    struct stat status;
    int fd = config_open(path, kind, &status, &arena, err);
    const int result = fd < 0 ? fd : (int)status.st_size;

    fd_close(&fd);
    return result;
}

static void refused(const char *name, const char *part)
{
    struct err err;

    tap.row = name;
    TAP_ERR(size_of(in(name), of_site, &err), err, ERR_CONFIG, part);
    TAP_ERR(size_of(in(name), of_user, &err), err, ERR_CONFIG, part);
    tap.row = NULL;
}

static void test_modes(void)
{
    struct err err;

    make_directory("d");
    make_file("d/f", "12345");
    TAP_INT(size_of(in("d/f"), of_user, &err), 5);
    TAP_INT(chmod(in("d/f"), 0400), 0);
    TAP_INT(size_of(in("d/f"), of_user, &err), 5);
    TAP_INT(chmod(in("d/f"), 0664), 0);
    refused("d/f", "d/f can be written by its group (mode 0664)");
    TAP_INT(chmod(in("d/f"), 0646), 0);
    refused("d/f", "d/f can be written by everybody (mode 0646)");
    TAP_INT(chmod(in("d/f"), 0644), 0);
    TAP_INT(chmod(in("d"), 0775), 0);
    refused("d/f", "/d can be written by its group (mode 0775)");
    TAP_INT(chmod(in("d"), 01777), 0);
    refused("d/f", "/d can be written by everybody (mode 1777)");
    TAP_INT(chmod(in("d"), 0755), 0);
    TAP_INT(size_of(in("d/f"), of_user, &err), 5);
}

static void test_kinds(void)
{
    const struct config_kind directory = {.type = S_IFDIR};
    struct err err;

    TAP_INT(mkfifo(in("d/fifo"), 0600), 0);
    refused("d/fifo", "d/fifo is not a regular file");
    refused("d", "/d is not a regular file");
    TAP_ERR(size_of(in("d/f"), directory, &err), err, ERR_CONFIG, "d/f is not a directory");
    TAP_TRUE(size_of(in("d"), directory, &err) >= 0);
}

static void test_absent(void)
{
    struct config_kind kind = of_user;
    struct err err;

    TAP_INT(size_of(in("d/no"), kind, &err), CONFIG_ABSENT);
    TAP_INT(size_of(in("no/no"), kind, &err), CONFIG_ABSENT);
    TAP_INT(size_of(in("d/f/no"), kind, &err), CONFIG_ABSENT);
    make_directory("closed");
    TAP_INT(chmod(in("closed"), 0), 0);
    if (geteuid() != 0) {
        TAP_ERR(size_of(in("closed/f"), kind, &err), err, ERR_CONFIG,
                "closed/f cannot be read: permission denied");
        kind.may_be_hidden = 1;
        TAP_INT(size_of(in("closed/f"), kind, &err), CONFIG_ABSENT);
        make_file("d/unreadable", "");
        TAP_INT(chmod(in("d/unreadable"), 0), 0);
        TAP_ERR(size_of(in("d/unreadable"), kind, &err), err, ERR_CONFIG,
                "d/unreadable cannot be read: permission denied");
    }
}

static void test_links(void)
{
    struct err err;

    make_directory("shared");
    make_file("shared/f", "1234567");
    TAP_INT(symlink("../shared/f", in("d/link")), 0);
    TAP_INT(size_of(in("d/link"), of_user, &err), 7);
    TAP_INT(symlink(in("d/link"), in("d/twice")), 0);
    TAP_INT(size_of(in("d/twice"), of_user, &err), 7);
    TAP_INT(chmod(in("shared"), 0777), 0);
    refused("d/twice", "/shared can be written by everybody");
    TAP_INT(chmod(in("shared"), 0755), 0);
    TAP_INT(symlink("nowhere", in("d/dangling")), 0);
    refused("d/dangling", "which does not exist");
    TAP_INT(symlink("loop", in("d/loop")), 0);
    refused("d/loop", "loop");
    /* Who may change a link on the way may change what is read. */
    make_directory("open");
    TAP_INT(symlink("../shared/f", in("open/step")), 0);
    TAP_INT(symlink("../open/step", in("d/by-step")), 0);
    TAP_INT(size_of(in("d/by-step"), of_user, &err), 7);
    TAP_INT(chmod(in("open"), 0777), 0);
    refused("d/by-step", "/open can be written by everybody");
}

/* In a user namespace where only the user is mapped: /etc/passwd is nobody's. */
static int play_without_root(void)
{
    const char *map = arena_printf(&arena, "%u %u 1", (unsigned)geteuid(), (unsigned)geteuid());
    FD_CLEANUP int fd = -1;
    struct err err;

    if (unshare(CLONE_NEWUSER) < 0)
        return 77;
    fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
    if (fd < 0 || fd_write_all(fd, map, strlen(map)) < 0)
        return 77;
    if (size_of("/etc/passwd", of_site, &err) <= 0)
        return 1;
    if (size_of("/etc/passwd", of_user, &err) != -1 || !strstr(err.text, "belongs to uid 65534"))
        return 2;
    return size_of(in("d/f"), of_user, &err) == 5 ? 0 : 3;
}

static void test_owners(void)
{
    struct err err;
    int status;
    pid_t child;

    TAP_TRUE(size_of("/etc/passwd", of_user, &err) > 0);
    if (geteuid() == 0) {
        make_file("d/foreign", "");
        TAP_INT(chown(in("d/foreign"), 4321, 4321), 0);
        refused("d/foreign", "belongs to uid 4321");
        TAP_INT(chown(in("d/foreign"), 65534, 65534), 0);
        refused("d/foreign", "belongs to uid 65534");
        return;
    }
    child = fork();
    if (child == 0)
        _exit(play_without_root());
    TAP_INT(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        printf("ok %d - owners # SKIP no user namespaces here\n", ++tap.run);
    else
        TAP_INT(status, 0);
}

int main(void)
{
    make_scratch();
    test_modes();
    test_kinds();
    test_absent();
    test_links();
    test_owners();
    remove_scratch();
    return tap_done();
}
