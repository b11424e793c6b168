#include "base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sys.h"

void fd_close(int *fd)
{
    int saved = errno;

    if (*fd >= 0)
        close(*fd); /* never again on EINTR: Linux has closed it already */
    *fd = -1;
    errno = saved;
}

int fd_steal(int *fd)
{
    int stolen = *fd;

    *fd = -1;
    return stolen;
}

/* Reads up to ROOM bytes into BUFFER, through short reads. The count, or -1 and errno. */
static ssize_t read_fully(int fd, char *buffer, size_t room)
{
    size_t used = 0;

    while (used < room) {
        ssize_t n = read(fd, buffer + used, room - used);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        used += (size_t)n;
    }
    return (ssize_t)used;
}

char *fd_read_file(int dir, const char *name, int flags, size_t limit, struct arena *arena, size_t *length)
{
    FD_CLEANUP int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags);
    struct stat st;
    char *bytes;
    ssize_t n;

    if (fd < 0 || fstat(fd, &st) < 0)
        return NULL;
    if (!S_ISREG(st.st_mode)) {
        errno = EINVAL;
        return NULL;
    }
    if ((unsigned long long)st.st_size > limit) {
        errno = EFBIG;
        return NULL;
    }
    bytes = arena_alloc(arena, (size_t)st.st_size + 1);
    n = read_fully(fd, bytes, (size_t)st.st_size);
    if (n < 0)
        return NULL;
    bytes[n] = 0;
    *length = (size_t)n;
    return bytes;
}

char *fd_read_all(int fd, size_t limit, struct arena *arena, size_t *length)
{
    char *bytes = arena_alloc(arena, limit + 1);
    ssize_t n = read_fully(fd, bytes, limit + 1);

    if (n < 0)
        return NULL;
    if ((size_t)n > limit) {
        errno = EFBIG;
        return NULL;
    }
    bytes[n] = 0;
    *length = (size_t)n;
    return bytes;
}

void fd_read_head(const char *file, char *text, size_t size)
{
    FD_CLEANUP int fd = openat(AT_FDCWD, file, O_RDONLY | O_CLOEXEC);
    size_t length = 0;
    ssize_t n;

    /* Of a file of /proc one call reads a page at most. */
    while (fd >= 0 && length < size - 1 && (n = read(fd, text + length, size - 1 - length)) > 0)
        length += (size_t)n;
    text[length] = 0;
}

int fd_write_all(int fd, const void *bytes, size_t length)
{
    const char *p = bytes;

    while (length) {
        ssize_t n = write(fd, p, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        p += n;
        length -= (size_t)n;
    }
    return 0;
}

/* close_range(2) for a kernel without it: what /proc lists, or all that can be. */
static int close_from(unsigned first)
{
    int list = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct rlimit limit;
    DIR *names;

    if (list < 0 || !(names = fdopendir(list))) {
        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
            return -1;
        for (rlim_t fd = first; fd < limit.rlim_cur; fd++)
            close((int)fd);
        return 0;
    }
    for (const struct dirent *entry = readdir(names); entry; entry = readdir(names)) {
        const long fd = strtol(entry->d_name, NULL, 10);

        if (fd >= (long)first && fd != list)
            close((int)fd);
    }
    return closedir(names);
}

int fd_arrange(const int fds[], size_t count)
{
    int high[FD_ARRANGE_LIMIT];
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null < 0 || (null = fcntl(null, F_DUPFD_CLOEXEC, (int)count)) < 0)
        return -1;
    /* First to where no target is, so that none of them is overwritten. */
    for (size_t i = 0; i < count; i++) {
        high[i] = fds[i] < 0 ? null : fcntl(fds[i], F_DUPFD_CLOEXEC, (int)count);
        if (high[i] < 0)
            return -1;
    }
    for (size_t i = 0; i < count; i++)
        if (dup2(high[i], (int)i) < 0)
            return -1;
    if (sys_close_range((unsigned)count, ~0u, 0) == 0)
        return 0;
    return errno == ENOSYS ? close_from((unsigned)count) : -1;
}
