/* What the broker is told of the view that this launch builds for others. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/process.h"
#include "base/sys.h"
#include "launch/state.h"

/* Times of files are as fine as the kernel's tick: what has just changed can change again unseen. */
enum { TICK_NS = 100 * 1000 * 1000 };

static int has_just_changed(const struct sys_identity *dir)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (now.tv_sec - dir->mtime) * 1000000000ll + now.tv_nsec - (int64_t)dir->mtime_ns < TICK_NS;
}

/* A served image never changes. One that was unpacked is a directory as others are. */
static int is_of_served_image(const struct launch *launch, const struct sys_identity *dir)
{
    struct sys_identity image;

    return launch->plan->image_is_served && !launch->is_unpacked &&
           sys_identify(launch->image, "", AT_EMPTY_PATH, &image) == 0 && image.device == dir->device;
}

void launch_note_list(struct launch *launch, int dir)
{
    struct sys_identity identity;
    int fd = -1;

    if (launch->meeting->broker < 0 || launch->is_for_nobody_else)
        return;
    launch->is_for_nobody_else = 1; /* unless it can be seen when the list changes */
    if (sys_identify(dir, "", AT_EMPTY_PATH, &identity) < 0)
        return;
    if (is_of_served_image(launch, &identity)) {
        launch->is_for_nobody_else = 0;
        return;
    }
    if (launch->cover_count < SHARE_COVER_LIMIT && !has_just_changed(&identity))
        fd = fcntl(dir, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return;
    launch->is_for_nobody_else = 0;
    launch->cover_fds[launch->cover_count] = fd;
    launch->covers[launch->cover_count++] =
        (struct share_cover){identity.device, identity.inode, identity.mtime, identity.mtime_ns};
}

/* Adds FD as WHICH, if there is one. In the order of enum share_descriptor. */
static void add(struct share_message *message, int *fds, size_t *count, enum share_descriptor which, int fd)
{
    if (fd < 0)
        return;
    message->descriptors |= which;
    fds[(*count)++] = fd;
}

int launch_tell_mounted(const struct launch *launch, int device, struct err *err)
{
    const struct share_meeting *meeting = launch->meeting;
    struct share_ready mounted = {.message = {.magic = SHARE_MESSAGE_MAGIC, .kind = SHARE_MOUNTED},
                                  .server = (uint32_t)launch->server->process};
    PROCESS_CLEANUP struct process server = PROCESS_NONE;
    int fds[SHARE_DESCRIPTORS];
    size_t count = 0;

    if (meeting->broker < 0)
        return 0;
    if (process_open(&server, launch->server->process) < 0)
        return err_set(err, ERR_SERVER, "coracle-fuse, which serves the image, has ended");
    mounted.message.has_config = meeting->config >= 0;
    add(&mounted.message, fds, &count, SHARE_FUSE, device);
    add(&mounted.message, fds, &count, SHARE_CONFIG, meeting->config);
    add(&mounted.message, fds, &count, SHARE_SERVER, server.fd);
    if (share_send(meeting->broker, &mounted, sizeof(mounted), fds, count) < 0)
        log_warning("coracle-broker has ended: nobody else will share this launch's view");
    return 0;
}

/* Whether all that was mounted is what was looked at before, whatever was renamed meanwhile. */
static int is_as_it_was(const struct launch *launch)
{
    const struct share_view *view = launch->meeting->view;

    if (!launch->plan->image_is_served && !share_view_has_image(view, launch->image))
        return 0;
    for (size_t i = 0; i < launch->plan->row_count; i++)
        if (!share_view_has_source(view, launch->plan, i, launch->sources[i]))
            return 0;
    return 1;
}

/* Whether a FUSE connection can be mounted again: Linux 5.15. By its number: nobody may try in vain, see
 * meet.h. */
static int is_mounted_once(const struct launch *launch)
{
    struct utsname system;
    unsigned long major, minor;
    char *end;

    if (!launch->plan->image_is_served || launch->is_unpacked || launch->meeting->way != SHARE_LEAD)
        return 0;
    if (uname(&system) < 0)
        return 1;
    major = strtoul(system.release, &end, 10);
    minor = *end == '.' ? strtoul(end + 1, NULL, 10) : 0;
    return major < 5 || (major == 5 && minor < 15);
}

void launch_tell_ready(struct launch *launch)
{
    const struct share_meeting *meeting = launch->meeting;
    struct share_ready ready = {.message = {.magic = SHARE_MESSAGE_MAGIC, .kind = SHARE_READY}};
    FD_CLEANUP int userns = -1;
    FD_CLEANUP int mountns = -1;
    int fds[SHARE_DESCRIPTOR_LIMIT];
    size_t count = 0;

    if (meeting->broker < 0 || meeting->way == SHARE_ENTER)
        return;
    if (meeting->userns < 0)
        userns = openat(launch->process, "ns/user", O_RDONLY | O_CLOEXEC);
    mountns = openat(launch->process, "ns/mnt", O_RDONLY | O_CLOEXEC);
    if (launch->is_for_nobody_else || !is_as_it_was(launch))
        ready.flags |= SHARE_OWN_VIEW;
    if (is_mounted_once(launch))
        ready.flags |= SHARE_MOUNTED_ONCE;
    ready.message.has_config = (uint32_t)meeting->has_config;
    ready.cover_count = (uint32_t)launch->cover_count;
    add(&ready.message, fds, &count, SHARE_USERNS, userns);
    add(&ready.message, fds, &count, SHARE_MOUNTNS, mountns);
    add(&ready.message, fds, &count, SHARE_MOUNTINFO, meeting->mountinfo);
    for (size_t i = 0; i < launch->cover_count; i++) {
        ready.covers[i] = launch->covers[i];
        add(&ready.message, fds, &count, SHARE_COVERS, launch->cover_fds[i]);
    }
    if (share_send(meeting->broker, &ready, sizeof(ready), fds, count) < 0)
        log_warning("coracle-broker has ended: nobody else will share this launch's view");
}
