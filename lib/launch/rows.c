/* One handler per kind of row: each makes one mount, which launch_attach() puts in its place. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "base/sys.h"
#include "launch/state.h"

static unsigned attributes_of(unsigned flags)
{
    return (flags & MOUNT_READ_ONLY ? SYS_ATTR_RDONLY : 0) | (flags & MOUNT_NOSUID ? SYS_ATTR_NOSUID : 0) |
           (flags & MOUNT_NODEV ? SYS_ATTR_NODEV : 0) | (flags & MOUNT_NOEXEC ? SYS_ATTR_NOEXEC : 0);
}

/* Attributes are only ever added: those that the source has are locked and stay. */
static int add_attributes(int mount, unsigned flags)
{
    struct sys_mount_attr attr = {.set = attributes_of(flags)};

    return attr.set ? sys_mount_setattr(mount, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr) : 0;
}

static int is_absent(int errnum)
{
    return errnum == ENOENT || errnum == ENOTDIR || errnum == EACCES || errnum == EPERM || errnum == ELOOP ||
           errnum == ESTALE || errnum == ENXIO;
}

static int missing_source(struct launch *launch, const struct plan_row *row, struct err *err)
{
    const char *source = str_quote(launch->arena, row->source);

    if ((row->flags & MOUNT_OPTIONAL) && is_absent(errno)) {
        log_message(LOG_WAYS, "way: %s is left out: %s", source, err_reason(errno));
        return 1;
    }
    if (errno == ENOENT)
        return err_set(err, ERR_BIND_SOURCE,
                       "%s: %s does not exist on the host; the option \"optional\" would leave it out",
                       row->origin, source);
    return launch_error(err, ERR_BIND_SOURCE, "%s: cannot use %s of the host", row->origin, source);
}

/* 0 and *MOUNT; 1 where an optional source is not there. */
static int open_bind(struct launch *launch, const struct plan_row *row, int *mount, struct err *err)
{
    /* Recursive: the kernel refuses to show what a mount of the host hides. */
    *mount = sys_open_tree(AT_FDCWD, row->source, SYS_OPEN_TREE_CLONE | AT_RECURSIVE | O_CLOEXEC);
    if (*mount < 0)
        return missing_source(launch, row, err);
    if (add_attributes(*mount, row->flags) < 0)
        return launch_error(err, ERR_MOUNT, "%s: cannot set mount options of %s", row->origin,
                            str_quote(launch->arena, row->source));
    return 0;
}

static int open_tmpfs(struct launch *launch, const struct plan_row *row, int *mount, struct err *err)
{
    *mount = launch_new_tmpfs(row->size, 01777, attributes_of(row->flags));
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
    *mount = sys_open_tree(launch->files, name, SYS_OPEN_TREE_CLONE | O_CLOEXEC);
    if (*mount < 0 || add_attributes(*mount, MOUNT_READ_ONLY) < 0)
        return launch_error(err, ERR_MOUNT, "cannot mount %s", row->target);
    return 0;
}

int launch_row(struct launch *launch, size_t index, struct err *err)
{
    static int (*const open_kind[])(struct launch *, const struct plan_row *, int *, struct err *) = {
        [ROW_BIND] = open_bind, [ROW_TMPFS] = open_tmpfs, [ROW_FILE] = open_file};
    const struct plan_row *row = &launch->plan->rows[index];
    int mount = -1;
    int result = open_kind[row->kind](launch, row, &mount, err);

    if (result != 0) {
        fd_close(&mount);
        return result < 0 ? -1 : 0;
    }
    return launch_attach(launch, index, mount, err);
}
