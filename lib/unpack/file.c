/* Regular files, and what every file has: attributes, mode, time. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "unpack/work.h"

int file_set_mode(int fd, unsigned mode, uint32_t mtime)
{
    const struct timespec times[] = {{.tv_sec = mtime}, {.tv_sec = mtime}};

    return fchmod(fd, mode & (S_ISDIR(mode) ? 01777 : 0777)) < 0 ? -1 : futimens(fd, times);
}

static int set_attribute(struct work *work, const struct item *item, const char *name, int fd,
                         struct err *err)
{
    int64_t length;

    if (strncmp(name, "user.", 5) != 0)
        return 0;
    if (work_go_on(work, err) < 0)
        return -1;
    length = squash_getxattr(work->unpack->squash, &item->node, name, work->value, ATTRIBUTES_ROOM);
    if (length < 0)
        return work_damaged(work, item, err);
    fsetxattr(fd, name, work->value, (size_t)length, 0); /* not all file systems take all */
    return 0;
}

int file_set_attributes(struct work *work, const struct item *item, int fd, struct err *err)
{
    struct squash *squash = work->unpack->squash;
    const char *name = work->names;
    int64_t length;
    int left = ATTRIBUTES_LIMIT;

    if (!squash->has_xattrs || item->node.inode.xattr == SQUASHFS_INVALID_XATTR)
        return 0;
    if (!work->names)
        name = work->names = arena_alloc(work->unpack->arena, ATTRIBUTES_ROOM);
    if (!work->value)
        work->value = arena_alloc(work->unpack->arena, ATTRIBUTES_ROOM);
    length = squash_listxattr(squash, &item->node, work->names, ATTRIBUTES_ROOM);
    if (length < 0)
        return errno == ERANGE ? 0 : work_damaged(work, item, err);
    for (; name < work->names + length && left; name += strlen(name) + 1, left--)
        if (set_attribute(work, item, name, fd, err) < 0)
            return -1;
    return 0;
}

static int is_zero(const char *bytes, size_t length)
{
    return !*bytes && memcmp(bytes, bytes + 1, length - 1) == 0;
}

static int write_at(int fd, const char *bytes, size_t length, uint64_t at)
{
    while (length) {
        ssize_t n = pwrite(fd, bytes, length, (off_t)at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        bytes += n;
        at += (uint64_t)n;
        length -= (size_t)n;
    }
    return 0;
}

/* Writes the LENGTH bytes of the buffer to AT, without blocks of zeros. */
static int write_blocks(struct work *work, int fd, size_t length, uint64_t at)
{
    const size_t block_size = work->unpack->squash->fs.sb.block_size;
    size_t from = 0, to = 0; /* what is to be written at once */

    while (to < length) {
        size_t part = length - to < block_size ? length - to : block_size;

        if (!is_zero(work->buffer + to, part)) {
            to += part;
            continue;
        }
        if (write_at(fd, work->buffer + from, to - from, at + from) < 0)
            return -1;
        work->unpack->result.bytes += to - from;
        from = to += part;
    }
    work->unpack->result.bytes += to - from;
    return write_at(fd, work->buffer + from, to - from, at + from);
}

/* Sets the size first: what the file system cannot have is refused before anything is read. */
static int write_contents(struct work *work, const struct item *item, int fd, struct err *err)
{
    const uint64_t size = item->node.inode.xtra.reg.file_size;

    if (size && ftruncate(fd, (off_t)size) < 0)
        return work_failed(work, item, err);
    for (uint64_t at = 0; at < size;) {
        int64_t n = squash_read(work->unpack->squash, &item->node, at, work->buffer_size, work->buffer);

        if (n <= 0)
            return work_damaged(work, item, err);
        if (write_blocks(work, fd, (size_t)n, at) < 0)
            return work_failed(work, item, err);
        at += (uint64_t)n;
        if (at < size && work_go_on(work, err) < 0)
            return -1;
    }
    return 0;
}

int file_make(struct work *work, const struct item *item, struct err *err)
{
    const unsigned mode = item->node.inode.base.mode;
    FD_CLEANUP int fd =
        openat(item->fd, item->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0)
        return work_failed(work, item, err);
    if (write_contents(work, item, fd, err) < 0 || file_set_attributes(work, item, fd, err) < 0)
        return -1;
    if (file_set_mode(fd, mode, (uint32_t)item->node.inode.base.mtime) < 0)
        return work_failed(work, item, err);
    return 0;
}
