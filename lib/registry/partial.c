#include "registry/partial.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"

enum { ADDED = sizeof(".partial-0123456789abcdef") - 1, TRIES = 8 };

int partial_is_name(const char *name)
{
    return *name && *name != '.' && !strchr(name, '/') && strlen(name) <= NAME_MAX - ADDED;
}

static int fail(const char *doing, const char *name, struct arena *arena, struct err *err)
{
    const int no_room =
        errno == ENOSPC || errno == EDQUOT || errno == EFBIG || errno == EMFILE || errno == ENFILE;

    return err_set(err, no_room ? ERR_LIMIT : ERR_SYSTEM, "the file %s cannot be %s: %s%s",
                   str_quote(arena, name), doing, err_reason(errno), err_way_out(errno));
}

/* Whether the locked FD is still what NAME leads to, and can only be meant for us. */
static int is_ours(int directory, const char *name, int fd)
{
    struct stat opened, named;

    return fstat(fd, &opened) == 0 && fstatat(directory, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISREG(opened.st_mode) && opened.st_dev == named.st_dev && opened.st_ino == named.st_ino &&
           opened.st_uid == geteuid() && opened.st_nlink == 1;
}

/* Opens and locks the part that others may have begun: 0; or -1, it is not to be had. */
static int open_common(struct partial *partial)
{
    snprintf(partial->file, sizeof(partial->file), "%s.partial", partial->name);
    for (int i = 0; i < TRIES; i++) {
        FD_CLEANUP int fd = openat(partial->directory, partial->file,
                                   O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
        if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
            return -1;
        if (is_ours(partial->directory, partial->file, fd)) {
            partial->fd = fd_steal(&fd);
            return 0;
        }
    }
    return -1;
}

static int open_private(struct partial *partial)
{
    for (int i = 0; i < TRIES; i++) {
        unsigned long long number;
        if (getrandom(&number, sizeof(number), 0) != sizeof(number))
            return -1;
        snprintf(partial->file, sizeof(partial->file), "%s.partial-%016llx", partial->name, number);
        partial->fd = openat(partial->directory, partial->file,
                             O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
        if (partial->fd >= 0 || errno != EEXIST)
            break;
    }
    partial->is_private = 1;
    return partial->fd < 0 ? -1 : 0;
}

int partial_open(struct partial *partial, int directory, const char *name, struct arena *arena,
                 struct err *err)
{
    struct stat st;

    *partial = (struct partial){.directory = directory, .name = name, .fd = -1};
    if (open_common(partial) < 0 && open_private(partial) < 0)
        return fail("made", partial->file, arena, err);
    if (fstat(partial->fd, &st) < 0) {
        fail("read", partial->file, arena, err);
        partial_close(partial, 0);
        return -1;
    }
    partial->size = (uint64_t)st.st_size;
    return 0;
}

int partial_add(struct partial *partial, const void *bytes, size_t length, struct arena *arena,
                struct err *err)
{
    const char *p = bytes;

    while (length) {
        ssize_t n = pwrite(partial->fd, p, length, (off_t)partial->size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail("written", partial->file, arena, err);
        p += n;
        length -= (size_t)n;
        partial->size += (uint64_t)n;
    }
    return 0;
}

int partial_empty(struct partial *partial, struct arena *arena, struct err *err)
{
    if (ftruncate(partial->fd, 0) < 0)
        return fail("emptied", partial->file, arena, err);
    partial->size = 0;
    return 0;
}

int partial_finish(struct partial *partial, struct arena *arena, struct err *err)
{
    if (renameat(partial->directory, partial->file, partial->directory, partial->name) < 0 && errno != ENOENT)
        return fail(arena_join(arena, "renamed to ", str_quote(arena, partial->name), NULL), partial->file,
                    arena, err);
    flock(partial->fd, LOCK_UN);
    return fd_steal(&partial->fd);
}

void partial_close(struct partial *partial, int remove)
{
    if (partial->fd < 0)
        return;
    if (remove || partial->is_private)
        unlinkat(partial->directory, partial->file, 0);
    fd_close(&partial->fd);
}
