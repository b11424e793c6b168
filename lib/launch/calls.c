/*
 * Mounts by descriptor: made and cloned in no place, then put into theirs. open_tree(2),
 * move_mount(2), fsopen(2): Linux 5.2. Where the kernel lacks the first that is asked for it
 * lacks all, and older.c does it. To find that out costs one call, less than to have it told.
 */
#include <errno.h>
#include <fcntl.h>

#include "base/fd.h"
#include "base/sys.h"
#include "launch/state.h"

/* Whether the first call, which failed with errno, is missing. EPERM is no lack but somebody's will. */
static int is_missing(struct launch *launch)
{
    if (errno != ENOSYS || launch->is_newer)
        return 0;
    launch->is_older = 1;
    log_message(LOG_WAYS, "way: mounts are made by mount(2): the kernel has no open_tree");
    return 1;
}

int launch_clone(struct launch *launch, int dir, const char *path, unsigned flags)
{
    if (!launch->is_older) {
        const int mount = sys_open_tree(dir, path, SYS_OPEN_TREE_CLONE | O_CLOEXEC | flags);

        launch->is_newer |= mount >= 0;
        if (mount >= 0 || !is_missing(launch))
            return mount;
    }
    return launch_older_clone(launch, dir, path, flags);
}

int launch_move(struct launch *launch, int mount, int dir, const char *name)
{
    if (launch->is_older)
        return launch_older_move(mount, dir, name);
    return sys_move_mount(mount, "", dir, name, SYS_MOVE_FROM_EMPTY | (*name ? 0 : SYS_MOVE_TO_EMPTY));
}

static int configure(int context, const struct mount_option *options)
{
    for (const struct mount_option *option = options; option->key; option++)
        if (sys_fsconfig(context, option->value ? SYS_FSCONFIG_SET_STRING : SYS_FSCONFIG_SET_FLAG,
                         option->key, option->value, 0) < 0)
            return -1;
    return sys_fsconfig(context, SYS_FSCONFIG_CREATE, NULL, NULL, 0);
}

int launch_create(struct launch *launch, const char *type, const struct mount_option *options,
                  unsigned attributes)
{
    if (!launch->is_older) {
        FD_CLEANUP int context = sys_fsopen(type, SYS_CLOEXEC);

        launch->is_newer |= context >= 0;
        if (context >= 0)
            return configure(context, options) < 0 ? -1 : sys_fsmount(context, SYS_CLOEXEC, attributes);
        if (!is_missing(launch))
            return -1;
    }
    return launch_older_create(launch, type, options, attributes);
}
