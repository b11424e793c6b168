#include "image/image.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"

enum { CONFIG_LIMIT = 4 * 1024 * 1024 };

/* What a file that is no directory holds, for the message. */
static int refuse_file(const char *path, struct arena *arena, struct err *err)
{
    static const struct {
        size_t offset;
        const char *magic, *name;
    } kinds[] = {
        {0, "hsqs", "a SquashFS file; unpack it first: unsquashfs -d DIRECTORY FILE"},
        {32, "SIF_MAGIC", "a SIF file; unpack it first: apptainer build --sandbox DIRECTORY FILE"},
        {257, "ustar", "a tar archive; unpack it first: mkdir DIRECTORY && tar -C DIRECTORY -xf FILE"},
        {0, "\x1f\x8b",
         "a gzip file; if it is a tar archive, unpack it: mkdir DIRECTORY && tar -C DIRECTORY -xf FILE"},
        {0, "\x28\xb5\x2f\xfd",
         "a zstd file; if it is a tar archive, unpack it: tar --zstd -C DIRECTORY -xf FILE"},
    };
    const char *name = str_quote(arena, path);
    FD_CLEANUP int fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    char head[512] = "";
    struct stat st;

    if (fd < 0 && errno == ENOTDIR)
        return err_set(err, ERR_IMAGE_MISSING, "the image %s does not exist: a name on the way is a file",
                       name);
    if (fd < 0 || fstat(fd, &st) < 0)
        return err_set(err, ERR_IMAGE_UNREADABLE, "cannot read the image %s: %s", name, err_reason(errno));
    if (!S_ISREG(st.st_mode))
        return err_set(err, ERR_IMAGE_UNKNOWN, "the image %s is neither a directory nor a file", name);
    if (st.st_size == 0)
        return err_set(err, ERR_IMAGE_UNKNOWN, "the image %s is an empty file; an image is a directory",
                       name);
    if (read(fd, head, sizeof(head)) < 0)
        return err_set(err, ERR_IMAGE_UNREADABLE, "cannot read the image %s: %s", name, err_reason(errno));
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (memcmp(head + kinds[i].offset, kinds[i].magic, strlen(kinds[i].magic)) == 0)
            return err_set(err, ERR_IMAGE_UNKNOWN, "the image %s is %s", name, kinds[i].name);
    return err_set(err, ERR_IMAGE_UNKNOWN,
                   "the image %s is a file of unknown content; an image is a directory", name);
}

static int refuse(const char *path, int errnum, struct arena *arena, struct err *err)
{
    const char *name = str_quote(arena, path);

    if (errnum == ENOENT && !*path)
        return err_set(err, ERR_IMAGE_MISSING,
                       "the name of the image is empty; give the path of a directory");
    if (errnum == ENOENT)
        return err_set(err, ERR_IMAGE_MISSING, "the image %s does not exist; give the path of a directory",
                       name);
    if (errnum == ENOTDIR)
        return refuse_file(path, arena, err);
    return err_set(err, ERR_IMAGE_UNREADABLE, "cannot open the image %s: %s", name, err_reason(errnum));
}

/* The configuration of the image that is open as DIR; its links are not followed. */
static int read_config(struct image *image, int dir, const char *path, struct arena *arena, struct err *err)
{
    FD_CLEANUP int inner = openat(dir, IMAGE_CONFIG_DIR, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct oci_image_config *config;
    char *bytes = NULL;
    size_t length;

    image->config = NULL;
    if (inner < 0 && errno == EACCES)
        return err_set(err, ERR_IMAGE_UNREADABLE, "cannot look into the image %s: permission denied",
                       str_quote(arena, path));
    if (inner >= 0)
        bytes = fd_read_file(inner, IMAGE_CONFIG_NAME, O_NOFOLLOW, CONFIG_LIMIT, arena, &length);
    if (!bytes && (inner < 0 || errno == ENOENT) && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
        return 0;
    if (!bytes)
        return err_set(err, ERR_IMAGE_CONFIG,
                       "cannot read " IMAGE_CONFIG_DIR "/" IMAGE_CONFIG_NAME " of the image %s: %s",
                       str_quote(arena, path), err_reason(errno));
    config = arena_alloc(arena, sizeof(*config));
    if (oci_image_config_parse(config, bytes, length, arena, err) < 0)
        return err_prefix(err, IMAGE_CONFIG_DIR "/" IMAGE_CONFIG_NAME " of the image %s",
                          str_quote(arena, path));
    image->config = config;
    return 0;
}

int image_inspect(struct image *image, const char *path, struct arena *arena, struct err *err)
{
    FD_CLEANUP int dir = openat(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (dir < 0)
        return refuse(path, errno, arena, err);
    return read_config(image, dir, path, arena, err);
}
