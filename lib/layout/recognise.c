/* What a path is that says nothing of it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/magic.h"
#include "base/str.h"
#include "layer/spool.h"
#include "layout/layout.h"
#include "layout/tar.h"

/* Of a tar's entries; ustar, POSIX.1 pax(1). */
enum { HEAD_SIZE = 512, NAME_SIZE = 100, SIZE_OFFSET = 124, SIZE_SIZE = 12 };

enum { SIF_MAGIC_OFFSET = 32 };

/* Whether a tar that begins with the entry NAME is what docker or a tool for layouts writes. */
static int is_of_archive(const char *name)
{
    static const char *const names[] = {"blobs/", "oci-layout", "index.json", "manifest.json",
                                        "repositories"};

    if (strncmp(name, "./", 2) == 0)
        name += 2;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strncmp(name, names[i], strlen(names[i])) == 0)
            return 1;
    /* Of older ones the first are directories or files that digests name. */
    return strspn(name, "0123456789abcdef") == 64;
}

/* What an entry's FIELD says of its size; by hand, as strtoull(3) takes a sign, and then it leads back. */
static uint64_t entry_size(const char *field)
{
    uint64_t size = 0;
    int i = 0;

    while (i < SIZE_SIZE && field[i] == ' ')
        i++;
    for (; i < SIZE_SIZE && field[i] >= '0' && field[i] <= '7'; i++)
        size = size * 8 + (uint64_t)(field[i] - '0');
    return size;
}

/* The first entries, as far as they are in BYTES: an archive begins with ".", or with directories. */
static int begins_archive(const char *bytes, size_t length)
{
    char name[NAME_SIZE + 1];
    uint64_t offset = 0;

    while (offset + HEAD_SIZE <= length && bytes[offset]) {
        const char *head = bytes + offset;

        memcpy(name, head, NAME_SIZE);
        name[NAME_SIZE] = 0;
        if (is_of_archive(name))
            return 1;
        offset += HEAD_SIZE + (entry_size(head + SIZE_OFFSET) + HEAD_SIZE - 1) / HEAD_SIZE * HEAD_SIZE;
    }
    return 0;
}

/* Which of the two an archive is stands anywhere in it. */
static int recognise_compressed(int fd, uint64_t size, const char *path, enum reference_transport *transport,
                                struct arena *arena, struct err *err)
{
    const struct layer layer = {.fd = fd, .size = size, .is_tar = 1};
    struct layer_reader *reader = layer_open(&layer, err);
    const void *bytes;
    size_t length = 0;
    int result = reader ? layer_read(reader, &bytes, &length, err) : -1;

    if (result == 0)
        *transport = begins_archive(bytes, length) ? REFERENCE_PATH : REFERENCE_TAR;
    layer_close(reader);
    return result < 0 ? err_prefix(err, "%s", str_quote(arena, path)) : 0;
}

static int recognise_tar(int fd, enum reference_transport *transport, struct arena *arena)
{
    const struct tar_entry *entry;
    struct err ignored;
    struct tar tar;

    /* One that has more than an archive may have is none. */
    *transport = REFERENCE_TAR;
    if (tar_read(&tar, fd, arena, &ignored) < 0)
        return 0;
    if (tar_find(&tar, "manifest.json", &entry, arena, &ignored) == 1)
        *transport = REFERENCE_DOCKER_ARCHIVE;
    else if (tar_find(&tar, "oci-layout", &entry, arena, &ignored) == 1)
        *transport = REFERENCE_OCI_ARCHIVE;
    return 0;
}

static int recognise_file(int fd, uint64_t size, const char *path, enum reference_transport *transport,
                          struct arena *arena, struct err *err)
{
    char head[HEAD_SIZE];
    const ssize_t length = pread(fd, head, sizeof(head), 0);

    if (length < 0)
        return err_set(err, ERR_IMAGE_UNREADABLE, "cannot read %s: %s", str_quote(arena, path),
                       err_reason(errno));
    *transport = REFERENCE_TAR;
    if (magic_is(head, (size_t)length, 0, "hsqs"))
        *transport = REFERENCE_SQFS;
    else if (magic_is(head, (size_t)length, SIF_MAGIC_OFFSET, "SIF_MAGIC"))
        *transport = REFERENCE_SIF;
    else if (spool_undoes(head, (size_t)length))
        return recognise_compressed(fd, size, path, transport, arena, err);
    else if (magic_is(head, (size_t)length, MAGIC_TAR_OFFSET, MAGIC_TAR))
        return recognise_tar(fd, transport, arena);
    else
        return err_set(err, ERR_IMAGE_UNKNOWN,
                       "%s is neither a SquashFS, a SIF nor a tar, and no archive of docker or of a layout",
                       str_quote(arena, path));
    return 0;
}

static int recognise_open(int fd, const char *path, enum reference_transport *transport, struct arena *arena,
                          struct err *err)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return err_set(err, ERR_IMAGE_UNREADABLE, "cannot look at %s: %s", str_quote(arena, path),
                       err_reason(errno));
    if (S_ISREG(st.st_mode))
        return recognise_file(fd, (uint64_t)st.st_size, path, transport, arena, err);
    if (!S_ISDIR(st.st_mode))
        return err_set(err, ERR_IMAGE_UNKNOWN, "%s is neither a file nor a directory",
                       str_quote(arena, path));
    *transport = fstatat(fd, "oci-layout", &st, AT_SYMLINK_NOFOLLOW) == 0 ? REFERENCE_OCI : REFERENCE_DIR;
    return 0;
}

int layout_recognise(const char *path, enum reference_transport *transport, struct arena *arena,
                     struct err *err)
{
    FD_CLEANUP int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0)
        return err_set(err, errno == ENOENT || errno == ENOTDIR ? ERR_IMAGE_MISSING : ERR_IMAGE_UNREADABLE,
                       "cannot open %s: %s", str_quote(arena, path), err_reason(errno));
    return recognise_open(fd, path, transport, arena, err);
}
