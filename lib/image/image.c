#include "image/image.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/magic.h"
#include "base/str.h"
#include "image/directory.h"
#include "image/server-message.h"
#include "image/sif.h"
#include "image/superblock.h"

static int parse_foreign(struct image *image, const char *bytes, size_t length, struct arena *arena,
                         struct err *err)
{
    struct foreign *foreign = arena_alloc(arena, sizeof(*foreign));

    if (foreign_parse(foreign, bytes, length, arena, err) < 0)
        return -1;
    image->foreign = foreign;
    return 0;
}

/* Ours, or what foreign_collect() made. */
static int parse_config(struct image *image, const char *bytes, size_t length, struct arena *arena,
                        struct err *err)
{
    struct oci_image_config *config = arena_alloc(arena, sizeof(*config));

    if (foreign_is(bytes, length))
        return parse_foreign(image, bytes, length, arena, err);
    if (oci_image_config_parse(config, bytes, length, arena, err) < 0)
        return err_prefix(err, IMAGE_CONFIG_DIR "/" IMAGE_CONFIG_NAME);
    image->config = config;
    return 0;
}

/* What a file holds that is no image, for the message. */
static int refuse_content(const char *name, const unsigned char *head, size_t length, struct err *err)
{
    static const struct {
        size_t offset;
        const char *magic, *name;
    } kinds[] = {
        {MAGIC_TAR_OFFSET, MAGIC_TAR,
         "a tar archive; unpack it first: mkdir DIRECTORY && tar -C DIRECTORY -xf FILE"},
        {0, MAGIC_GZIP,
         "a gzip file; if it is a tar archive, unpack it: mkdir DIRECTORY && tar -C DIRECTORY -xf FILE"},
        {0, MAGIC_ZSTD, "a zstd file; if it is a tar archive, unpack it: tar --zstd -C DIRECTORY -xf FILE"},
        {0, MAGIC_XZ, "an xz file; if it is a tar archive, unpack it: tar -C DIRECTORY -xJf FILE"},
        {0, MAGIC_BZIP2, "a bzip2 file; if it is a tar archive, unpack it: tar -C DIRECTORY -xjf FILE"},
        {0, "sqsh", "a SquashFS file of a machine with another byte order; make it anew with mksquashfs"},
    };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (magic_is(head, length, kinds[i].offset, kinds[i].magic))
            return err_set(err, ERR_IMAGE_UNKNOWN, "the image %s is %s", name, kinds[i].name);
    return err_set(
        err, ERR_IMAGE_UNKNOWN,
        "the image %s is a file of unknown content; an image is a directory, a SquashFS file or a SIF "
        "file",
        name);
}

/* Where the SquashFS is in a SIF file of ROOM bytes. */
static int find_partition(int fd, const unsigned char *head, uint64_t room, struct sif_partition *partition,
                          struct err *err)
{
    unsigned char bytes[SIF_DESCRIPTOR_SIZE];
    struct sif_table table;

    if (sif_read_header(&table, head, room, err) < 0)
        return -1;
    for (uint32_t i = 0; i < table.count; i++) {
        int found;

        if (pread(fd, bytes, sizeof(bytes), (off_t)(table.offset + i * (uint64_t)sizeof(bytes))) !=
            (ssize_t)sizeof(bytes))
            return err_set(err, ERR_IMAGE_DAMAGED, "its SIF descriptors cannot be read");
        found = sif_read_descriptor(partition, bytes, room, err);
        if (found)
            return found < 0 ? -1 : 0;
    }
    return err_set(err, ERR_IMAGE_UNKNOWN, "it is a SIF file without a system partition");
}

/* Starts a server for the SquashFS in FD, of which HEAD is the beginning, and takes its configuration. */
static int open_squashfs(struct image *image, int fd, const char *path, const unsigned char *head,
                         uint64_t room, char *const environment[], struct arena *arena, struct err *err)
{
    struct sif_partition whole = {0, room};
    char *bytes;
    size_t length;

    if (!superblock_has_magic(head) && find_partition(fd, head, room, &whole, err) < 0)
        return -1;
    if (image_server_start(&image->server, fd, path, whole.offset, whole.length, environment, arena, err) < 0)
        return -1;
    image->kind = IMAGE_SQUASHFS;
    if (image_server_greet(&image->server, &bytes, &length, arena, err) < 0) {
        fd_close(&image->server.socket);
        return -1;
    }
    image->config_bytes = bytes;
    image->config_length = length;
    return bytes ? parse_config(image, bytes, length, arena, err) : 0;
}

/* Whether what failed is the image, and not the node or the installation. */
static int is_about_image(enum err_id id)
{
    return id == ERR_IMAGE_UNREADABLE || id == ERR_IMAGE_UNKNOWN || id == ERR_IMAGE_EMPTY ||
           id == ERR_IMAGE_DAMAGED || id == ERR_IMAGE_CONFIG;
}

static int refuse(const char *path, int errnum, struct arena *arena, struct err *err)
{
    const char *name = str_quote(arena, path);

    if (errnum == ENOTDIR)
        return err_set(err, ERR_IMAGE_MISSING, "the image %s does not exist: a name on the way is a file",
                       name);
    if (errnum == ENOENT && !*path)
        return err_set(err, ERR_IMAGE_MISSING,
                       "the name of the image is empty; give the path of a directory or a file");
    if (errnum == ENOENT)
        return err_set(err, ERR_IMAGE_MISSING,
                       "the image %s does not exist; give the path of a directory or a SquashFS file, or a "
                       "name with its registry: docker.io/debian:12",
                       name);
    return err_set(err, ERR_IMAGE_UNREADABLE, "cannot open the image %s: %s", name, err_reason(errnum));
}

/* A file, open, and its first bytes. */
struct file {
    int fd;
    struct sys_identity identity;
    unsigned char head[512];
};

/* Opens PATH, which is no directory, and looks whether it begins like an image. 0 or -1. */
static int open_file(struct file *file, const char *path, struct arena *arena, struct err *err)
{
    const char *name = str_quote(arena, path);
    ssize_t length;

    memset(file->head, 0, sizeof(file->head));
    file->fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (file->fd < 0 && errno == ENOTDIR)
        return refuse(path, errno, arena, err);
    if (file->fd < 0 || sys_identify(file->fd, "", AT_EMPTY_PATH, &file->identity) < 0)
        return err_set(err, ERR_IMAGE_UNREADABLE, "cannot read the image %s: %s", name, err_reason(errno));
    if (!S_ISREG(file->identity.mode))
        return err_set(err, ERR_IMAGE_UNKNOWN, "the image %s is neither a directory nor a file", name);
    if (file->identity.size == 0)
        return err_set(err, ERR_IMAGE_UNKNOWN, "the image %s is an empty file", name);
    length = pread(file->fd, file->head, sizeof(file->head), 0);
    if (length < 0)
        return err_set(err, ERR_IMAGE_UNREADABLE, "cannot read the image %s: %s", name, err_reason(errno));
    if (!superblock_has_magic(file->head) && !sif_has_magic(file->head, (size_t)length))
        return refuse_content(name, file->head, (size_t)length, err);
    return 0;
}

static int inspect_file(struct image *image, const char *path, char *const environment[], struct arena *arena,
                        struct err *err)
{
    struct file file;
    int result = open_file(&file, path, arena, err);

    if (result == 0) {
        image->identity = file.identity;
        result = open_squashfs(image, file.fd, path, file.head, file.identity.size, environment, arena, err);
        if (result < 0 && is_about_image(err->id))
            err_prefix(err, "the image %s", str_quote(arena, path));
    }
    fd_close(&file.fd);
    return result;
}

/* What another system left in the image that is open as DIR. */
static int read_foreign(struct image *image, int dir, const char *path, struct arena *arena, struct err *err)
{
    struct str bytes = {.arena = arena};
    int result = directory_collect(&bytes, dir, err);

    if (result == 0 && bytes.length)
        result = parse_foreign(image, bytes.data, bytes.length, arena, err);
    return result < 0 ? err_prefix(err, "the image %s", str_quote(arena, path)) : 0;
}

/* The configuration of the image that is open as DIR; its links are not followed. */
static int read_config(struct image *image, int dir, const char *path, struct arena *arena, struct err *err)
{
    FD_CLEANUP int inner = openat(dir, IMAGE_CONFIG_DIR, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    char *bytes = NULL;
    size_t length;

    if (inner < 0 && errno == EACCES)
        return err_set(err, ERR_IMAGE_UNREADABLE, "cannot look into the image %s: permission denied",
                       str_quote(arena, path));
    if (inner >= 0)
        bytes = fd_read_file(inner, IMAGE_CONFIG_NAME, O_NOFOLLOW, SERVER_CONFIG_LIMIT, arena, &length);
    if (!bytes && (inner < 0 || errno == ENOENT) && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
        return read_foreign(image, dir, path, arena, err);
    if (!bytes)
        return err_set(err, ERR_IMAGE_CONFIG,
                       "cannot read " IMAGE_CONFIG_DIR "/" IMAGE_CONFIG_NAME " of the image %s: %s",
                       str_quote(arena, path), err_reason(errno));
    if (parse_config(image, bytes, length, arena, err) < 0)
        return err_prefix(err, "the image %s", str_quote(arena, path));
    image->config_bytes = bytes;
    image->config_length = length;
    return 0;
}

int image_identify(const char *path, struct sys_identity *identity, struct arena *arena, struct err *err)
{
    return sys_identify(AT_FDCWD, path, 0, identity) < 0 ? refuse(path, errno, arena, err) : 0;
}

int image_check(const char *path, const struct sys_identity *identity, struct arena *arena, struct err *err)
{
    struct file file;
    int result;

    if (S_ISDIR(identity->mode))
        return 0;
    result = open_file(&file, path, arena, err);
    fd_close(&file.fd);
    return result;
}

int image_says_something(const struct image *image)
{
    return image->config || image->foreign;
}

void image_warn(const struct image *image, const char *path, struct arena *arena)
{
    if (image->foreign && image->foreign->warning)
        log_warning("the image %s: %s", str_quote(arena, path), image->foreign->warning);
}

int image_keep_config(const struct image *image)
{
    FD_CLEANUP int fd = -1;

    if (!image->config_bytes)
        return -1;
    fd = memfd_create("coracle-config", MFD_CLOEXEC);
    if (fd < 0 || fd_write_all(fd, image->config_bytes, image->config_length) < 0)
        return -1;
    return fd_steal(&fd);
}

int image_take_config(struct image *image, int fd, struct arena *arena, struct err *err)
{
    struct stat st;
    char *bytes;

    *image = (struct image){.kind = IMAGE_SQUASHFS, .server.socket = -1};
    if (fstat(fd, &st) < 0 || st.st_size < 0 || st.st_size > SERVER_CONFIG_LIMIT)
        return err_set(err, ERR_IMAGE_CONFIG,
                       "the image's configuration, which another rank has read, is gone");
    bytes = arena_alloc(arena, (size_t)st.st_size + 1);
    /* Not read(): where it stands is the same for all ranks. */
    if (pread(fd, bytes, (size_t)st.st_size, 0) != st.st_size)
        return err_set(err, ERR_IMAGE_CONFIG,
                       "the image's configuration, which another rank has read, is gone");
    return parse_config(image, bytes, (size_t)st.st_size, arena, err);
}

int image_inspect(struct image *image, const char *path, char *const environment[], struct arena *arena,
                  struct err *err)
{
    FD_CLEANUP int dir = openat(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC);

    *image = (struct image){.kind = IMAGE_DIRECTORY, .server.socket = -1};
    if (dir >= 0)
        return read_config(image, dir, path, arena, err);
    if (errno == ENOTDIR)
        return inspect_file(image, path, environment, arena, err);
    return refuse(path, errno, arena, err);
}

int image_inspect_root(struct image *image, int dir, const char *name, struct arena *arena, struct err *err)
{
    *image = (struct image){.kind = IMAGE_DIRECTORY, .server.socket = -1};
    return read_config(image, dir, name, arena, err);
}
