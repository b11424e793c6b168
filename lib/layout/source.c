#include "layout/source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"

static int fail_errno(const struct source *source, const char *name, int errnum)
{
    const int is_limit = errnum == EMFILE || errnum == ENFILE;

    return err_set(source->err, is_limit ? ERR_LIMIT : ERR_IMAGE_UNREADABLE, "%s cannot be opened: %s%s",
                   str_quote(source->arena, name), err_reason(errnum),
                   is_limit ? " (ulimit -n says how many may be open)" : "");
}

static int fail_open(const struct source *source, const char *path)
{
    const char *what = source->is_archive ? "file" : "directory";

    if (errno == ENOENT)
        return err_set(source->err, ERR_IMAGE_MISSING, "there is no %s %s", what,
                       str_quote(source->arena, path));
    if (errno == ENOTDIR && !source->is_archive)
        return err_set(source->err, ERR_IMAGE_UNKNOWN,
                       "%s is no directory; archives are oci-archive: and docker-archive:",
                       str_quote(source->arena, path));
    return fail_errno(source, path, errno);
}

int source_open_archive(struct source *source, int fd, struct arena *arena, struct err *err)
{
    *source = (struct source){.is_archive = 1, .fd = fd, .arena = arena, .err = err};
    return tar_read(&source->tar, fd, arena, err);
}

int source_open(struct source *source, const char *path, int is_archive, struct arena *arena, struct err *err)
{
    struct stat status;

    *source = (struct source){.is_archive = is_archive, .fd = -1, .arena = arena, .err = err};
    source->fd = open(path, O_RDONLY | O_CLOEXEC | (is_archive ? O_NONBLOCK | O_NOCTTY : O_DIRECTORY));
    if (source->fd < 0)
        return fail_open(source, path);
    if (!is_archive)
        return 0;
    if (fstat(source->fd, &status) == 0 && S_ISDIR(status.st_mode))
        return err_set(err, ERR_IMAGE_UNKNOWN,
                       "%s is a directory; a layout in a directory is oci:", str_quote(arena, path));
    return tar_read(&source->tar, source->fd, arena, err);
}

void source_close(struct source *source)
{
    for (size_t i = 0; i < source->fd_count; i++)
        fd_close(&source->fds[i]);
    source->fd_count = 0;
    fd_close(&source->fd);
}

/* Opens NAME beneath the directory, part by part. A descriptor, or -1 and errno. */
static int open_beneath(const struct source *source, const char *name)
{
    FD_CLEANUP int parent = -1;
    const char *slash;

    while ((slash = strchr(name, '/'))) {
        const char *part = arena_strndup(source->arena, name, (size_t)(slash - name));
        int fd =
            openat(parent < 0 ? source->fd : parent, part, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0)
            return -1;
        fd_close(&parent);
        parent = fd;
        name = slash + 1;
    }
    return openat(parent < 0 ? source->fd : parent, name,
                  O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

/* A file of the directory. 1 and *FD, which is the caller's; 0, -1 as source_find(). */
static int open_file(const struct source *source, const char *name, int *fd, uint64_t *size)
{
    FD_CLEANUP int opened = open_beneath(source, name);
    struct stat status;

    if (opened < 0 && errno == ENOENT)
        return 0;
    if (opened < 0 && (errno == ELOOP || errno == ENOTDIR))
        return err_set(source->err, ERR_IMAGE_DAMAGED,
                       "a part of %s is a symbolic link, which is not followed, or no directory",
                       str_quote(source->arena, name));
    if (opened < 0 || fstat(opened, &status) < 0)
        return fail_errno(source, name, errno);
    if (!S_ISREG(status.st_mode))
        return err_set(source->err, ERR_IMAGE_DAMAGED, "%s is no regular file",
                       str_quote(source->arena, name));
    *size = (uint64_t)status.st_size;
    *fd = fd_steal(&opened);
    return 1;
}

static int find_entry(struct source *source, const char *name, struct extent *extent)
{
    const struct tar_entry *entry;
    int found = tar_find(&source->tar, name, &entry, source->arena, source->err);

    if (found == 1)
        *extent = (struct extent){source->fd, entry->offset, entry->size};
    return found;
}

int source_find(struct source *source, const char *name, struct extent *extent)
{
    int found;

    *extent = (struct extent){-1, 0, 0};
    if (source->is_archive)
        return find_entry(source, name, extent);
    found = open_file(source, name, &extent->fd, &extent->size);
    if (found == 1) {
        source->fds = arena_grow(source->arena, source->fds, source->fd_count, &source->fd_room, sizeof(int));
        source->fds[source->fd_count++] = extent->fd;
    }
    return found;
}

static int read_extent(struct source *source, const char *name, const struct extent *extent, size_t limit,
                       const char **bytes)
{
    char *buffer;
    size_t done = 0;

    if (extent->size > limit)
        return err_set(source->err, ERR_IMAGE_DAMAGED, "%s has %llu bytes, and %zu is the limit",
                       str_quote(source->arena, name), (unsigned long long)extent->size, limit);
    buffer = arena_alloc(source->arena, (size_t)extent->size + 1);
    while (done < extent->size) {
        ssize_t got =
            pread(extent->fd, buffer + done, (size_t)extent->size - done, (off_t)(extent->offset + done));

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return err_set(source->err, ERR_IMAGE_UNREADABLE, "%s cannot be read: %s",
                           str_quote(source->arena, name),
                           got ? err_reason(errno) : "it became shorter while it was read");
        done += (size_t)got;
    }
    *bytes = buffer;
    return 1;
}

int source_read(struct source *source, const char *name, size_t limit, const char **bytes, size_t *length)
{
    FD_CLEANUP int fd = -1;
    struct extent extent = {-1, 0, 0};
    int found;

    if (source->is_archive) {
        found = find_entry(source, name, &extent);
    } else {
        found = open_file(source, name, &fd, &extent.size);
        extent.fd = fd;
    }
    if (found != 1)
        return found;
    *length = (size_t)extent.size;
    return read_extent(source, name, &extent, limit, bytes);
}
