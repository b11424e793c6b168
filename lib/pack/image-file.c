#include <errno.h>
#include <sqfs/error.h>
#include <string.h>
#include <unistd.h>

#include "pack/squashfs.h"

static struct image_file *from_const_file(const sqfs_file_t *file)
{
    return (struct image_file *)(uintptr_t)file;
}

static int fail(struct image_file *output, int reason)
{
    if (!output->failed)
        output->failed = reason;
    return SQFS_ERROR_IO;
}

static int read_at(sqfs_file_t *file, sqfs_u64 offset, void *buffer, size_t size)
{
    struct image_file *output = from_const_file(file);
    char *bytes = buffer;

    if (output->is_lost)
        memset(bytes, 0, size);
    while (size && !output->is_lost) {
        ssize_t n = pread(output->fd, bytes, size, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return fail(output, n < 0 ? errno : EIO);
        bytes += n;
        size -= (size_t)n;
        offset += (sqfs_u64)n;
    }
    return 0;
}

static int write_at(sqfs_file_t *file, sqfs_u64 offset, const void *buffer, size_t size)
{
    struct image_file *output = from_const_file(file);
    const char *bytes = buffer;

    while (size && !output->is_lost) {
        ssize_t n = pwrite(output->fd, bytes, size, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail(output, errno);
        bytes += n;
        size -= (size_t)n;
        offset += (sqfs_u64)n;
    }
    if (offset > output->size)
        output->size = offset;
    return 0;
}

static sqfs_u64 get_size(const sqfs_file_t *file)
{
    return from_const_file(file)->size;
}

/* What is beyond is overwritten soon, or cut off at the end. */
static int truncate_to(sqfs_file_t *file, sqfs_u64 size)
{
    from_const_file(file)->size = size;
    return 0;
}

static void destroy(sqfs_object_t *object)
{
    (void)object;
}

void image_file_init(struct image_file *output, int fd)
{
    *output = (struct image_file){
        .file = {.base = {.destroy = destroy},
                 .read_at = read_at,
                 .write_at = write_at,
                 .get_size = get_size,
                 .truncate = truncate_to},
        .fd = fd,
    };
}
