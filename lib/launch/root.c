/*
 * The root: a clone of the image's mounts that covers the old root.
 *
 * Covering costs one grace period of the kernel less than pivot_root() and
 * detaching (a quarter of a launch). It is safe for a command without
 * capabilities: it cannot unmount, and in a user namespace that it makes itself
 * the cover is locked. With --root the command has them, so there the old root
 * is really detached.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "launch/state.h"

static int attach_over_root(struct launch *launch, int mount)
{
    return launch_move(launch, mount, AT_FDCWD, "/");
}

/* A tmpfs for the files of ROW_FILE, below the root that covers it. */
static int attach_files(struct launch *launch, struct err *err)
{
    for (size_t i = 0; i < launch->plan->row_count && launch->files < 0; i++) {
        if (launch->plan->rows[i].kind != ROW_FILE)
            continue;
        launch->files = launch_new_tmpfs(launch, 0, 0700, 0);
        if (launch->files < 0 || attach_over_root(launch, launch->files) < 0)
            return launch_error(err, ERR_MOUNT, "cannot mount a tmpfs for generated files");
    }
    return 0;
}

/* The image is opened before anything covers "/", as the sources are; see launch_sources(). */
static int clone_image(struct launch *launch, struct err *err)
{
    const struct plan *plan = launch->plan;
    const char *image = str_quote(launch->arena, plan->image);
    unsigned attributes = SYS_ATTR_NOSUID | SYS_ATTR_NODEV;

    if (plan->image_is_served) {
        launch->image = launch->root = launch_new_served(launch, err);
        return launch->root < 0 ? -1 : 0;
    }
    launch->root = launch_clone_image(launch);
    if (launch->root < 0 && errno == ENOENT)
        return err_set(err, ERR_IMAGE_MISSING, "image %s does not exist", image);
    if (launch->root < 0)
        return launch_error(err, ERR_IMAGE_UNREADABLE, "cannot open the image %s", image);
    launch->image = launch->root;
    if (plan->root_mode == ROOT_READ_ONLY)
        attributes |= SYS_ATTR_RDONLY;
    if (launch_set_attributes(launch, launch->root, attributes, AT_RECURSIVE) < 0)
        return launch_error(err, ERR_MOUNT, "cannot set the mount attributes of the image %s", image);
    return 0;
}

static int attach_image(struct launch *launch, struct err *err)
{
    if (attach_over_root(launch, launch->root) < 0)
        return launch_error(err, ERR_MOUNT, "cannot mount the image %s",
                            str_quote(launch->arena, launch->plan->image));
    return launch->plan->image_is_served ? launch_prime(launch, err) : 0;
}

/*
 * An overlay copies a directory up with its owner, and only the caller's id is
 * mapped: in a directory of somebody else nothing could be changed.
 */
static int check_owner(const struct launch *launch, struct err *err)
{
    struct stat st;

    if (fstat(launch->root, &st) < 0)
        return launch_error(err, ERR_IMAGE_UNREADABLE, "cannot look at the image's root");
    if (st.st_uid != launch->plan->uid || st.st_gid != launch->plan->gid)
        return err_set(err, ERR_ROOT_WRITABLE,
                       "%s: the image %s belongs to another user or group, whose folders an overlay could "
                       "not copy; copy "
                       "the image (cp -a) and use the copy, or put a --tmpfs where the command writes",
                       launch->plan->root_origin, str_quote(launch->arena, launch->plan->image));
    return 0;
}

static int add_overlay(struct launch *launch, struct err *err)
{
    const struct plan *plan = launch->plan;
    const char *upper_fs, *lower;
    int scratch, overlay;

    if (check_owner(launch, err) < 0)
        return -1;
    scratch = launch_new_tmpfs(launch, plan->root_size, 0755, 0);
    if (scratch < 0 || attach_over_root(launch, scratch) < 0)
        return launch_error(err, ERR_MOUNT, "cannot mount a tmpfs for %s", plan->root_origin);
    if (mkdirat(scratch, "upper", 0755) < 0 || mkdirat(scratch, "work", 0755) < 0)
        return launch_error(err, ERR_MOUNT, "cannot prepare the tmpfs for %s", plan->root_origin);
    lower = launch_path_of(launch, launch->root);
    upper_fs = launch_path_of(launch, scratch);
    overlay = launch_new_overlay(launch, lower, arena_join(launch->arena, upper_fs, "/upper", NULL),
                                 arena_join(launch->arena, upper_fs, "/work", NULL),
                                 SYS_ATTR_NOSUID | SYS_ATTR_NODEV);
    if (overlay < 0 && launch_has_no_overlay(launch, err))
        return -1;
    if (overlay < 0 || attach_over_root(launch, overlay) < 0)
        return launch_error(err, ERR_MOUNT, "cannot lay an overlay over the image for %s", plan->root_origin);
    fd_close(&scratch);
    launch->root = overlay;
    return launch_own(launch, overlay, NULL, err);
}

int launch_image_is_empty(const struct launch *launch, struct err *err)
{
    return err_set(err, ERR_IMAGE_EMPTY, "the image %s is an empty directory",
                   str_quote(launch->arena, launch->plan->image));
}

/* In a writable root mount points are just made, so nobody else would notice. */
static int check_not_empty(struct launch *launch, struct err *err)
{
    struct listing listing = {0};

    if (launch_list(launch->arena, launch->root, &listing) == 0 && listing.count == 0)
        return launch_image_is_empty(launch, err);
    return 0;
}

int launch_root(struct launch *launch, struct err *err)
{
    if (clone_image(launch, err) < 0 || attach_files(launch, err) < 0 || attach_image(launch, err) < 0)
        return -1;
    if (launch->plan->root_mode != ROOT_READ_ONLY && check_not_empty(launch, err) < 0)
        return -1;
    return launch->plan->root_mode == ROOT_WRITABLE_TMPFS ? add_overlay(launch, err) : 0;
}

/*
 * The old root, which pivot_root() has put on the new one, with all that was
 * stacked between them still on it. Each umount takes the topmost; what "/.."
 * shows tells when the new root is bare.
 */
static int detach_old_root(const struct launch *launch)
{
    const uint64_t root = sys_mount_id_by(launch->process, launch->root);

    for (;;) {
        FD_CLEANUP int top = openat(AT_FDCWD, "/..", O_PATH | O_DIRECTORY | O_CLOEXEC);
        uint64_t mount = top < 0 ? 0 : sys_mount_id_by(launch->process, top);

        if (!mount || !root)
            return -1;
        if (mount == root)
            return chdir("/");
        if (umount2(".", MNT_DETACH) < 0)
            return -1;
    }
}

int launch_enter(struct launch *launch, struct err *err)
{
    if (fchdir(launch->root) < 0)
        return launch_error(err, ERR_IMAGE_UNREADABLE, "cannot enter the image %s",
                            str_quote(launch->arena, launch->plan->image));
    if (!launch->plan->keep_capabilities) {
        if (chroot(".") < 0)
            return launch_error(err, ERR_MOUNT, "cannot make the image the root directory");
        return 0;
    }
    if (sys_pivot_root(".", ".") < 0 || detach_old_root(launch) < 0)
        return launch_error(err, ERR_MOUNT, "cannot detach the host's root directory");
    return launch_lock_mounts(launch, err);
}
