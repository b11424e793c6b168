#include "config/safe.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"

/* What the kernel shows for an id that is not mapped; links that are followed. */
enum { OVERFLOW_UID = 65534, LINKS_MAX = 8, MAP_LIMIT = 64 * 1024 };

/* Whether id 0 exists in this user namespace. A line: FIRST-INSIDE FIRST-OUTSIDE COUNT. user_namespaces(7) */
static int root_is_mapped(struct arena *arena)
{
    FD_CLEANUP int fd = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
    size_t length;
    const char *line = fd < 0 ? NULL : fd_read_all(fd, MAP_LIMIT, arena, &length);

    for (; line && *line; line += strcspn(line, "\n"), line += *line == '\n') {
        const char *word = line + strspn(line, " ");

        if (word[0] == '0' && word[1] == ' ')
            return 1;
    }
    return line == NULL;
}

static int check_owner_and_mode(const char *path, const char *what, const struct stat *status,
                                struct config_kind kind, struct arena *arena, struct err *err)
{
    const char *name = str_quote(arena, path);
    const int is_trusted = status->st_uid == 0 || status->st_uid == geteuid() ||
                           (kind.is_site && status->st_uid == OVERFLOW_UID && !root_is_mapped(arena));

    if (!is_trusted)
        return err_set(
            err, ERR_CONFIG,
            "the %s %s belongs to uid %u, who could change what you run; it has to belong to root or "
            "to you",
            what, name, (unsigned)status->st_uid);
    if (status->st_mode & (S_IWGRP | S_IWOTH))
        return err_set(
            err, ERR_CONFIG,
            "the %s %s can be written by %s (mode %04o), who could change what you run: chmod go-w %s", what,
            name, status->st_mode & S_IWOTH ? "everybody" : "its group", (unsigned)status->st_mode & 07777,
            name);
    return 0;
}

static int check_file(const char *path, const struct stat *status, struct config_kind kind,
                      struct arena *arena, struct err *err)
{
    const int is_directory = kind.type == S_IFDIR;

    if ((status->st_mode & S_IFMT) != kind.type)
        return err_set(err, ERR_CONFIG, "%s is not a %s", str_quote(arena, path),
                       is_directory ? "directory" : "regular file");
    return check_owner_and_mode(path, is_directory ? "configuration directory" : "configuration file", status,
                                kind, arena, err);
}

static int cannot(const char *path, struct arena *arena, struct err *err)
{
    return err_set(err, ERR_CONFIG, "the configuration %s cannot be read: %s", str_quote(arena, path),
                   err_reason(errno));
}

/* The path that the link BASE in the directory DIR, which is DIRECTORY, says; NULL and errno. */
static const char *read_link(int dir, const char *directory, const char *base, struct arena *arena)
{
    char target[PATH_MAX];
    const ssize_t length = readlinkat(dir, base, target, sizeof(target));

    if (length < 0 || length == sizeof(target))
        return NULL;
    return path_join(arena, directory, arena_strndup(arena, target, (size_t)length));
}

/* Looks at PATH itself. A descriptor; CONFIG_ABSENT; -1; or LINK and *NEXT, where it leads. */
enum { LINK = -3 };
static int open_one(const char *path, struct config_kind kind, struct stat *status, const char **next,
                    struct arena *arena, struct err *err)
{
    const char *directory = path_parent(arena, path), *base = path_basename(path);
    FD_CLEANUP int dir = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    FD_CLEANUP int fd = -1;
    struct stat above;

    if (dir < 0 || fstatat(dir, base, status, AT_SYMLINK_NOFOLLOW) < 0) {
        if (errno == ENOENT || errno == ENOTDIR || (errno == EACCES && kind.may_be_hidden))
            return CONFIG_ABSENT;
        return cannot(path, arena, err);
    }
    if (fstat(dir, &above) < 0)
        return cannot(directory, arena, err);
    if (check_owner_and_mode(directory, "configuration directory", &above, kind, arena, err) < 0)
        return -1;
    if (S_ISLNK(status->st_mode)) {
        *next = read_link(dir, directory, base, arena);
        return *next ? LINK : cannot(path, arena, err);
    }
    if (check_file(path, status, kind, arena, err) < 0)
        return -1;
    fd = openat(dir, base, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, status) < 0)
        return cannot(path, arena, err);
    return check_file(path, status, kind, arena, err) < 0 ? -1 : fd_steal(&fd);
}

int config_open(const char *path, struct config_kind kind, struct stat *status, struct arena *arena,
                struct err *err)
{
    const char *at = path;

    for (int links = 0; links < LINKS_MAX; links++) {
        const int fd = open_one(at, kind, status, &at, arena, err);

        if (fd == CONFIG_ABSENT && links)
            return err_set(err, ERR_CONFIG, "the configuration %s is a link to %s, which does not exist",
                           str_quote(arena, path), str_quote(arena, at));
        if (fd != LINK)
            return fd;
    }
    errno = ELOOP;
    return cannot(path, arena, err);
}
