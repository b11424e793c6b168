/*
 * Puts a mount in its place.
 *
 * Two ways, the second where the first does not do. By name: into the open
 * parent directory, under a last name that is never followed; rows that share a
 * parent open it once. By descriptor: the kernel resolves the whole target
 * within the new root, links included. No way trusts a path twice.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/resolve.h"
#include "base/sys.h"
#include "launch/state.h"

void launch_forget_parent(struct launch *launch)
{
    fd_close(&launch->parent);
}

static int open_beneath_root(const struct launch *launch, const char *path, unsigned resolve)
{
    return resolve_open(launch->root, path, O_PATH | O_DIRECTORY | O_CLOEXEC, SYS_RESOLVE_IN_ROOT | resolve);
}

/* The directory that TARGET's last name is in (O_PATH; not the caller's to close), or -1. */
static int open_parent(struct launch *launch, const char *target)
{
    size_t length = (size_t)(path_basename(target) - target);
    const char *path;

    if (launch->parent >= 0 && launch->parent_length == length &&
        memcmp(launch->parent_path, target, length) == 0)
        return launch->parent;
    launch_forget_parent(launch);
    if (length == 1)
        return launch->root;
    path = arena_strndup(launch->arena, target, length);
    launch->parent_path = target;
    launch->parent_length = length;
    launch->parent = open_beneath_root(launch, path, SYS_RESOLVE_NO_SYMLINKS);
    launch->parent_has_links = launch->parent < 0 && errno == ELOOP;
    launch->followed_links |= launch->parent_has_links;
    if (launch->parent_has_links)
        launch->parent = open_beneath_root(launch, path, SYS_RESOLVE_NO_MAGICLINKS);
    return launch->parent;
}

static int is_directory(int mount)
{
    struct stat st;

    return fstat(mount, &st) == 0 && S_ISDIR(st.st_mode);
}

/*
 * Whether MOUNT went to its place under its last name. Where that is a link,
 * only a file that replaces the name lands on it: the kernel puts no directory
 * on a link, and other files must go where the link leads.
 */
static int attach_by_name(struct launch *launch, const struct plan_row *row, int mount)
{
    const char *name = path_basename(row->target);
    int parent;

    errno = 0;
    if (path_has_dotdot(row->target) ||
        (!(row->flags & (MOUNT_REPLACE | MOUNT_DIRECTORY)) && !is_directory(mount)))
        return 0;
    parent = open_parent(launch, row->target);
    return parent >= 0 && launch_move(launch, mount, parent, name) == 0;
}

/* MOUNT is refused by TARGET, which is open as PLACE. An optional one is left out with a warning. */
static int refused(struct launch *launch, const struct plan_row *row, int mount, int place, struct err *err)
{
    const char *target = str_quote(launch->arena, row->target);
    int saved = errno;
    int directory = is_directory(mount);
    int alike = directory == is_directory(place);

    errno = saved;
    if (alike)
        return launch_error(err, ERR_BIND_TARGET, "%s: cannot mount on %s", row->origin, target);
    if (row->flags & MOUNT_OPTIONAL) {
        log_warning("%s of the host is left out: the image has a %s there", target,
                    directory ? "file" : "directory");
        return 0;
    }
    return err_set(err, ERR_BIND_TARGET, "%s: %s is a %s in the container, but a %s would be mounted on it",
                   row->origin, target, directory ? "file" : "directory", directory ? "directory" : "file");
}

/* Whether TARGET is the new root directory: a link of the image can lead there. */
static int is_new_root(const struct launch *launch, int target)
{
    struct stat a, b;

    return fstat(target, &a) < 0 || fstat(launch->root, &b) < 0 ||
           (a.st_dev == b.st_dev && a.st_ino == b.st_ino &&
            sys_mount_id(target) == sys_mount_id(launch->root));
}

static int attach_by_descriptor(struct launch *launch, size_t index, int mount, struct err *err)
{
    const struct plan_row *row = &launch->plan->rows[index];
    FD_CLEANUP int target = -1;

    launch_forget_parent(launch); /* to make the target may cover it */
    target = launch_target(launch, index, mount, err);
    launch_forget_parent(launch);
    if (target < 0)
        return -1;
    if (is_new_root(launch, target))
        return err_set(err, ERR_BIND_TARGET,
                       "%s: %s leads to the root directory of the container, on which nothing can be mounted",
                       row->origin, str_quote(launch->arena, row->target));
    if (launch_move(launch, mount, target, "") < 0)
        return refused(launch, row, mount, target, err);
    return 0;
}

/*
 * The usual lack: the parent is there, no link leads to it, and the last name is
 * missing in it (move_mount() said ENOENT). Saves finding that out again.
 */
static int make_last_name(struct launch *launch, size_t index, int mount, struct err *err)
{
    const char *target = launch->plan->rows[index].target;
    struct missing_target place = {.missing = path_basename(target)};
    FD_CLEANUP int dir = fd_steal(&launch->parent);

    place.dir = dir;
    place.ancestor = arena_strndup(launch->arena, target, launch->parent_length - 1);
    return launch_assemble(launch, &place, is_directory(mount), index, err);
}

int launch_attach(struct launch *launch, size_t index, int mount, struct err *err)
{
    const struct plan_row *row = &launch->plan->rows[index];
    int attached = attach_by_name(launch, row, mount);

    if (!attached && errno == ENOENT && launch->parent >= 0 && !launch->parent_has_links) {
        if (make_last_name(launch, index, mount, err) < 0)
            return -1;
        attached = attach_by_name(launch, row, mount);
    }
    return attached ? 0 : attach_by_descriptor(launch, index, mount, err);
}
