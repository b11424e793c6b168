/* An overlay as a descriptor. Linux 5.11 allows it in a user namespace. */
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
