#include "base/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"

enum { PAUSE_MS = 10, PER_SECOND = 1000 / PAUSE_MS };

int lock_wait(int fd, int seconds)
{
    const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};

    for (int i = 0; i < seconds * PER_SECOND; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0 || (errno != EWOULDBLOCK && errno != EINTR))
            return 0;
        nanosleep(&pause, NULL);
    }
    errno = EWOULDBLOCK;
    return -1;
}

/* Whether FD is still what has the name: who had the lock before has removed it. */
static int is_named(int fd, const char *name)
{
    struct stat opened, named;

    return fstat(fd, &opened) == 0 && lstat(name, &named) == 0 && opened.st_dev == named.st_dev &&
           opened.st_ino == named.st_ino;
}

int lock_file(const char *name, int seconds)
{
    for (int i = 0; i < seconds * PER_SECOND; i++) {
        FD_CLEANUP int fd = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);

        if (fd < 0 || lock_wait(fd, seconds) < 0)
            return -1;
        if (is_named(fd, name))
            return fd_steal(&fd);
    }
    errno = EWOULDBLOCK;
    return -1;
}

void lock_drop(const char *name, int *fd)
{
    const int saved = errno;

    if (*fd >= 0 && is_named(*fd, name))
        unlink(name);
    errno = saved;
    fd_close(fd);
}
