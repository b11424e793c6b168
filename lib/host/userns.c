#include "host/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"

/* Whether the switch FILE of /proc/sys holds 0. */
static int is_switched_off(const char *file)
{
    FD_CLEANUP int fd = openat(AT_FDCWD, file, O_RDONLY | O_CLOEXEC);
    char c = '1';

    return fd >= 0 && read(fd, &c, 1) == 1 && c == '0';
}

static int is_restricted_by_apparmor(void)
{
    FD_CLEANUP int fd =
        openat(AT_FDCWD, "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", O_RDONLY | O_CLOEXEC);
    char c = '0';

    return fd >= 0 && read(fd, &c, 1) == 1 && c == '1';
}

int userns_refused(int errnum, struct err *err)
{
    if (is_switched_off("/proc/sys/user/max_user_namespaces"))
        return err_set(err, ERR_USERNS_DISABLED,
                       "user namespaces are switched off on this node: user.max_user_namespaces is 0; the "
                       "site can allow them with: sysctl user.max_user_namespaces=65536");
    if (is_switched_off("/proc/sys/user/max_mnt_namespaces"))
        return err_set(
            err, ERR_USERNS_DISABLED,
            "mount namespaces are switched off on this node: user.max_mnt_namespaces is 0; the site "
            "can allow them with: sysctl user.max_mnt_namespaces=65536");
    if (is_switched_off("/proc/sys/kernel/unprivileged_userns_clone"))
        return err_set(err, ERR_USERNS_DISABLED,
                       "user namespaces are for root only on this node; the site can allow them with: sysctl "
                       "kernel.unprivileged_userns_clone=1");
    if (is_restricted_by_apparmor())
        return err_set(
            err, ERR_USERNS_DISABLED,
            "AppArmor restricts user namespaces on this node; the site can load a profile for "
            "coracle with the rule `userns,` or set kernel.apparmor_restrict_unprivileged_userns=0");
    if (errnum == ENOSPC || errnum == EUSERS)
        return err_set(err, ERR_USERNS_DISABLED,
                       "no further user or mount namespace for you on this node: the limit "
                       "user.max_user_namespaces or user.max_mnt_namespaces is reached, or 32 are nested");
    if (errnum == EPERM || errnum == EACCES || errnum == ENOSYS || errnum == EINVAL)
        return err_set(
            err, ERR_USERNS_DISABLED,
            "this node gives you no user namespace (%s): a security module, a container around us or "
            "a chroot forbids it",
            err_reason(errnum));
    return 0;
}
