/* The calls by which a launch mounts, and what it mounts. fsopen(2), open_tree(2), mount_setattr(2) */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "doctor/probe.h"

static int outcome(int result)
{
    return result < 0 ? errno : 0;
}

/* A mount of a new file system of TYPE with COUNT options, "key", "value" ...; NULL: a flag. */
static int mount_new(const char *type, const char *const options[][2], size_t count)
{
    FD_CLEANUP int context = sys_fsopen(type, SYS_CLOEXEC);

    if (context < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (sys_fsconfig(context, options[i][1] ? SYS_FSCONFIG_SET_STRING : SYS_FSCONFIG_SET_FLAG,
                         options[i][0], options[i][1], 0) < 0)
            return -1;
    if (sys_fsconfig(context, SYS_FSCONFIG_CREATE, NULL, NULL, 0) < 0)
        return -1;
    return sys_fsmount(context, SYS_CLOEXEC, 0);
}

/*
 * The same before Linux 5.2: on a directory that is everywhere, in a mount namespace that nobody
 * else sees. mount(2)
 */
static int mount_old(const char *type, const char *options)
{
    if (mount("none", DOCTOR_MOUNT_POINT, type, 0, options) < 0)
        return -1;
    return open(DOCTOR_MOUNT_POINT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* With an upper directory in SCRATCH, a tmpfs that is mounted. */
static void try_overlay(struct doctor_facts *facts, int scratch)
{
    char lower[64], upper[64], work[64];
    const char *const options[][2] = {
        {"lowerdir", lower}, {"upperdir", upper}, {"workdir", work}, {"userxattr", NULL}};
    FD_CLEANUP int overlay = -1;
    char text[256];

    snprintf(lower, sizeof(lower), "/proc/self/fd/%d/lower", scratch);
    snprintf(upper, sizeof(upper), "/proc/self/fd/%d/upper", scratch);
    snprintf(work, sizeof(work), "/proc/self/fd/%d/work", scratch);
    snprintf(text, sizeof(text), "lowerdir=%s,upperdir=%s,workdir=%s,userxattr", lower, upper, work);
    if (mkdirat(scratch, "lower", 0755) < 0 || mkdirat(scratch, "upper", 0755) < 0 ||
        mkdirat(scratch, "work", 0755) < 0)
        return;
    overlay = facts->mounts.fsopen ? mount_old("overlay", text)
                                   : mount_new("overlay", options, sizeof(options) / sizeof(options[0]));
    facts->mounts.overlay = outcome(overlay);
}

static void try_mounts(struct doctor_facts *facts)
{
    const struct sys_mount_attr attr = {.set = SYS_ATTR_RDONLY | SYS_ATTR_NOSUID};
    struct doctor_mounts *found = &facts->mounts;
    FD_CLEANUP int tree = -1, scratch = -1, named = -1;

    if (!doctor_enter(facts))
        return;
    named = sys_openat2(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC, SYS_RESOLVE_NO_SYMLINKS);
    found->openat2 = outcome(named);
    tree = sys_open_tree(AT_FDCWD, "/", SYS_OPEN_TREE_CLONE | AT_RECURSIVE | O_CLOEXEC);
    found->open_tree = outcome(tree);
    if (tree >= 0)
        found->mount_setattr = outcome(sys_mount_setattr(tree, "", AT_EMPTY_PATH, &attr));
    scratch = mount_new("tmpfs", NULL, 0);
    found->fsopen = outcome(scratch);
    if (scratch >= 0)
        found->move_mount = outcome(sys_move_mount(scratch, "", AT_FDCWD, "/", SYS_MOVE_FROM_EMPTY));
    else
        scratch = mount_old("tmpfs", NULL);
    found->tmpfs = outcome(scratch);
    if (scratch >= 0)
        try_overlay(facts, scratch);
}

void probe_mounts(struct doctor_facts *facts)
{
    doctor_child(try_mounts, facts);
}
