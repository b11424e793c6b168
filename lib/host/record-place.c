#include "host/record-place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/env.h"
#include "base/fd.h"
#include "base/num.h"
#include "base/path.h"
#include "base/str.h"
#include "host/account.h"

/* What the kernel shows for a user without a mapping in this user namespace. */
enum { OVERFLOW_UID = 65534 };

const char *record_place(int rank, char *const environment[], uint32_t uid, struct arena *arena)
{
    const char *parent = rank == 0   ? env_find(environment, "XDG_RUNTIME_DIR")
                         : rank == 1 ? "/tmp"
                                     : "/dev/shm";
    char name[sizeof("coracle-") + 20] = "coracle-";

    /* Strangers' directories look like his own to a user without a mapping. */
    if (uid == OVERFLOW_UID)
        return NULL;
    if (!parent || !*account_clean_path(parent) || strlen(parent) > PATH_MAX / 2)
        return NULL;
    num_format(name + strlen(name), uid);
    return path_join(arena, parent, name);
}

int record_place_is_safe(const struct stat *status, uint32_t uid)
{
    return S_ISDIR(status->st_mode) && status->st_uid == uid && !(status->st_mode & (S_IRWXG | S_IRWXO));
}

/*
 * The bytes of PLACE/record, zero-terminated, and *LENGTH; NULL where they
 * cannot be read or are too many. Most fit the first piece: a large buffer on
 * the stack would cost each launch the pages of it.
 */
static char *read_record(const char *place, size_t *length, struct arena *arena)
{
    const char *path = arena_join(arena, place, "/record", NULL);
    /* Not open(): musl's adds an fcntl() for kernels that ignored O_CLOEXEC. */
    FD_CLEANUP int fd = openat(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct str text = {.arena = arena};
    char piece[1024];
    ssize_t n;

    if (fd < 0)
        return NULL;
    do {
        do
            n = read(fd, piece, sizeof(piece));
        while (n < 0 && errno == EINTR);
        if (n < 0)
            return NULL;
        str_add_bytes(&text, piece, (size_t)n);
    } while (n == sizeof(piece) && text.length <= RECORD_KEPT_LIMIT);
    *length = text.length;
    return text.length && text.length <= RECORD_KEPT_LIMIT ? text.data : NULL;
}

int record_place_read(const char *place, const struct record_facts *facts, struct record_file *file,
                      struct arena *arena)
{
    struct stat st;
    size_t length;
    char *text;

    /*
     * By path and not by descriptor, which would cost two calls more: nobody
     * but root and the user can move his directory away from a sticky /tmp or
     * from his runtime directory, and the files in it are bound by path later.
     */
    if (lstat(place, &st) < 0 || !record_place_is_safe(&st, facts->uid))
        return -1;
    text = read_record(place, &length, arena);
    if (!text)
        return -1;
    if (record_file_parse(text, length, file, arena) < 0)
        return 1;
    return strcmp(file->directory, place) == 0 && record_file_holds(file, facts) ? 0 : 1;
}
