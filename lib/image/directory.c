#include "image/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/resolve.h"
#include "base/sys.h"
#include "foreign/foreign.h"

static int open_inside(int dir, const char *path, int flags)
{
    return resolve_open(dir, path, (uint64_t)(flags | O_CLOEXEC),
                        SYS_RESOLVE_NO_SYMLINKS | SYS_RESOLVE_NO_MAGICLINKS);
}

static int is_regular(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

static enum foreign_found read_inside(void *context, const char *path, struct str *out)
{
    FD_CLEANUP int fd =
        open_inside(*(const int *)context, path, out ? O_RDONLY | O_NONBLOCK | O_NOCTTY : O_PATH);
    char *bytes;
    size_t length;

    if (fd < 0)
        return errno == EACCES || errno == EIO || errno == ESTALE ? FOREIGN_UNREADABLE : FOREIGN_ABSENT;
    if (!is_regular(fd))
        return FOREIGN_ABSENT;
    if (!out)
        return FOREIGN_FOUND;
    bytes = fd_read_all(fd, FOREIGN_FILE_LIMIT, out->arena, &length);
    if (!bytes)
        return errno == EFBIG ? FOREIGN_TOO_LARGE : FOREIGN_UNREADABLE;
    str_add_bytes(out, bytes, length);
    return FOREIGN_FOUND;
}

static int is_directory_inside(void *context, const char *path)
{
    FD_CLEANUP int fd = open_inside(*(const int *)context, path, O_PATH | O_DIRECTORY);

    return fd >= 0;
}

int directory_collect(struct str *bytes, int dir, struct err *err)
{
    const struct foreign_source source = {read_inside, is_directory_inside, &dir};

    return foreign_collect(bytes, &source, err);
}
