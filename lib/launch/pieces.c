/*
 * A launch on a host with many mounts that takes only what its plan names. Linux 7.0
 *
 * A copy of the host's mount namespace costs something for each mount in it. open_tree(2) with
 * OPEN_TREE_NAMESPACE makes a namespace of one directory and of what is mounted below it: a piece.
 * Of a file it makes none (ENOTDIR), so its directory is taken. All pieces are taken first, as
 * nothing of the host can be cloned from within one; then each is entered, and what belongs to
 * it is cloned. A clone outlives the piece, which goes with its descriptor at the exec. The
 * namespace that was entered last is the launch's: its root is covered by the image.
 *
 * As in a copy mounts are slaves of the host's shared ones, and their flags and what they cover are locked.
 *
 * Paths of the host lead nowhere then. So it is not done with what needs them later: a server, unpacking,
 * --root.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/sys.h"
#include "launch/state.h"

/* More directories than that are dearer to take than most hosts are. */
enum { PIECES_LIMIT = 24 };

struct piece {
    int namespace;
    const char *path; /* of its root on the host, clean; NULL: not known */
};

/* Where a source is. */
struct portion {
    int errnum; /* it cannot be opened, for this reason; 0: it can */
    const struct piece *piece;
    const char *beneath; /* its path in the piece */
    dev_t device;
    ino_t inode;
};

struct launch_pieces {
    struct piece all[PIECES_LIMIT];
    size_t count;
    const struct piece *entered; /* NULL: the host is still around */
    const struct piece *image;   /* NULL: it is no directory */
    struct portion *of_rows;     /* as many as the plan has */
};

int launch_wants_pieces(const struct launch *launch)
{
    const struct plan *plan = launch->plan;
    const struct share_meeting *meeting = launch->meeting;

    if (!plan->host_has_many_mounts || plan->keep_capabilities)
        return 0;
    return !plan->image_is_served || (meeting->way == SHARE_SERVED && meeting->directory < 0);
}

/* NULL and errno where it cannot be. */
static const struct piece *take(struct launch_pieces *pieces, const char *source, const char *path)
{
    struct piece *piece = &pieces->all[pieces->count];

    if (pieces->count == PIECES_LIMIT) {
        errno = E2BIG;
        return NULL;
    }
    piece->path = path;
    piece->namespace = sys_open_tree(AT_FDCWD, source, SYS_OPEN_TREE_NAMESPACE | AT_RECURSIVE | O_CLOEXEC);
    if (piece->namespace < 0)
        return NULL;
    pieces->count++;
    return piece;
}

/* The path of what is open as FD, free of links; NULL where it has none. */
static const char *host_path_of(const struct launch *launch, int fd)
{
    char path[PATH_MAX];
    ssize_t length =
        readlinkat(launch->process, arena_printf(launch->arena, "fd/%d", fd), path, sizeof(path));

    return length > 0 && length < PATH_MAX && *path == '/'
               ? arena_strndup(launch->arena, path, (size_t)length)
               : NULL;
}

/* Of what has been taken already, or its directory. A path without links is beneath no other's link. */
static int take_file(struct launch *launch, struct portion *portion, int file)
{
    struct launch_pieces *pieces = launch->pieces;
    const char *path = host_path_of(launch, file);
    const char *parent;

    errno = ENOENT;
    if (!path)
        return -1;
    for (size_t i = 0; i < pieces->count && !portion->piece; i++)
        if (pieces->all[i].path && path_is_beneath(path, pieces->all[i].path))
            portion->piece = &pieces->all[i];
    parent = path_parent(launch->arena, path);
    if (!portion->piece)
        portion->piece = take(pieces, parent, parent);
    if (!portion->piece)
        return -1;
    portion->beneath = path + (portion->piece->path[1] ? strlen(portion->piece->path) : 0);
    return 0;
}

/* What is not there stays so: the row's handler says what that means. */
static int take_row(struct launch *launch, const struct plan_row *row, struct portion *portion)
{
    const int link = row->flags & MOUNT_OWN_FILE ? O_NOFOLLOW : 0;
    FD_CLEANUP int file = -1;
    struct stat st;

    if (fstatat(AT_FDCWD, row->source, &st, link ? AT_SYMLINK_NOFOLLOW : 0) < 0) {
        portion->errnum = errno;
        return 0;
    }
    if (S_ISDIR(st.st_mode)) {
        portion->piece = take(launch->pieces, row->source, row->source);
        portion->beneath = "/";
        return portion->piece ? 0 : -1;
    }
    file = openat(AT_FDCWD, row->source, O_PATH | O_CLOEXEC | link);
    if (file < 0 || fstat(file, &st) < 0)
        return -1;
    portion->device = st.st_dev;
    portion->inode = st.st_ino;
    return take_file(launch, portion, file);
}

static int take_all(struct launch *launch)
{
    const struct plan *plan = launch->plan;
    struct launch_pieces *pieces = launch->pieces;

    if (!plan->image_is_served && !(pieces->image = take(pieces, plan->image, NULL)))
        return -1;
    for (size_t i = 0; i < plan->row_count; i++)
        if (plan->rows[i].kind == ROW_BIND && take_row(launch, &plan->rows[i], &pieces->of_rows[i]) < 0)
            return -1;
    errno = ENOENT;
    return pieces->count ? 0 : -1;
}

int launch_take_pieces(struct launch *launch)
{
    struct launch_pieces *pieces = arena_alloc(launch->arena, sizeof(*pieces));

    pieces->of_rows = arena_alloc(launch->arena, launch->plan->row_count * sizeof(*pieces->of_rows));
    launch->pieces = pieces;
    if (take_all(launch) == 0) {
        log_message(LOG_WAYS, "way: the host's many mounts are not copied, but %d directories of it",
                    (int)pieces->count);
        return 0;
    }
    log_message(LOG_WAYS, "way: all mounts of the host are copied: %s", err_reason(errno));
    for (size_t i = 0; i < pieces->count; i++)
        close(pieces->all[i].namespace);
    launch->pieces = NULL;
    return -1;
}

static int clone_from(struct launch *launch, const struct piece *piece, const char *path, unsigned flags)
{
    if (launch->pieces->entered != piece && setns(piece->namespace, CLONE_NEWNS) < 0)
        return -1;
    launch->pieces->entered = piece;
    return launch_clone(launch, AT_FDCWD, path, flags);
}

/* A file can have been replaced, or its directory, since it was looked at. */
static int is_same(const struct portion *portion, int mount)
{
    struct stat st;

    return !portion->inode ||
           (fstat(mount, &st) == 0 && st.st_dev == portion->device && st.st_ino == portion->inode);
}

int launch_clone_source(struct launch *launch, const struct plan_row *row, unsigned flags)
{
    const struct portion *portion;
    int mount;

    if (!launch->pieces)
        return launch_clone(launch, AT_FDCWD, row->source, flags);
    portion = &launch->pieces->of_rows[row - launch->plan->rows];
    errno = portion->errnum;
    if (portion->errnum)
        return -1;
    mount = clone_from(launch, portion->piece, portion->beneath, flags);
    if (mount >= 0 && !is_same(portion, mount)) {
        fd_close(&mount);
        errno = ESTALE;
    }
    return mount;
}

int launch_clone_image(struct launch *launch)
{
    return launch->pieces ? clone_from(launch, launch->pieces->image, "/", AT_RECURSIVE)
                          : launch_clone(launch, AT_FDCWD, launch->plan->image, AT_RECURSIVE);
}

const char *launch_path_of(const struct launch *launch, int fd)
{
    if (!launch->pieces)
        return arena_printf(launch->arena, "/proc/self/fd/%d", fd);
    return fchdir(launch->process) < 0 ? "" : arena_printf(launch->arena, "fd/%d", fd);
}
