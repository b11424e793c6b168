/* Why namespaces, id maps and FUSE are refused: each switch is told by its name, and who can change it. */
#include <errno.h>

#include "../../tap.h"
#include "host/refusal.h"

static struct err said;

static const char *say(int is_refused, const struct refusal *refusal)
{
    if (!is_refused)
        return "";
    refusal_set(refusal, &said);
    return said.text;
}

static const char *namespaces(struct userns_switches switches, int errnum)
{
    struct refusal refusal;

    return say(refusal_of_namespaces(&switches, errnum, &refusal), &refusal);
}

static void has(const char *text, const char *part)
{
    if (!strstr(text, part))
        tap_print_string("got", text);
    TAP_TRUE(strstr(text, part) != NULL);
}

static void lacks(const char *text, const char *part)
{
    if (strstr(text, part))
        tap_print_string("got", text);
    TAP_TRUE(strstr(text, part) == NULL);
}

int main(void)
{
    const struct userns_switches none = {0}, selinux = {.selinux = 1};
    struct refusal refusal;

    /* The kernel says ENOSPC for a count of 0 and EPERM for Debian's switch. */
    has(namespaces((struct userns_switches){.no_user = 1}, ENOSPC), "user.max_user_namespaces is 0");
    TAP_INT(said.id, ERR_USERNS_DISABLED);
    has(namespaces((struct userns_switches){.no_mount = 1}, ENOSPC), "user.max_mnt_namespaces is 0");
    has(namespaces((struct userns_switches){.root_only = 1}, EPERM), "kernel.unprivileged_userns_clone=1");
    has(namespaces((struct userns_switches){0}, ENOSPC), "32 are nested");

    /* Ubuntu: EACCES without a profile, EPERM where the namespace has no capabilities. */
    has(namespaces((struct userns_switches){.apparmor = 1}, EACCES), "AppArmor restricts");
    has(namespaces((struct userns_switches){.apparmor = 1}, EPERM), "AppArmor restricts");
    /* A count that is used up is no matter of AppArmor's. */
    has(namespaces((struct userns_switches){.apparmor = 1}, ENOSPC), "no further user or mount namespace");

    has(namespaces((struct userns_switches){.seccomp = 1}, EPERM), "seccompProfile: Unconfined");
    has(namespaces((struct userns_switches){.is_chroot = 1}, EPERM), "in a chroot, and this is one");
    /* SELinux: the namespace since Linux 6.1, and before that what one may do in it. */
    has(namespaces(selinux, EACCES), "ausearch");
    has(namespaces(selinux, EPERM), "examples/selinux/coracle.cil");
    has(namespaces((struct userns_switches){.selinux = 1, .seccomp = 1}, EPERM),
        "seccompProfile: Unconfined");
    has(namespaces((struct userns_switches){0}, EINVAL), "CONFIG_USER_NS");
    TAP_STR(namespaces((struct userns_switches){0}, EPERM),
            "this node gives you no user namespace (operation not permitted); a security module, a container "
            "around us or a chroot forbids it");
    TAP_STR(namespaces((struct userns_switches){0}, ENOMEM), "");

    /* Half way: the namespace is made, and its id map refused. */
    has(say(refusal_of_id_map(&(struct userns_switches){.apparmor = 1}, EPERM, &refusal), &refusal),
        "AppArmor restricts");
    TAP_INT(refusal_of_id_map(&(struct userns_switches){0}, EPERM, &refusal), 0);
    TAP_INT(refusal_of_id_map(&(struct userns_switches){.apparmor = 1}, EINVAL, &refusal), 0);

    has(say(refusal_of_fuse_device(&none, ENOENT, &refusal), &refusal), "no /dev/fuse");
    TAP_INT(refusal.id, ERR_FUSE);
    has(say(refusal_of_fuse_device(&selinux, ENOENT, &refusal), &refusal), "module fuse");
    has(say(refusal_of_fuse_device(&none, EACCES, &refusal), &refusal), "mode 0666 is usual");
    lacks(say(refusal_of_fuse_device(&none, EACCES, &refusal), &refusal), "SELinux");
    has(say(refusal_of_fuse_device(&selinux, EACCES, &refusal), &refusal), "and SELinux, which enforces");
    TAP_INT(refusal_of_fuse_device(&none, EMFILE, &refusal), 0);
    has(say(refusal_of_fuse_mount(&none, EPERM, &refusal), &refusal), "(operation not permitted)");
    lacks(say(refusal_of_fuse_mount(&none, EPERM, &refusal), &refusal), "SELinux");
    has(say(refusal_of_fuse_mount(&selinux, EACCES, &refusal), &refusal), "SELinux enforces a policy");
    TAP_INT(refusal_of_fuse_mount(&none, EINVAL, &refusal), 0);
    return tap_done();
}
