#include "host/refusal.h"

#include <errno.h>
#include <stddef.h>

static int refuse(struct refusal *refusal, enum err_id id, const char *what, const char *reason,
                  const char *remedy)
{
    *refusal = (struct refusal){id, what, reason, remedy, "site"};
    return 1;
}

static int refuse_userns(struct refusal *refusal, const char *what, const char *remedy)
{
    return refuse(refusal, ERR_USERNS_DISABLED, what, NULL, remedy);
}

static int refused_by_apparmor(struct refusal *refusal)
{
    return refuse_userns(
        refusal, "AppArmor restricts user namespaces on this node",
        "the site can load a profile for coracle with the rule `userns,` (examples/apparmor/coracle) or set "
        "kernel.apparmor_restrict_unprivileged_userns=0");
}

/* 0: none of these switches is set. */
static int refused_by_switch(const struct userns_switches *switches, struct refusal *refusal)
{
    if (switches->no_user)
        return refuse_userns(refusal,
                             "user namespaces are switched off on this node: user.max_user_namespaces is 0",
                             "the site can allow them with: sysctl user.max_user_namespaces=65536");
    if (switches->no_mount)
        return refuse_userns(refusal,
                             "mount namespaces are switched off on this node: user.max_mnt_namespaces is 0",
                             "the site can allow them with: sysctl user.max_mnt_namespaces=65536");
    if (switches->root_only)
        return refuse_userns(refusal, "user namespaces are for root only on this node",
                             "the site can allow them with: sysctl kernel.unprivileged_userns_clone=1");
    return 0;
}

/* A capability in the namespace, which is all there is before Linux 6.1, is refused with EPERM. */
static int is_selinux(const struct userns_switches *switches, int errnum)
{
    return switches->selinux && (errnum == EACCES || errnum == EPERM);
}

/* The kernel says no, and no switch tells why. */
static int refused_by_something(const struct userns_switches *switches, int errnum, struct refusal *refusal)
{
    static const char what[] = "this node gives you no user namespace";
    const char *remedy = "a security module, a container around us or a chroot forbids it";

    if (switches->is_chroot && errnum == EPERM)
        remedy = "it is forbidden in a chroot, and this is one; who made it can use pivot_root instead";
    else if (switches->seccomp)
        remedy =
            "a seccomp filter is around us, as of a container; who started that can allow unshare, mount "
            "and setns: --security-opt seccomp=unconfined, seccompProfile: Unconfined";
    else if (errnum == ENOSYS || errnum == EINVAL)
        remedy = "the kernel was built without them; the site needs one with CONFIG_USER_NS";
    else if (is_selinux(switches, errnum))
        remedy =
            "SELinux enforces a policy that may forbid it to you; the site sees with: ausearch -m avc -c "
            "coracle, and can load a module: examples/selinux/coracle.cil";
    return refuse(refusal, ERR_USERNS_DISABLED, what, err_reason(errnum), remedy);
}

int refusal_of_namespaces(const struct userns_switches *switches, int errnum, struct refusal *refusal)
{
    if (refused_by_switch(switches, refusal))
        return 1;
    if (errnum == ENOSPC || errnum == EUSERS)
        return refuse_userns(
            refusal, "no further user or mount namespace for you on this node",
            "the limit user.max_user_namespaces or user.max_mnt_namespaces is reached, or 32 are nested");
    if (switches->apparmor)
        return refused_by_apparmor(refusal);
    if (errnum == EPERM || errnum == EACCES || errnum == ENOSYS || errnum == EINVAL)
        return refused_by_something(switches, errnum, refusal);
    return 0;
}

int refusal_of_id_map(const struct userns_switches *switches, int errnum, struct refusal *refusal)
{
    if ((errnum == EPERM || errnum == EACCES) && switches->apparmor)
        return refused_by_apparmor(refusal);
    return 0;
}

int refusal_of_fuse_device(const struct userns_switches *switches, int errnum, struct refusal *refusal)
{
    if (errnum == ENOENT || errnum == ENXIO || errnum == ENODEV)
        return refuse(refusal, ERR_FUSE,
                      "this node has no /dev/fuse, through which a SquashFS image is mounted", NULL,
                      "the site can load the kernel's module fuse; a container around us has to show the "
                      "device (podman run --device /dev/fuse)");
    if (errnum == EACCES || errnum == EPERM)
        return refuse(refusal, ERR_FUSE, "/dev/fuse is closed to you, so a SquashFS image cannot be mounted",
                      NULL,
                      is_selinux(switches, errnum)
                          ? "the site can open it: mode 0666 is usual, and SELinux, which enforces a policy "
                            "here, must let you too: examples/selinux/coracle.cil"
                          : "the site can open it: mode 0666 is usual");
    return 0;
}

int refusal_of_fuse_mount(const struct userns_switches *switches, int errnum, struct refusal *refusal)
{
    if (errnum != EPERM && errnum != EACCES && errnum != ENODEV)
        return 0;
    return refuse(refusal, ERR_FUSE, "this node lets nobody mount through FUSE in a user namespace",
                  err_reason(errnum),
                  is_selinux(switches, errnum)
                      ? "SELinux enforces a policy that may forbid it; a module that allows it is "
                        "examples/selinux/coracle.cil"
                      : "that needs Linux 4.18, and nothing around us, as a container, that forbids it");
}

int refusal_set(const struct refusal *refusal, struct err *err)
{
    return err_set(err, refusal->id, "%s%s%s%s; %s", refusal->what, refusal->reason ? " (" : "",
                   refusal->reason ? refusal->reason : "", refusal->reason ? ")" : "", refusal->remedy);
}
