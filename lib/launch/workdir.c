/* Where the command starts. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/resolve.h"
#include "base/sys.h"
#include "launch/state.h"

/*
 * The links of /proc (/proc/self/cwd, /proc/self/fd/N) would lead to a directory
 * of the host: CVE-2024-21626. They are not followed. The exec closes what is opened.
 */
static int enter(const char *path)
{
    int fd = resolve_open(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC, SYS_RESOLVE_NO_MAGICLINKS);

    return fd < 0 ? -1 : fchdir(fd);
}

int launch_workdir(struct launch *launch, struct err *err)
{
    const struct plan *plan = launch->plan;

    for (size_t i = 0; i < plan->workdir_count; i++) {
        launch->workdir = &plan->workdirs[i];
        if (enter(launch->workdir->path) == 0)
            return 0;
        if (launch->workdir->required)
            break;
    }
    if (errno == ELOOP)
        return err_set(err, ERR_WORKDIR,
                       "%s: %s leads through a link of /proc or a loop of links; name the directory itself",
                       launch->workdir->origin, str_quote(launch->arena, launch->workdir->path));
    return launch_error(err, ERR_WORKDIR, "%s: cannot start in %s of the container", launch->workdir->origin,
                        str_quote(launch->arena, launch->workdir->path));
}
