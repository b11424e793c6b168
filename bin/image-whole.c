#include "image-whole.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "checksum/checksum.h"
#include "image/superblock.h"
#include "stream/stream.h"

/* What is made is filled up to a multiple of this, as block devices are. */
enum { DEVICE_BLOCK = 4096 };

/* Whether FD has as many bytes as its superblock says. */
static int has_its_length(int fd)
{
    unsigned char bytes[SUPERBLOCK_SIZE];
    struct superblock superblock;
    struct err ignored;
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
           pread(fd, bytes, sizeof(bytes), 0) == (ssize_t)sizeof(bytes) &&
           superblock_parse(&superblock, bytes, (uint64_t)st.st_size, &ignored) == 0 &&
           (uint64_t)st.st_size - superblock.bytes < DEVICE_BLOCK;
}

#ifdef HAVE_SQUASHFUSE
/* Whether what FD says of itself can be read, and is what ID names. */
static int says_what_it_is(int fd, const char *id, struct arena *arena)
{
    struct err ignored;
    struct stream *stream = stream_of_file(fd, "", arena, &ignored);
    char digest[CHECKSUM_TEXT];
    const char *bytes;
    size_t length;
    int result = -1;

    if (stream)
        result = stream_config(stream, &bytes, &length, arena, &ignored);
    stream_close(stream);
    if (result <= 0 || strncmp(id, "file:", 5) == 0)
        return result == 1 || (result == 0 && strncmp(id, "file:", 5) == 0);
    return strcmp(checksum_of(digest, id, bytes, length), id) == 0;
}
#else
/* This build reads no SquashFS. */
static int says_what_it_is(int fd, const char *id, struct arena *arena)
{
    (void)fd, (void)id, (void)arena;
    return 1;
}
#endif

int image_is_whole(const char *path, const char *id, struct arena *arena)
{
    /* An NFS client believes for half a minute that a name is not there, unless its directory is opened. */
    FD_CLEANUP int dir = openat(AT_FDCWD, path_parent(arena, path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    FD_CLEANUP int fd = openat(dir, path_basename(path), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    return fd >= 0 && has_its_length(fd) && says_what_it_is(fd, id, arena);
}
