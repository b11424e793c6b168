/* Many processes change a file at once, and no change is lost; some are killed meanwhile. */
#include "base/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "test/tap.h"

enum { PROCESSES = 6, ROUNDS = 40 };

static char place[] = "/tmp/coracle-test-XXXXXX";

/* The file counts: read, changed and replaced, as users of a lock do. */
static int add_one(void)
{
    char text[16] = "";
    FD_CLEANUP int fd = open("file", O_RDONLY | O_CLOEXEC);
    int number;

    if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
        return -1;
    number = atoi(text) + 1;
    snprintf(text, sizeof(text), "%d", number);
    fd_close(&fd);
    fd = open("new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    return fd < 0 || fd_write_all(fd, text, strlen(text)) < 0 ? -1 : rename("new", "file");
}

static void __attribute__((noreturn)) be_child(void)
{
    for (int i = 0; i < ROUNDS; i++) {
        int fd = lock_file("lock", LOCK_PATIENCE);

        if (fd < 0 || add_one() < 0)
            _exit(1);
        lock_drop("lock", &fd);
    }
    _exit(0);
}

static int count(void)
{
    char text[16] = "";
    FD_CLEANUP int fd = open("file", O_RDONLY | O_CLOEXEC);

    return read(fd, text, sizeof(text) - 1) < 0 ? -1 : atoi(text);
}

static void check_many(void)
{
    pid_t children[PROCESSES];
    int failed = 0, status;

    close(open("file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        if (children[i] == 0)
            be_child();
    }
    for (int i = 0; i < PROCESSES; i++) {
        waitpid(children[i], &status, 0);
        failed += status != 0;
    }
    TAP_INT(failed, 0);
    TAP_INT(count(), PROCESSES * ROUNDS);
    TAP_INT(access("lock", F_OK), -1);
}

/* A killed one leaves its file, and no lock. */
static void check_killed(void)
{
    struct stat st;
    pid_t child = fork();
    int fd;

    if (child == 0) {
        fd = lock_file("lock", LOCK_PATIENCE);
        kill(getpid(), SIGKILL);
        _exit(1);
    }
    waitpid(child, NULL, 0);
    TAP_INT(stat("lock", &st), 0);
    TAP_INT(st.st_mode & 0777, 0600);
    fd = lock_file("lock", LOCK_PATIENCE);
    TAP_TRUE(fd >= 0);
    lock_drop("lock", &fd);
    TAP_INT(fd, -1);
    TAP_INT(access("lock", F_OK), -1);
    lock_drop("lock", &fd);
}

static void check_others(void)
{
    int fd;

    TAP_INT(symlink("file", "lock"), 0);
    TAP_INT(lock_file("lock", LOCK_PATIENCE), -1);
    TAP_INT(errno, ELOOP);
    TAP_INT(unlink("lock"), 0);
    TAP_INT(lock_file("nowhere/lock", LOCK_PATIENCE), -1);
    TAP_INT(errno, ENOENT);
    TAP_INT(mkfifo("lock", 0600), 0);
    fd = lock_file("lock", LOCK_PATIENCE);
    TAP_TRUE(fd >= 0);
    /* What has the name now is another's. */
    TAP_INT(rename("file", "lock"), 0);
    lock_drop("lock", &fd);
    TAP_INT(access("lock", F_OK), 0);
    TAP_INT(unlink("lock"), 0);
}

/* Who is stopped while it has a lock does not stop others for ever. */
static void check_patience(void)
{
    int first = lock_file("lock", 1), second = open("lock", O_RDWR | O_CLOEXEC);

    TAP_TRUE(first >= 0 && second >= 0);
    TAP_INT(lock_wait(second, 1), -1);
    TAP_INT(errno, EWOULDBLOCK);
    TAP_INT(lock_file("lock", 1), -1);
    TAP_INT(errno, EWOULDBLOCK);
    lock_drop("lock", &first);
    TAP_INT(lock_wait(second, 1), 0);
    fd_close(&second);
}

int main(void)
{
    if (!mkdtemp(place) || chdir(place) < 0) {
        printf("Bail out! no directory for the test: %s\n", strerror(errno));
        return EXIT_FAILURE;
    }
    check_many();
    check_killed();
    check_others();
    check_patience();
    TAP_INT(chdir("/"), 0);
    TAP_INT(rmdir(place), 0);
    return tap_done();
}
