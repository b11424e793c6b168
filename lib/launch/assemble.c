/*
 * Mount points that an image lacks.
 *
 * The directory that lacks a name is covered by one of ours that has it, and
 * shows everything else that was there. The image is not touched. In this order:
 *
 *   1. The directory is one of ours already, or --write lets the image be
 *      changed: the name is made in it.
 *   2. It has up to 64 entries (as / nearly always has): a tmpfs with a bind for each
 *      of them. Any kernel, any owner, 10 us an entry.
 *   3. An overlay of the directory under a skeleton that holds the name, both
 *      read-only (Linux 5.11). Files then show another device than directories,
 *      so `du -x` miscounts below it.
 *   4. Binds, however many, with a warning.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/sys.h"
#include "launch/state.h"

enum { FEW_ENTRIES = 64 };

int launch_own(struct launch *launch, int fd, const char *covered, struct err *err)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return launch_error(err, ERR_MOUNT, "cannot look at a mount of ours");
    launch->own =
        arena_grow(launch->arena, launch->own, launch->own_count, &launch->own_room, sizeof(*launch->own));
    launch->own[launch->own_count++] =
        (struct own_fs){.device = st.st_dev, .fd = fd, .seal = covered != NULL, .path = covered};
    return 0;
}

/* Makes those read-only that cover a directory at or beneath PATH. */
static int seal_beneath(struct launch *launch, const char *path, struct err *err)
{
    for (size_t i = 0; i < launch->own_count; i++) {
        struct own_fs *own = &launch->own[i];

        if (!own->seal || !path_is_beneath(own->path, path))
            continue;
        if (launch_set_attributes(launch, own->fd, SYS_ATTR_RDONLY | SYS_ATTR_NOSUID | SYS_ATTR_NODEV, 0) < 0)
            return launch_error(err, ERR_MOUNT, "cannot make the assembled directory %s read-only",
                                str_quote(launch->arena, own->path));
        own->seal = 0;
    }
    return 0;
}

int launch_seal(struct launch *launch, struct err *err)
{
    return seal_beneath(launch, "/", err) < 0 ? -1 : launch_settle(launch, 1, err);
}

/* Whether DIR is a directory of an image that --write lets be changed, and not of the host. */
static int is_of_writable_image(const struct launch *launch, int dir)
{
    uint64_t mount;

    if (launch->plan->root_mode != ROOT_WRITE)
        return 0;
    mount = sys_mount_id(dir);
    return mount && mount == sys_mount_id(launch->image);
}

static int is_root(const struct missing_target *place)
{
    return strcmp(place->ancestor, "/") == 0;
}

static int is_ours(const struct launch *launch, dev_t device)
{
    for (size_t i = 0; i < launch->own_count; i++)
        if (launch->own[i].device == device)
            return 1;
    return 0;
}

static int make_file(int dir, const char *name)
{
    FD_CLEANUP int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0444);

    return fd < 0 ? -1 : 0;
}

/* The directory NAME in DIR (O_PATH), made where it is missing; never through a link. -1 and errno. */
static int enter_directory(int dir, const char *name)
{
    if (mkdirat(dir, name, 0755) < 0 && errno != EEXIST)
        return -1;
    return openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/*
 * Makes PATH, relative, with the directories on its way, in DIR. One name at a
 * time: in an image that --write lets be changed another could put a link in
 * between, which would lead out of it.
 */
static int make_mount_point(struct arena *arena, int dir, const char *path, int is_directory)
{
    const char *slash = strchr(path, '/');

    if (slash) {
        FD_CLEANUP int next = enter_directory(dir, arena_strndup(arena, path, (size_t)(slash - path)));

        return next < 0 ? -1 : make_mount_point(arena, next, slash + 1, is_directory);
    }
    if ((is_directory ? mkdirat(dir, path, 0755) : make_file(dir, path)) < 0 && errno != EEXIST)
        return -1;
    return 0;
}

/* Makes a link NAME in TO with the text of LINK. */
static int copy_link(int link, int to, const char *name)
{
    char text[PATH_MAX];
    ssize_t n = readlinkat(link, "", text, sizeof(text) - 1);

    if (n < 0)
        return -1;
    text[n] = 0;
    return symlinkat(text, to, name);
}

/*
 * Shows the entry NAME of FROM as the same name in TO. One that goes while we
 * look, as in a /tmp that others use, is not there.
 */
static int show_entry(struct launch *launch, int from, int to, const char *name)
{
    FD_CLEANUP int mount = launch_clone(launch, from, name, AT_RECURSIVE | AT_SYMLINK_NOFOLLOW);
    struct stat st;

    if (mount < 0)
        return errno == ENOENT ? 0 : -1;
    if (fstat(mount, &st) < 0)
        return errno == EACCES ? 0 : -1; /* SELinux lets a user list what he may not even look at */
    if (S_ISLNK(st.st_mode))
        return copy_link(mount, to, name);
    if ((S_ISDIR(st.st_mode) ? mkdirat(to, name, 0755) : make_file(to, name)) < 0)
        return -1;
    if (launch_move(launch, mount, to, name) == 0)
        return 0;
    return errno == ENOENT ? unlinkat(to, name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0) : -1;
}

/* A tmpfs with MODE that covers the directory of PLACE; its descriptor belongs to LAUNCH. -1 with ERR. */
static int cover_with_tmpfs(struct launch *launch, const struct missing_target *place, mode_t mode,
                            struct err *err)
{
    FD_CLEANUP int mount =
        launch_new_tmpfs(launch, 0, mode | S_IRWXU, 0); /* or names could not be made in it */

    if (mount < 0 || launch_move(launch, mount, place->dir, "") < 0)
        return launch_error(err, ERR_MOUNT, "cannot cover the directory %s",
                            str_quote(launch->arena, place->ancestor));
    if (launch_own(launch, mount, place->ancestor, err) < 0)
        return -1;
    if (is_root(place))
        launch->root = mount;
    return fd_steal(&mount);
}

static int assemble_binds(struct launch *launch, const struct missing_target *place, mode_t mode,
                          int is_directory, const struct listing *listing, struct err *err)
{
    const char *ancestor = str_quote(launch->arena, place->ancestor);
    int mount = cover_with_tmpfs(launch, place, mode, err);

    if (mount < 0)
        return -1;
    for (size_t i = 0; i < listing->count; i++)
        if (show_entry(launch, place->dir, mount, listing->names[i]) < 0)
            return launch_error(err, ERR_MOUNT, "cannot show %s of the directory %s",
                                str_quote(launch->arena, listing->names[i]), ancestor);
    if (make_mount_point(launch->arena, mount, place->missing, is_directory) < 0)
        return launch_error(err, ERR_MOUNT, "cannot add %s to the directory %s",
                            str_quote(launch->arena, place->missing), ancestor);
    log_message(LOG_WAYS, "way: %s is assembled of %zu binds: the image lacks %s", ancestor, listing->count,
                str_quote(launch->arena, place->missing));
    return 0;
}

/* Adds to SKELETON what rows behind INDEX will miss in the same directory. */
static void add_later_rows(struct launch *launch, const struct missing_target *place, int skeleton,
                           size_t index)
{
    for (size_t i = index + 1; i < launch->plan->row_count; i++) {
        const struct plan_row *row = &launch->plan->rows[i];
        struct missing_target other;
        struct stat st;
        int is_directory = row->kind == ROW_TMPFS;

        if (row->kind == ROW_BIND) {
            if (fstat(launch->sources[i], &st) < 0)
                continue;
            is_directory = S_ISDIR(st.st_mode);
        }
        if (launch_find_missing(launch, row, &other) != 1)
            continue;
        if (strcmp(other.ancestor, place->ancestor) == 0)
            make_mount_point(launch->arena, skeleton, other.missing,
                             is_directory); /* where it fails, the row will say so */
        fd_close(&other.dir);
    }
}

/* Whether row INDEX is mounted strictly beneath PATH. */
static int lies_beneath(const struct launch *launch, size_t index, const char *path)
{
    const char *target = launch->plan->rows[index].target;

    return launch->sources[index] >= 0 && path_is_beneath(target, path) && strcmp(target, path) != 0;
}

/* Whether an earlier row than INDEX carries row INDEX with it when it is cloned. */
static int comes_with_another(const struct launch *launch, size_t index, const char *path)
{
    for (size_t i = 0; i < index; i++)
        if (lies_beneath(launch, i, path) &&
            path_is_beneath(launch->plan->rows[index].target, launch->plan->rows[i].target))
            return 1;
    return 0;
}

/* An overlay does not show what is mounted in its lower directory: rows before INDEX are put there again. */
static int attach_again(struct launch *launch, const struct missing_target *place, size_t index,
                        struct err *err)
{
    for (size_t i = 0; i < index; i++) {
        int clone;

        if (!lies_beneath(launch, i, place->ancestor) || comes_with_another(launch, i, place->ancestor))
            continue;
        clone = launch_clone(launch, launch->sources[i], "", AT_RECURSIVE | AT_EMPTY_PATH);
        if (clone < 0)
            return launch_error(err, ERR_MOUNT, "cannot clone the mount on %s",
                                str_quote(launch->arena, launch->plan->rows[i].target));
        if (launch_attach(launch, i, clone, err) < 0)
            return -1;
        launch->sources[i] = clone;
    }
    return 0;
}

/*
 * The overlay's skeleton is a tmpfs on the same directory, which the overlay
 * then covers: layers must be attached somewhere. 0, or -1 and errno where the
 * kernel has no overlay for us.
 */
static int assemble_overlay(struct launch *launch, const struct missing_target *place, int is_directory,
                            size_t index)
{
    FD_CLEANUP int skeleton = launch_new_tmpfs(launch, 0, 0755, 0);
    FD_CLEANUP int overlay = -1;

    if (skeleton < 0 || make_mount_point(launch->arena, skeleton, place->missing, is_directory) < 0)
        return -1;
    add_later_rows(launch, place, skeleton, index);
    if (launch_move(launch, skeleton, place->dir, "") < 0)
        return -1;
    overlay = launch_new_overlay(launch,
                                 arena_join(launch->arena, launch_path_of(launch, skeleton), ":",
                                            launch_path_of(launch, place->dir), NULL),
                                 NULL, NULL, SYS_ATTR_RDONLY | SYS_ATTR_NOSUID | SYS_ATTR_NODEV);
    if (overlay < 0 || launch_move(launch, overlay, skeleton, "") < 0)
        return -1;
    if (is_root(place))
        launch->root = fd_steal(&overlay);
    log_message(LOG_WAYS, "way: %s is overlaid: the image lacks %s",
                str_quote(launch->arena, place->ancestor), str_quote(launch->arena, place->missing));
    return 0;
}

/*
 * What covers a directory of the host is read-only, as what is made in it would be
 * lost: that surprises whoever wants to write there.
 */
static void warn_of_host_directory(const struct launch *launch, const struct missing_target *place,
                                   size_t index)
{
    for (size_t i = 0; i < index; i++) {
        const struct plan_row *row = &launch->plan->rows[i];

        if (row->kind != ROW_BIND || (row->flags & MOUNT_READ_ONLY) || launch->sources[i] < 0 ||
            !path_is_beneath(place->ancestor, row->target))
            continue;
        log_warning(
            "no new names can be made in %s inside: %s wants %s there, which the host lacks; make it on the "
            "host to keep the directory as it is",
            str_quote(launch->arena, place->ancestor), launch->plan->rows[index].origin,
            str_quote(launch->arena, place->missing));
        return;
    }
}

int launch_assemble(struct launch *launch, const struct missing_target *place, int is_directory, size_t index,
                    struct err *err)
{
    struct listing listing = {0};
    struct stat st;
    int listed;

    if (fstat(place->dir, &st) < 0)
        return launch_error(err, ERR_MOUNT, "cannot look at the directory %s of the container",
                            str_quote(launch->arena, place->ancestor));
    if (is_ours(launch, st.st_dev) || is_of_writable_image(launch, place->dir)) {
        if (make_mount_point(launch->arena, place->dir, place->missing, is_directory) == 0)
            return 0;
        /* EOVERFLOW: an overlay cannot copy a directory of an id that is not mapped up. */
        if (errno != EACCES && errno != EROFS && errno != EOVERFLOW)
            return launch_error(err, ERR_MOUNT, "cannot add %s to the directory %s",
                                str_quote(launch->arena, place->missing),
                                str_quote(launch->arena, place->ancestor));
    }
    warn_of_host_directory(launch, place, index);
    launch_note_list(launch, place->dir);
    /* What is cloned from here on keeps the attributes that it has now. */
    if (seal_beneath(launch, place->ancestor, err) < 0 || launch_settle(launch, 0, err) < 0)
        return -1;
    listed = launch_list(launch->arena, place->dir, &listing);
    if (listed == 0 && listing.count == 0 && is_root(place))
        return launch_image_is_empty(launch, err);
    if (listed < 0 || listing.count > FEW_ENTRIES) {
        int saved = errno;
        /* Behind links of the image it is not known by text what is mounted in the directory. */
        if (!launch->followed_links && assemble_overlay(launch, place, is_directory, index) == 0)
            return attach_again(launch, place, index, err);
        errno = saved;
        if (listed < 0)
            return launch_error(err, ERR_MOUNT, "the directory %s can be neither listed nor overlaid",
                                str_quote(launch->arena, place->ancestor));
        log_warning(
            "the image lacks %s in %s, which has %zu entries, each of which becomes a mount; add it to the "
            "image to start faster",
            str_quote(launch->arena, place->missing), str_quote(launch->arena, place->ancestor),
            listing.count);
    }
    return assemble_binds(launch, place, st.st_mode & 07777, is_directory, &listing, err);
}
