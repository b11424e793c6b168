/* User and mount namespace, in one call where that is possible, and the id maps. user_namespaces(7) */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "base/sys.h"
#include "host/userns.h"
#include "launch/state.h"

/* Descriptors of this file are left for the exec to close: four calls less in each launch. */
static int write_file(int dir, const char *name, const char *text)
{
    int fd = openat(dir, name, O_WRONLY | O_CLOEXEC);

    return fd < 0 ? -1 : fd_write_all(fd, text, strlen(text));
}

static int write_map(int dir, const char *name, uint32_t inside, uint32_t outside)
{
    char text[USERNS_MAP];

    return write_file(dir, name, userns_format_map(text, inside, outside));
}

/* The map of the id ID, "uid" or "gid", is refused: a switch of the node is told by its name. */
static int no_map(const char *id, uint32_t outside, uint32_t inside, struct err *err)
{
    const int saved = errno;

    if (userns_map_refused(saved, err) < 0)
        return -1;
    errno = saved;
    return launch_error(err, ERR_ID_MAP, "cannot map %s %u to %u", id, outside, inside);
}

/* DIR is /proc/self. The ids OUTSIDE are those of the caller in the namespace around. */
static int write_id_maps(int dir, const struct plan *plan, uint32_t outside_uid, uint32_t outside_gid,
                         struct err *err)
{
    /* Without it a group map would let a group be dropped that denies access: CVE-2014-8989. */
    if (write_file(dir, "setgroups", "deny") < 0)
        return launch_error(err, ERR_ID_MAP, "cannot write /proc/self/setgroups");
    if (write_map(dir, "uid_map", plan->uid, outside_uid) < 0)
        return no_map("uid", outside_uid, plan->uid, err);
    if (write_map(dir, "gid_map", plan->gid, outside_gid) < 0)
        return no_map("gid", outside_gid, plan->gid, err);
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

/* What a switch of the node forbids is told by its name. */
static int no_namespace(struct err *err)
{
    const int saved = errno;

    if (userns_refused(saved, err) < 0)
        return -1;
    errno = saved;
    return launch_error(err, ERR_NAMESPACE, "cannot make a user and a mount namespace");
}

/* In one call: shared mounts of the host become slaves by it, so later host mounts are seen. */
static int make_namespaces(const struct launch *launch, struct err *err)
{
    const struct plan *plan = launch->plan;
    const uint64_t later = launch_wants_pieces(launch) ? CLONE_NEWNS : 0;

    if (unshare((int)(plan->namespaces & ~later)) < 0)
        return no_namespace(err);
    return write_id_maps(launch->process, plan, plan->host_uid, plan->host_gid, err);
}

/* In the user namespace: with a copy of all mounts of the host, unless pieces of it are enough. */
static int make_mount_namespace(struct launch *launch, struct err *err)
{
    if (launch_wants_pieces(launch) && launch_take_pieces(launch) == 0)
        return 0;
    return unshare(CLONE_NEWNS) < 0 ? no_namespace(err) : 0;
}

/*
 * Others of this user may be in it, with the same capabilities that we give up in
 * the end: to them our memory and our program, a file of the host, stay closed.
 * The exec ends that. prctl(2)
 */
static int enter_user_namespace(int userns, struct err *err)
{
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || setns(userns, CLONE_NEWUSER) < 0)
        return launch_error(err, ERR_NAMESPACE, "cannot enter the user namespace of this step's other ranks");
    return 0;
}

int launch_namespaces(struct launch *launch, struct err *err)
{
    const int joins = launch->meeting->userns >= 0;

    launch->process = openat(AT_FDCWD, "/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (launch->process < 0)
        return launch_error(err, ERR_ID_MAP, "cannot open /proc/self; is /proc mounted?");
    if (joins ? enter_user_namespace(launch->meeting->userns, err) < 0 : make_namespaces(launch, err) < 0)
        return -1;
    if ((joins || launch_wants_pieces(launch)) && make_mount_namespace(launch, err) < 0)
        return -1;
    return give_up_capabilities(launch->plan, err);
}

int launch_join_namespaces(const struct share_meeting *meeting, struct err *err)
{
    if (enter_user_namespace(meeting->userns, err) < 0)
        return -1;
    if (setns(meeting->mountns, CLONE_NEWNS) < 0)
        return launch_error(err, ERR_NAMESPACE, "cannot enter the view that another rank has built");
    return 0;
}

int launch_lock_mounts(struct launch *launch, struct err *err)
{
    const struct plan *plan = launch->plan;

    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
        return no_namespace(err);
    return write_id_maps(launch->process, plan, plan->uid, plan->gid, err);
}
