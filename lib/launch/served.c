/* The mount of an image that coracle-fuse serves. fuse(4), fsopen(2) */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "base/str.h"
#include "base/sys.h"
#include "host/userns.h"
#include "image/server-message.h"
#include "launch/state.h"

static int no_device(struct err *err)
{
    if (userns_fuse_device_refused(errno, err) < 0)
        return -1;
    return launch_error(err, ERR_FUSE, "cannot open /dev/fuse");
}

static int no_mount(const struct launch *launch, struct err *err)
{
    if (userns_fuse_mount_refused(errno, err) < 0)
        return -1;
    return launch_error(err, ERR_FUSE, "cannot mount the image %s through FUSE",
                        str_quote(launch->arena, launch->plan->image));
}

/* In this user namespace: the kernel wants the device opened where it is mounted. */
static int new_mount(struct launch *launch, int device)
{
    const struct plan *plan = launch->plan;
    char device_text[24], uid[24], gid[24];
    const size_t length = strlen(plan->image);
    /* The kernel takes 255 bytes; the end of a path tells more than its beginning. */
    const char *source = length > 255 ? plan->image + length - 255 : plan->image;
    const struct mount_option options[] = {{"source", source},     {"default_permissions", NULL},
                                           {"subtype", "coracle"}, {"fd", device_text},
                                           {"rootmode", "40000"},  {"user_id", uid},
                                           {"group_id", gid},      {NULL, NULL}};

    num_format(device_text, (uint64_t)device);
    num_format(uid, plan->uid);
    num_format(gid, plan->gid);
    return launch_create(launch, "fuse", options, SYS_ATTR_NOSUID | SYS_ATTR_NODEV | SYS_ATTR_RDONLY);
}

/* What the server must make for row INDEX where it is missing: a letter and the target. */
static void add_point(const struct launch *launch, size_t index, struct str *points)
{
    const struct plan_row *row = &launch->plan->rows[index];
    int is_directory = row->kind == ROW_TMPFS || (row->flags & MOUNT_DIRECTORY);
    struct stat st;

    if (row->kind == ROW_BIND && !is_directory)
        is_directory = fstat(launch->sources[index], &st) == 0 && S_ISDIR(st.st_mode);
    if (row->flags & MOUNT_REPLACE)
        str_add_char(points, is_directory ? SERVER_MAKE_DIRECTORY_ON_NAME : SERVER_MAKE_FILE_ON_NAME);
    else
        str_add_char(points, is_directory ? SERVER_MAKE_DIRECTORY : SERVER_MAKE_FILE);
    str_add_bytes(points, row->target, strlen(row->target) + 1);
}

static int order(const struct launch *launch, int device, struct err *err)
{
    const struct plan *plan = launch->plan;
    struct str points = {.arena = launch->arena};
    size_t count = 0;

    for (size_t i = 0; i < plan->row_count; i++) {
        if (plan->rows[i].kind == ROW_BIND && launch->sources[i] < 0)
            continue;
        add_point(launch, i, &points);
        count++;
    }
    if (image_server_order(launch->server, device, plan->uid, plan->gid, str_text(&points), count,
                           points.length) < 0)
        return err_set(err, ERR_SERVER, "coracle-fuse, which serves the image, has ended: %s",
                       err_reason(errno));
    return 0;
}

/* One more mount of what another rank has mounted: the same superblock, the same page cache. Linux 5.15 */
static int again(struct launch *launch, struct err *err)
{
    char device[24];
    const struct mount_option options[] = {{"fd", device}, {NULL, NULL}};
    int mount;

    num_format(device, (uint64_t)launch->meeting->fuse);
    mount = launch_create(launch, "fuse", options, SYS_ATTR_NOSUID | SYS_ATTR_NODEV | SYS_ATTR_RDONLY);
    if (mount < 0)
        return launch_error(err, ERR_SERVER, "cannot mount the image %s, which another rank has mounted",
                            str_quote(launch->arena, launch->plan->image));
    close(launch->meeting->fuse); /* a copy would keep a dead server's mount alive */
    return mount;
}

/* Instead of the mount, where there is somebody who will take away what is unpacked. ERR has why. */
static int unpack_instead(struct launch *launch, struct err *err)
{
    struct err why = *err;

    if (err->id != ERR_FUSE || launch->meeting->broker < 0)
        return -1;
    launch->is_unpacked = 1;
    return launch_new_unpacked(launch, why.text, err);
}

static int mount_new(struct launch *launch, struct err *err)
{
    FD_CLEANUP int device = openat(AT_FDCWD, "/dev/fuse", O_RDWR | O_CLOEXEC);
    FD_CLEANUP int mount = -1;

    if (device < 0)
        return no_device(err);
    mount = new_mount(launch, device);
    if (mount < 0)
        return no_mount(launch, err);
    if (order(launch, device, err) < 0 || launch_tell_mounted(launch, device, err) < 0)
        return -1;
    return fd_steal(&mount);
}

int launch_new_served(struct launch *launch, struct err *err)
{
    const struct share_meeting *meeting = launch->meeting;
    int mount;

    launch->is_unpacked = meeting->directory >= 0 || launch->plan->unpack_wanted;
    if (meeting->directory >= 0)
        return launch_again_unpacked(launch, err);
    if (meeting->way == SHARE_SERVED)
        return again(launch, err);
    if (launch->plan->unpack_wanted)
        return launch_new_unpacked(launch, launch->plan->unpack_origin, err);
    mount = mount_new(launch, err);
    return mount < 0 ? unpack_instead(launch, err) : mount;
}

int launch_prime(struct launch *launch, struct err *err)
{
    int fd;

    if (launch->meeting->way == SHARE_SERVED || launch->is_unpacked)
        return 0; /* whoever mounted it has done so, or nobody serves it */
    fd = openat(launch->root, SERVER_PRIME_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return launch_error(err, ERR_SERVER, "the image %s is not served",
                            str_quote(launch->arena, launch->plan->image));
    close(fd);
    return 0;
}
