/* One handler per kind of row: each makes one mount, which launch_attach() puts in its place. Descriptors of
 * mounts stay open: the exec closes all at once. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "base/sys.h"
#include "launch/state.h"

enum { MANY_ROWS = 256 };

static unsigned attributes_of(unsigned flags)
{
    return (flags & MOUNT_READ_ONLY ? SYS_ATTR_RDONLY : 0) | (flags & MOUNT_NOSUID ? SYS_ATTR_NOSUID : 0) |
           (flags & MOUNT_NODEV ? SYS_ATTR_NODEV : 0) | (flags & MOUNT_NOEXEC ? SYS_ATTR_NOEXEC : 0);
}

/* Attributes are only ever added: those that the source has are locked and stay. */
static int add_attributes(struct launch *launch, int mount, unsigned flags)
{
    return launch_set_attributes(launch, mount, attributes_of(flags), AT_RECURSIVE);
}

static int is_absent(int errnum)
{
    return errnum == ENOENT || errnum == ENOTDIR || errnum == EACCES || errnum == EPERM || errnum == ELOOP ||
           errnum == ESTALE || errnum == ENXIO;
}

/* A source cannot be cloned. An optional one is left out. */
static int missing_source(struct launch *launch, const struct plan_row *row, struct err *err)
{
    const char *source = str_quote(launch->arena, row->source);

    if (launch->stage == NO_STAGE)
        return err_set(err, ERR_BIND_SOURCE,
                       "%s: cannot bind %s of the host: before Linux 5.2 mounts are made on /proc/tty or "
                       "/proc/self/net, and both are missing, closed or bound themselves; leave out one of "
                       "these binds",
                       row->origin, source);
    if ((row->flags & MOUNT_OPTIONAL) && is_absent(errno)) {
        log_message(LOG_WAYS, "way: %s is left out: %s", source, err_reason(errno));
        return 0;
    }
    if (errno == ENOENT)
        return err_set(err, ERR_BIND_SOURCE,
                       "%s: %s does not exist on the host; the option \"optional\" would leave it out",
                       row->origin, source);
    if (errno == EBUSY && launch->is_older)
        return err_set(err, ERR_BIND_SOURCE,
                       "%s: another mount covers %s of the host, and Linux before 5.2 clones nothing that is "
                       "covered; name what should be bound by its path",
                       row->origin, source);
    if (errno == EINVAL)
        return err_set(
            err, ERR_BIND_SOURCE,
            "%s: cannot bind %s of the host: what it leads to has no path here, as a pipe or a file "
            "of another mount namespace, or its mount is unbindable; name a path that is none of these",
            row->origin, source);
    return launch_error(err, ERR_BIND_SOURCE, "%s: cannot use %s of the host", row->origin, source);
}

static int is_own_file(const struct launch *launch, int mount)
{
    struct stat st;

    return fstat(mount, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == launch->plan->uid;
}

static int open_bind(struct launch *launch, const struct plan_row *row, int *mount, struct err *err)
{
    const unsigned own_file = row->flags & MOUNT_OWN_FILE;

    /* Recursive: the kernel refuses to show what a mount of the host hides. */
    *mount = launch_clone_source(launch, row, AT_RECURSIVE | (own_file ? AT_SYMLINK_NOFOLLOW : 0));
    if (*mount < 0)
        return missing_source(launch, row, err);
    if (own_file && !is_own_file(launch, *mount)) {
        fd_close(mount);
        log_warning("%s is left out: it is not a regular file of yours; remove it",
                    str_quote(launch->arena, row->source));
        return 0;
    }
    if (add_attributes(launch, *mount, row->flags) < 0)
        return launch_error(err, ERR_MOUNT, "%s: cannot set mount options of %s", row->origin,
                            str_quote(launch->arena, row->source));
    return 0;
}

/* The limit of open files is raised for the set-up where there are very many binds. */
static void raise_open_files(struct launch *launch)
{
    const rlim_t needed = launch->plan->row_count + MANY_ROWS;
    struct rlimit raised;

    if (launch->plan->row_count <= MANY_ROWS || getrlimit(RLIMIT_NOFILE, &launch->open_files) < 0 ||
        launch->open_files.rlim_cur >= needed)
        return;
    raised = launch->open_files;
    raised.rlim_cur = needed < raised.rlim_max ? needed : raised.rlim_max;
    launch->open_files_raised = setrlimit(RLIMIT_NOFILE, &raised) == 0;
}

int launch_sources(struct launch *launch, struct err *err)
{
    const struct plan *plan = launch->plan;

    raise_open_files(launch);
    launch->sources = arena_alloc(launch->arena, plan->row_count * sizeof(*launch->sources));
    for (size_t i = 0; i < plan->row_count; i++) {
        launch->sources[i] = -1;
        if (plan->rows[i].kind == ROW_BIND && open_bind(launch, &plan->rows[i], &launch->sources[i], err) < 0)
            return -1;
    }
    return 0;
}

static int open_tmpfs(struct launch *launch, const struct plan_row *row, int *mount, struct err *err)
{
    *mount = launch_new_tmpfs(launch, row->size, 01777, attributes_of(row->flags));
    if (*mount < 0)
        return launch_error(err, ERR_MOUNT, "%s: cannot make a tmpfs for %s", row->origin,
                            str_quote(launch->arena, row->target));
    return 0;
}

static int open_file(struct launch *launch, const struct plan_row *row, int *mount, struct err *err)
{
    char name[24];
    FD_CLEANUP int fd = -1;

    num_format(name, (uint64_t)(row - launch->plan->rows));
    fd = openat(launch->files, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0 || fchmod(fd, 0644) < 0 || fd_write_all(fd, row->content, strlen(row->content)) < 0)
        return launch_error(err, ERR_MOUNT, "cannot write %s", row->target);
    *mount = launch_clone(launch, launch->files, name, 0);
    if (*mount < 0 || add_attributes(launch, *mount, MOUNT_READ_ONLY) < 0)
        return launch_error(err, ERR_MOUNT, "cannot mount %s", row->target);
    return 0;
}

int launch_row(struct launch *launch, size_t index, struct err *err)
{
    const struct plan_row *row = &launch->plan->rows[index];
    int mount = launch->sources[index];

    if (row->kind == ROW_BIND && mount < 0)
        return 0;
    if (row->kind == ROW_TMPFS && open_tmpfs(launch, row, &mount, err) < 0)
        return -1;
    if (row->kind == ROW_FILE && open_file(launch, row, &mount, err) < 0)
        return -1;
    launch->sources[index] = mount;
    if (launch_attach(launch, index, mount, err) < 0)
        return -1;
    return row->kind == ROW_TMPFS ? launch_own(launch, mount, NULL, err) : 0;
}
