/* FUSE as a launch and its ranks mount it. Nobody answers the kernel: it asks when somebody looks. fuse(4) */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "doctor/probe.h"

static int set_number(int context, const char *key, unsigned value)
{
    char text[16];

    snprintf(text, sizeof(text), "%u", value);
    return sys_fsconfig(context, SYS_FSCONFIG_SET_STRING, key, text, 0);
}

static int create(int context)
{
    FD_CLEANUP int mount = -1;

    if (sys_fsconfig(context, SYS_FSCONFIG_CREATE, NULL, NULL, 0) < 0)
        return errno;
    mount = sys_fsmount(context, SYS_CLOEXEC, SYS_ATTR_NOSUID | SYS_ATTR_NODEV);
    return mount < 0 ? errno : 0;
}

/* CONTEXT stays open, and with it what is mounted. */
static int mount_first(const struct doctor_facts *facts, int context, int device)
{
    if (context < 0 || set_number(context, "fd", (unsigned)device) < 0 ||
        sys_fsconfig(context, SYS_FSCONFIG_SET_STRING, "rootmode", "40000", 0) < 0 ||
        set_number(context, "user_id", facts->uid) < 0 || set_number(context, "group_id", facts->gid) < 0)
        return errno;
    return create(context);
}

/* Before Linux 5.2. mount(2) */
static int mount_old(const struct doctor_facts *facts, int device)
{
    char text[128];

    snprintf(text, sizeof(text), "fd=%d,rootmode=40000,user_id=%u,group_id=%u", device, facts->uid,
             facts->gid);
    return mount("coracle", DOCTOR_MOUNT_POINT, "fuse", MS_NOSUID | MS_NODEV, text) < 0 ? errno : 0;
}

/* Linux 5.15: the descriptor of a connection is enough. */
static int mount_again(int device)
{
    FD_CLEANUP int context = sys_fsopen("fuse", SYS_CLOEXEC);

    if (context < 0 || set_number(context, "fd", (unsigned)device) < 0)
        return errno;
    return create(context);
}

/* The device must be opened in the user namespace that mounts it. */
static void try_fuse(struct doctor_facts *facts)
{
    FD_CLEANUP int device = -1, context = -1;

    if (!doctor_enter(facts))
        return;
    device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    if (device < 0)
        return;
    context = sys_fsopen("fuse", SYS_CLOEXEC);
    if (context < 0 && errno == ENOSYS) {
        facts->fuse.mount = mount_old(facts, device);
        facts->fuse.second = facts->fuse.mount ? DOCTOR_UNTRIED : ENOSYS;
        return;
    }
    facts->fuse.mount = mount_first(facts, context, device);
    if (facts->fuse.mount == 0)
        facts->fuse.second = mount_again(device);
}

void probe_fuse(struct doctor_facts *facts)
{
    struct stat st;
    FD_CLEANUP int device = -1;

    facts->fuse.node = stat("/dev/fuse", &st) < 0 ? errno : 0;
    if (facts->fuse.node)
        return;
    device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    facts->fuse.open = device < 0 ? errno : 0;
    if (device >= 0)
        doctor_child(try_fuse, facts);
}
