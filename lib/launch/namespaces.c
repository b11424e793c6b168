/* User and mount namespace in one call, and the id maps. user_namespaces(7) */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "base/sys.h"
#include "launch/state.h"

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

/* Each switch that can forbid it, tried in turn: the message names the one that did. */
static int refused(struct err *err)
{
    const int saved = errno;

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
    if (saved == ENOSPC || saved == EUSERS)
        return err_set(err, ERR_USERNS_DISABLED,
                       "no further user or mount namespace for you on this node: the limit "
                       "user.max_user_namespaces or user.max_mnt_namespaces is reached, or 32 are nested");
    if (saved == EPERM || saved == EACCES || saved == ENOSYS || saved == EINVAL)
        return err_set(
            err, ERR_USERNS_DISABLED,
            "this node gives you no user namespace (%s): a security module, a container around us or "
            "a chroot forbids it",
            err_reason(saved));
    errno = saved;
    return launch_error(err, ERR_NAMESPACE, "cannot make a user and a mount namespace");
}

/* Descriptors of this file are left for the exec to close: four calls less in each launch. */
static int write_file(int dir, const char *name, const char *text)
{
    int fd = openat(dir, name, O_WRONLY | O_CLOEXEC);

    return fd < 0 ? -1 : fd_write_all(fd, text, strlen(text));
}

/* "INSIDE OUTSIDE 1": one id. */
static int write_map(int dir, const char *name, uint32_t inside, uint32_t outside)
{
    char text[48];
    int n = num_format(text, inside);

    text[n++] = ' ';
    n += num_format(text + n, outside);
    memcpy(text + n, " 1", 3);
    return write_file(dir, name, text);
}
static int write_id_maps(const struct plan *plan, struct err *err)
{
    int dir = openat(AT_FDCWD, "/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (dir < 0)
        return launch_error(err, ERR_ID_MAP, "cannot open /proc/self; is /proc mounted?");
    /* Without it a group map would let a group be dropped that denies access: CVE-2014-8989. */
    if (write_file(dir, "setgroups", "deny") < 0)
        return launch_error(err, ERR_ID_MAP, "cannot write /proc/self/setgroups");
    if (write_map(dir, "uid_map", plan->uid, plan->host_uid) < 0)
        return launch_error(err, ERR_ID_MAP, "cannot map uid %u to %u", plan->host_uid, plan->uid);
    if (write_map(dir, "gid_map", plan->gid, plan->host_gid) < 0)
        return launch_error(err, ERR_ID_MAP, "cannot map gid %u to %u", plan->host_gid, plan->gid);
    return 0;
}

/*
 * Mounting and chroot are all we need: files of ours that are closed to us stay
 * closed. An overlay with an upper directory works with the capabilities of the
 * one who mounted it, for as long as it is there.
 */
static int give_up_capabilities(const struct plan *plan, struct err *err)
{
    const uint64_t needed = 1ull << SYS_CAP_SYS_ADMIN | 1ull << SYS_CAP_SYS_CHROOT;

    if (plan->keep_capabilities || plan->root_mode == ROOT_WRITABLE_TMPFS)
        return 0;
    if (sys_capset(needed) < 0)
        return launch_error(err, ERR_NAMESPACE, "cannot give up capabilities");
    return 0;
}

int launch_namespaces(struct launch *launch, struct err *err)
{
    /* In one call: shared mounts of the host become slaves by it, so later host mounts are seen. */
    if (unshare((int)launch->plan->namespaces) < 0)
        return refused(err);
    if (write_id_maps(launch->plan, err) < 0)
        return -1;
    return give_up_capabilities(launch->plan, err);
}
