#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "stream/directory.h"

#define CONFIG_DIR ".coracle"
#define CONFIG_NAME "config.json"
#define OWNERS_NAME "owners.mtree"

/* The file NAME in .coracle. NULL and errno; 0: there is none. */
static char *read_file(const struct directory *directory, const char *name, size_t limit, struct arena *arena,
                       size_t *length)
{
    FD_CLEANUP int inner = openat(directory->fd, CONFIG_DIR, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    char *bytes = inner < 0 ? NULL : fd_read_file(inner, name, O_NOFOLLOW, limit, arena, length);

    if (!bytes && (errno == ENOENT || (inner < 0 && (errno == ENOTDIR || errno == ELOOP))))
        errno = 0;
    return bytes;
}

static int config(struct stream *stream, const char **bytes, size_t *length, struct arena *arena,
                  struct err *err)
{
    *bytes = read_file(stream->source, CONFIG_NAME, WORK_CONFIG_LIMIT, arena, length);
    if (*bytes)
        return 1;
    return errno ? err_set(err, ERR_IMAGE_CONFIG, "%s: " CONFIG_DIR "/" CONFIG_NAME " cannot be read: %s",
                           stream->name, err_reason(errno))
                 : 0;
}

static int read_owners(struct stream *stream, struct directory *directory, struct err *err)
{
    size_t length;
    char *bytes = read_file(directory, OWNERS_NAME, STREAM_OWNERS_LIMIT, &stream->arena, &length);

    if (!bytes)
        return errno ? err_set(err, ERR_IMAGE_UNREADABLE,
                               "%s: " CONFIG_DIR "/" OWNERS_NAME " cannot be read: %s", stream->name,
                               err_reason(errno))
                     : 0;
    if (owners_parse(&directory->owners, bytes, length, &stream->arena, err) < 0)
        return err_prefix(err, "%s: " CONFIG_DIR "/" OWNERS_NAME, stream->name);
    return 0;
}

static void close_directory(struct stream *stream)
{
    struct directory *directory = stream->source;

    if (directory->mode_changed)
        fchmod(directory->fd, directory->status.st_mode & 07777);
    fd_close(&directory->fd);
}

/* Our own may be closed to us: chmod(2) by its path, which is the user's own. */
static int open_path(struct directory *directory, const char *path)
{
    const mode_t bits = S_IRUSR | S_IXUSR;
    struct stat st;

    if (stat(path, &st) < 0)
        return -1;
    if (S_ISDIR(st.st_mode) && (st.st_mode & bits) != bits && geteuid() && st.st_uid == geteuid())
        directory->mode_changed = chmod(path, (st.st_mode | bits) & 07777) == 0;
    directory->fd = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory->fd < 0 || fstat(directory->fd, &directory->status) < 0)
        return -1;
    if (directory->mode_changed)
        directory->status.st_mode = st.st_mode;
    return 0;
}

struct stream *stream_of_directory(const char *path, struct arena *arena, struct err *err)
{
    struct stream *stream = stream_create(path, arena, err);
    struct directory *directory;

    if (!stream)
        return NULL;
    directory = arena_alloc(&stream->arena, sizeof(*directory));
    directory->fd = -1;
    stream->source = directory;
    stream->make = directory_make;
    stream->config = config;
    stream->close = close_directory;
    if (open_path(directory, path) < 0)
        err_set(err, errno == ENOENT ? ERR_IMAGE_MISSING : ERR_IMAGE_UNREADABLE,
                "the directory %s cannot be opened: %s", stream->name, err_reason(errno));
    else if (read_owners(stream, directory, err) == 0)
        return stream;
    stream_close(stream);
    return NULL;
}
