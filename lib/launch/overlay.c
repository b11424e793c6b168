/* An overlay as a descriptor. Linux 5.11 allows it in a user namespace. */
#include <errno.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "launch/state.h"

/*
 * Without "userxattr" the overlay looks for trusted.* attributes, which it
 * cannot read without privilege: an image cannot steer a read-only one. With an
 * upper directory it must mark what was removed, in user.* attributes.
 */
int launch_new_overlay(const char *lower, const char *upper, const char *work, unsigned attributes)
{
    FD_CLEANUP int context = sys_fsopen("overlay", SYS_CLOEXEC);

    if (context < 0 || sys_fsconfig(context, SYS_FSCONFIG_SET_STRING, "lowerdir", lower, 0) < 0)
        return -1;
    if (upper && (sys_fsconfig(context, SYS_FSCONFIG_SET_STRING, "upperdir", upper, 0) < 0 ||
                  sys_fsconfig(context, SYS_FSCONFIG_SET_STRING, "workdir", work, 0) < 0 ||
                  sys_fsconfig(context, SYS_FSCONFIG_SET_FLAG, "userxattr", NULL, 0) < 0))
        return -1;
    if (sys_fsconfig(context, SYS_FSCONFIG_CREATE, NULL, NULL, 0) < 0)
        return -1;
    return sys_fsmount(context, SYS_CLOEXEC, attributes);
}

/* Whether the kernel RELEASE ("5.10.0-32-amd64") came before 5.11. */
static int is_too_old(const char *release)
{
    char *end;
    long major = strtol(release, &end, 10);

    return major > 0 && *end == '.' && (major < 5 || (major == 5 && strtol(end + 1, NULL, 10) < 11));
}

int launch_has_no_overlay(const struct launch *launch, struct err *err)
{
    const int saved = errno;
    struct utsname node;

    if ((saved == EPERM || saved == EINVAL || saved == ENODEV) && uname(&node) == 0 &&
        is_too_old(node.release)) {
        err_set(
            err, ERR_ROOT_WRITABLE,
            "%s: this node runs Linux %s, where an ordinary user cannot make an overlay; that needs Linux "
            "5.11; put a --tmpfs where the command writes",
            launch->plan->root_origin, node.release);
        return 1;
    }
    errno = saved;
    return 0;
}
