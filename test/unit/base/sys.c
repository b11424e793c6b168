/* What a file is, and processes by descriptor; the rest is tried by launches. */
#include "base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../tap.h"

static void __attribute__((noreturn)) give_up(const char *what)
{
    printf("Bail out! %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

/* As stat(2) has it. */
static void check_identity(const struct sys_identity *identity, const struct stat *st)
{
    TAP_INT(identity->device, (uint64_t)major(st->st_dev) << 32 | minor(st->st_dev));
    TAP_INT(identity->inode, st->st_ino);
    TAP_INT(identity->size, st->st_size);
    TAP_INT(identity->mtime, st->st_mtim.tv_sec);
    TAP_INT(identity->mtime_ns, st->st_mtim.tv_nsec);
    TAP_INT(identity->ctime, st->st_ctim.tv_sec);
    TAP_INT(identity->ctime_ns, st->st_ctim.tv_nsec);
    TAP_INT(identity->mode, st->st_mode);
    TAP_INT(identity->uid, st->st_uid);
}

static void test_identify(void)
{
    char path[] = "/tmp/coracle-unit-XXXXXX", name[sizeof(path) + 8];
    const struct timespec times[2] = {{1, 2}, {-3, 4}};
    int fd = mkstemp(path);
    struct sys_identity identity, link;
    struct stat st;

    if (fd < 0 || write(fd, "12345", 5) != 5 || futimens(fd, times) < 0)
        give_up("mkstemp");
    snprintf(name, sizeof(name), "%s.link", path);
    if (symlink(path, name) < 0 || fstat(fd, &st) < 0)
        give_up("symlink");
    TAP_INT(sys_identify(AT_FDCWD, name, 0, &identity), 0);
    check_identity(&identity, &st);
    TAP_INT(identity.mount, sys_mount_id(fd));
    TAP_INT(sys_identify(fd, "", AT_EMPTY_PATH, &identity), 0);
    check_identity(&identity, &st);
    TAP_INT(lstat(name, &st), 0);
    TAP_INT(sys_identify(AT_FDCWD, name, AT_SYMLINK_NOFOLLOW, &link), 0);
    check_identity(&link, &st);
    unlink(name);
    unlink(path);
    close(fd);
    /* Nothing is changed where it fails. */
    link = identity;
    TAP_INT(sys_identify(AT_FDCWD, name, 0, &identity), -1);
    TAP_INT(errno, ENOENT);
    TAP_INT(sys_identify(-1, "", AT_EMPTY_PATH, &identity), -1);
    TAP_TRUE(memcmp(&link, &identity, sizeof(link)) == 0);
}

/* Two mounts, two ids; 0 where the kernel does not tell. */
static void test_mount_id(void)
{
    struct sys_identity root, proc;

    TAP_INT(sys_identify(AT_FDCWD, "/", 0, &root), 0);
    TAP_INT(sys_identify(AT_FDCWD, "/proc", 0, &proc), 0);
    TAP_TRUE(root.mount == 0 ? proc.mount == 0 : root.mount != proc.mount);
    TAP_INT(sys_mount_id(-1), 0);
}

static void test_pidfd(void)
{
    struct pollfd end = {.events = POLLIN};
    pid_t child = fork();
    int status;

    if (child < 0)
        give_up("fork");
    if (child == 0)
        for (;;)
            pause();
    end.fd = sys_pidfd_open(child);
    if (end.fd < 0 && errno == ENOSYS) {
        printf("ok %d # SKIP no pidfd_open(2) here: an old kernel, or valgrind\n", ++tap.run);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        return;
    }
    TAP_TRUE(end.fd >= 0);
    TAP_INT(fcntl(end.fd, F_GETFD), FD_CLOEXEC);
    TAP_INT(poll(&end, 1, 0), 0);
    TAP_INT(sys_pidfd_send_signal(end.fd, 0), 0);
    TAP_INT(sys_pidfd_send_signal(end.fd, SIGKILL), 0);
    TAP_INT(poll(&end, 1, 30000), 1); /* it has ended, though nobody has waited for it */
    TAP_INT(waitpid(child, &status, 0), child);
    TAP_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    TAP_INT(sys_pidfd_send_signal(end.fd, SIGKILL), -1);
    TAP_INT(errno, ESRCH);
    close(end.fd);
    TAP_INT(sys_pidfd_open(child), -1);
    TAP_INT(errno, ESRCH);
    TAP_INT(sys_pidfd_send_signal(-1, 0), -1);
}

int main(void)
{
    test_identify();
    test_mount_id();
    test_pidfd();
    return tap_done();
}
