/*
 * Where a row goes. Paths of the container are resolved by the kernel as if the
 * tree were the root already: no link of an image leads outside.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/resolve.h"
#include "base/sys.h"
#include "launch/state.h"

enum { MAX_LINKS = 40 }; /* path_resolution(7) */

/* MOUNT_REPLACE goes on a name, not on what a link of that name leads to. */
static int open_target(const struct launch *launch, const char *path, int follow)
{
    return resolve_open(launch->root, path, O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW),
                        SYS_RESOLVE_IN_ROOT | SYS_RESOLVE_NO_MAGICLINKS);
}

/* A walk through the tree, component by component. */
struct walk {
    const struct launch *launch;
    struct arena *arena;
    const char *here; /* absolute, exists, free of links */
    const char *rest; /* still to go */
    int links;
};

/* The component NAME is the link FD: its text takes its place. */
static int follow_link(struct walk *walk, int fd, const char *rest)
{
    char text[PATH_MAX];
    ssize_t n = readlinkat(fd, "", text, sizeof(text) - 1);

    if (n < 0)
        return -1;
    if (++walk->links > MAX_LINKS) {
        errno = ELOOP;
        return -1;
    }
    text[n] = 0;
    if (*text == '/')
        walk->here = "/";
    walk->rest = arena_join(walk->arena, text, "/", rest, NULL);
    return 0;
}

static void go_up(struct walk *walk)
{
    const char *slash = strrchr(walk->here, '/');

    walk->here =
        slash == walk->here ? "/" : arena_strndup(walk->arena, walk->here, (size_t)(slash - walk->here));
}

/* One component further. 1: it is missing. 0: go on. -1 and errno. */
static int step(struct walk *walk, int replace)
{
    size_t length = strcspn(walk->rest, "/");
    const char *name = arena_strndup(walk->arena, walk->rest, length);
    const char *rest = walk->rest + length + strspn(walk->rest + length, "/");
    const char *path = path_join(walk->arena, walk->here, name);
    FD_CLEANUP int fd = -1;
    struct stat st;

    if (strcmp(name, "..") == 0)
        go_up(walk);
    if (!length || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        walk->rest = rest;
        return 0;
    }
    fd = open_target(walk->launch, path, 0);
    if (fd < 0)
        return errno == ENOENT ? 1 : -1;
    if (fstat(fd, &st) < 0)
        return -1;
    if (S_ISLNK(st.st_mode) && !(replace && !*rest))
        return follow_link(walk, fd, rest);
    if (*rest && !S_ISDIR(st.st_mode)) {
        errno = ENOTDIR;
        return -1;
    }
    walk->here = path;
    walk->rest = rest;
    return 0;
}

/* PATH of the tree as a directory, where no link is on the way. -1 and errno. */
static int open_directory(const struct launch *launch, const char *path)
{
    return resolve_open(launch->root, path, O_PATH | O_DIRECTORY | O_CLOEXEC,
                        SYS_RESOLVE_IN_ROOT | SYS_RESOLVE_NO_SYMLINKS);
}

/*
 * The usual case, in two calls: only the last name is missing, and no link is on the way. Whether
 * it is so.
 */
static int find_in_parent(const struct launch *launch, const char *target, struct missing_target *place)
{
    const char *name = path_basename(target);
    struct stat st;

    if (path_has_dotdot(target))
        return 0;
    place->ancestor =
        name == target + 1 ? "/" : arena_strndup(launch->arena, target, (size_t)(name - target) - 1);
    place->missing = name;
    place->dir = open_directory(launch, place->ancestor);
    if (place->dir < 0)
        return 0;
    if (fstatat(place->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
        return 1;
    fd_close(&place->dir);
    return 0;
}

int launch_find_missing(const struct launch *launch, const struct plan_row *row, struct missing_target *place)
{
    struct walk walk = {launch, launch->arena, "/", row->target, 0};
    int missing = find_in_parent(launch, row->target, place);

    if (missing)
        return 1;
    while (*walk.rest && !missing) {
        missing = step(&walk, (row->flags & MOUNT_REPLACE) != 0);
        if (missing < 0)
            return -1;
    }
    if (!missing)
        return 0;
    if (path_has_dotdot(walk.rest)) {
        errno = ENOENT;
        return -1;
    }
    place->ancestor = walk.here;
    place->missing = path_clean(launch->arena, walk.rest);
    place->dir = open_directory(launch, walk.here);
    return place->dir < 0 ? -1 : 1;
}

/* Makes the missing target of row INDEX. 0 or -1. */
static int provide(struct launch *launch, size_t index, int mount, struct err *err)
{
    const struct plan_row *row = &launch->plan->rows[index];
    struct missing_target place;
    struct stat st;
    int missing = launch_find_missing(launch, row, &place);
    int result;

    if (missing < 0 || fstat(mount, &st) < 0)
        return launch_error(err, ERR_BIND_TARGET, "%s: the target %s cannot be made in the container",
                            row->origin, str_quote(launch->arena, row->target));
    if (!missing)
        return 0;
    result = launch_assemble(launch, &place, S_ISDIR(st.st_mode), index, err);
    fd_close(&place.dir);
    return result < 0 ? err_prefix(err, "%s: cannot make the target %s", row->origin,
                                   str_quote(launch->arena, row->target))
                      : 0;
}

/* The target of ROW as it is, and a note where a link led to it. -1 and errno. */
static int open_row_target(struct launch *launch, const struct plan_row *row)
{
    int fd;

    if (row->flags & MOUNT_REPLACE)
        return open_target(launch, row->target, 0);
    fd = resolve_open(launch->root, row->target, O_PATH | O_CLOEXEC,
                      SYS_RESOLVE_IN_ROOT | SYS_RESOLVE_NO_SYMLINKS);
    if (fd >= 0 || errno != ELOOP)
        return fd;
    launch->followed_links = 1;
    return open_target(launch, row->target, 1);
}

int launch_target(struct launch *launch, size_t index, int mount, struct err *err)
{
    const struct plan_row *row = &launch->plan->rows[index];
    int fd = open_row_target(launch, row);

    if (fd < 0 && errno == ENOENT) {
        if (provide(launch, index, mount, err) < 0)
            return -1;
        fd = open_row_target(launch, row);
    }
    if (fd < 0)
        return launch_error(err, ERR_BIND_TARGET, "%s: cannot use the target %s in the container",
                            row->origin, str_quote(launch->arena, row->target));
    return fd;
}
