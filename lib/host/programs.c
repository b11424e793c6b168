#include "host/programs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"

static const char self[] = "/proc/self/exe";

/*
 * Whether the file PATH is the one being run. Compared by mount as well: what a
 * container shows of the host is a mount of its own.
 */
static int leads_to_self(const char *path)
{
    FD_CLEANUP int running = openat(AT_FDCWD, self, O_PATH | O_CLOEXEC);
    FD_CLEANUP int named = openat(AT_FDCWD, path, O_PATH | O_CLOEXEC);
    struct stat a, b;

    return running >= 0 && named >= 0 && fstat(running, &a) == 0 && fstat(named, &b) == 0 &&
           a.st_dev == b.st_dev && a.st_ino == b.st_ino && sys_mount_id(running) == sys_mount_id(named);
}

const char *const *programs_find(const char *name, struct arena *arena)
{
    const char **programs = arena_alloc(arena, 4 * sizeof(*programs));
    char path[PATH_MAX];
    ssize_t length = readlink(self, path, sizeof(path) - 1);
    const char *dir;

    path[length > 0 ? length : 0] = 0;
    if (*path != '/' || !leads_to_self(path))
        return programs;
    dir = arena_strndup(arena, path, (size_t)(strrchr(path, '/') - path));
    programs[0] = arena_join(arena, dir, "/", name, NULL);
    programs[1] = arena_join(arena, dir, "/../libexec/coracle/", name, NULL);
    programs[2] = arena_join(arena, PKGLIBEXECDIR "/", name, NULL);
    return programs;
}

const char *programs_place(int errnum)
{
    return errnum == ENOENT || errnum == ENOTDIR ? "; it belongs in " PKGLIBEXECDIR : "";
}
