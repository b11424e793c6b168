#include "base/remove.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/num.h"
#include "base/sys.h"

/*
 * The tree is taken down from the top: a directory in a directory of TOP is moved
 * into TOP, so that none is ever deep.
 */
struct removal {
    int top;
    struct sys_identity mount; /* of the top; all zero before it is known */
    uint64_t moved;            /* directories, for their new names */
    int64_t until;             /* as clock_nanoseconds() has it; 0: the end of the tree */
    int is_interrupted;
};

/* By descriptor: whatever the name is now. fchmod(2) does not take one of O_PATH. */
static int let_owner_change(int place)
{
    char path[48] = "/proc/self/fd/";

    num_format(path + strlen(path), (uint64_t)place);
    return chmod(path, S_IRWXU);
}

/* Opens the directory NAME of DIR and lets its owner change it. -1 and errno. */
static int open_directory(const struct removal *removal, int dir, const char *name)
{
    FD_CLEANUP int place = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct sys_identity found;

    if (place < 0 || sys_identify(place, "", AT_EMPTY_PATH, &found) < 0)
        return -1;
    if (removal->mount.device &&
        (found.device != removal->mount.device || found.mount != removal->mount.mount)) {
        errno = EXDEV;
        return -1;
    }
    if ((found.mode & S_IRWXU) != S_IRWXU && let_owner_change(place) < 0)
        return -1;
    return openat(place, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Moves the directory NAME of DIR into the top, under a name that is not taken. */
static int move_up(struct removal *removal, int dir, const char *name)
{
    char next[32] = ".coracle-";
    struct stat st;

    for (;;) {
        num_format(next + strlen(".coracle-"), removal->moved++);
        if (fstatat(removal->top, next, &st, AT_SYMLINK_NOFOLLOW) == 0)
            continue;
        return renameat(dir, name, removal->top, next);
    }
}

static int is_dot(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

typedef int take_entry(struct removal *removal, int dir, const char *name);

/* Calls TAKE for each name in DIR until none is left: what is taken out moves the others. */
static int empty(struct removal *removal, int dir, take_entry *take)
{
    _Alignas(struct sys_entry) char buffer[4096];
    long length;
    int found;

    do {
        found = 0;
        if (lseek(dir, 0, SEEK_SET) < 0)
            return -1;
        while ((length = sys_getdents(dir, buffer, sizeof(buffer))) > 0) {
            for (char *p = buffer; p < buffer + length;) {
                const struct sys_entry *entry = (const struct sys_entry *)(void *)p;

                p += entry->length;
                if (is_dot(entry->name))
                    continue;
                found = 1;
                if (take(removal, dir, entry->name) < 0)
                    return -1;
                removal->is_interrupted = removal->until && clock_nanoseconds() >= removal->until;
                if (removal->is_interrupted)
                    return -1;
            }
        }
        if (length < 0)
            return -1;
    } while (found);
    return 0;
}

/* An entry of a directory of the top. */
static int take_deep(struct removal *removal, int dir, const char *name)
{
    FD_CLEANUP int fd = -1;

    if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
        return 0;
    fd = errno == EISDIR || errno == EPERM ? open_directory(removal, dir, name) : -1;
    return fd < 0 ? -1 : move_up(removal, dir, name);
}

/* An entry of the top itself. */
static int take_top(struct removal *removal, int dir, const char *name)
{
    FD_CLEANUP int fd = -1;

    if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
        return 0;
    fd = errno == EISDIR || errno == EPERM ? open_directory(removal, dir, name) : -1;
    if (fd < 0 || empty(removal, fd, take_deep) < 0)
        return -1;
    return unlinkat(dir, name, AT_REMOVEDIR);
}

static int take_tree(struct removal *removal, int parent, const char *name)
{
    FD_CLEANUP int top = -1;

    if (!*name || is_dot(name) || strchr(name, '/')) {
        errno = EINVAL;
        return -1;
    }
    top = open_directory(removal, parent, name);
    if (top < 0 || sys_identify(top, "", AT_EMPTY_PATH, &removal->mount) < 0)
        return -1;
    removal->top = top;
    if (empty(removal, top, take_top) < 0)
        return -1;
    return unlinkat(parent, name, AT_REMOVEDIR);
}

int remove_tree(int parent, const char *name)
{
    struct removal removal = {0};

    return take_tree(&removal, parent, name);
}

int remove_some(int parent, const char *name, int milliseconds)
{
    const int64_t begin = clock_nanoseconds();
    /* From the clock: the names of earlier calls, many of which may be left, are not tried again. */
    struct removal removal = {.moved = (uint64_t)begin, .until = begin + (int64_t)milliseconds * 1000000};

    return take_tree(&removal, parent, name) < 0 ? removal.is_interrupted ? 1 : -1 : 0;
}
