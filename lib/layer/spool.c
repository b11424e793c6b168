#include "layer/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/magic.h"
#include "base/str.h"
#include "base/unfinished.h"
#include "layer/layer.h"

int spool_undoes(const void *head, size_t length)
{
    static const char *const magics[] = {MAGIC_GZIP, MAGIC_ZSTD, MAGIC_XZ, MAGIC_BZIP2};

    for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
        if (magic_is(head, length, 0, magics[i]))
            return 1;
    return 0;
}

static int cannot_write(const char *directory, struct arena *arena, struct err *err)
{
    const int reason = errno;

    return err_set(err, ERR_OUTPUT, "it has to be unpacked in %s before it can be read: %s%s",
                   str_quote(arena, directory), err_reason(reason), err_way_out(reason));
}

/* A file that goes with its descriptor. */
static int make_file(const char *directory, struct arena *arena, struct err *err)
{
    FD_CLEANUP int parent = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct unfinished unfinished = {.fd = -1};
    int fd;

    if (parent < 0 || unfinished_file(&unfinished, parent, "archive") < 0)
        return cannot_write(directory, arena, err);
    fd = fd_steal(&unfinished.fd);
    if (unfinished.part[0])
        unlinkat(parent, unfinished.part, 0);
    return fd;
}

static int copy(struct layer_reader *reader, int file, const char *directory, struct arena *arena,
                struct err *err)
{
    const void *bytes;
    size_t length;

    for (;;) {
        if (layer_read(reader, &bytes, &length, err) < 0)
            return -1;
        if (!length)
            return layer_finish(reader, err);
        if (fd_write_all(file, bytes, length) < 0)
            return cannot_write(directory, arena, err);
    }
}

static int lay_down(int fd, const char *directory, struct arena *arena, struct err *err)
{
    struct layer_pipe pipe;
    struct layer layer = layer_of_pipe(&pipe, fd);
    FD_CLEANUP int file = make_file(directory, arena, err);
    struct layer_reader *reader;
    int result;

    if (file < 0)
        return -1;
    layer.is_tar = 1;
    reader = layer_open(&layer, err);
    result = reader ? copy(reader, file, directory, arena, err) : -1;
    layer_close(reader);
    return result < 0 ? -1 : fd_steal(&file);
}

static int is_stdin(const char *path)
{
    return strcmp(path, "-") == 0;
}

/* A descriptor, or -1 and errno. */
static int open_path(const char *path)
{
    return is_stdin(path) ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                          : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

static int is_compressed(const char *path)
{
    FD_CLEANUP int fd = open_path(path);
    char head[8];
    const ssize_t length = fd < 0 ? -1 : pread(fd, head, sizeof(head), 0);

    return length > 0 && spool_undoes(head, (size_t)length);
}

int spool_needed(const char *path)
{
    return is_stdin(path) || is_compressed(path);
}

int spool_open(const char *path, const char *directory, struct arena *arena, struct err *err)
{
    FD_CLEANUP int fd = open_path(path);

    return fd < 0 ? err_set(err, ERR_IMAGE_UNREADABLE, "it cannot be opened: %s", err_reason(errno))
                  : lay_down(fd, directory, arena, err);
}
