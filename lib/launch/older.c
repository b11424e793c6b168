/*
 * Mounting by mount(2) alone, for Linux before 5.2, as Enterprise Linux 8 has it.
 *
 * A mount that is in no place yet is put on a stage: a tmpfs of ours, where nobody
 * else changes names. From there MS_MOVE takes it to where it belongs, and a
 * descriptor stays good. Both ends are told as /proc/self/fd/N: the kernel takes
 * what is open there and resolves nothing anew, so a path is trusted no more often than by move_mount(2).
 *
 * No path of the host may be covered while sources are cloned, so the stage lies on a directory
 * of /proc that neither image nor bind of the plan leads into: one whose label SELinux lets a user
 * mount on, or else one of this process alone. It is unbindable: a clone of /proc, or of all
 * of the host, does not show it. mount_namespaces(7)
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "base/str.h"
#include "base/sys.h"
#include "launch/state.h"

static const char *const stages[] = {"/proc/tty", "/proc/self/net"};

enum { PATH_ROOM = 48 };

/* "/proc/self/fd/FD" */
static const char *name_fd(char path[PATH_ROOM], int fd)
{
    static const char prefix[] = "/proc/self/fd/";

    memcpy(path, prefix, sizeof(prefix));
    num_format(path + sizeof(prefix) - 1, (uint64_t)fd);
    return path;
}

static int mount_stage(const char *path)
{
    if (mount("none", path, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0700") < 0 ||
        mount(NULL, path, NULL, MS_UNBINDABLE, NULL) < 0)
        return -1;
    return openat(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Where PATH leads, without links; "" where that cannot be told. */
static void real_path(const char *path, char real[PATH_MAX])
{
    FD_CLEANUP int fd = openat(AT_FDCWD, path, O_PATH | O_CLOEXEC);
    char name[PATH_ROOM];
    const ssize_t length = fd < 0 ? 0 : readlink(name_fd(name, fd), real, PATH_MAX - 1);

    real[length < 0 ? 0 : length] = 0;
}

/* Whether PATH leads to DIRECTORY, a real path, or below it. */
static int leads_into(const char *path, const char *directory)
{
    const size_t length = strlen(directory);
    char real[PATH_MAX];

    real_path(path, real);
    return length && strncmp(real, directory, length) == 0 && (!real[length] || real[length] == '/');
}

/* Whether the image or the source of a bind is PATH, or lies below it: a stage there would cover it. */
static int is_source(const struct launch *launch, const char *path)
{
    const struct plan *plan = launch->plan;
    char real[PATH_MAX];

    real_path(path, real);
    for (size_t i = 0; i < plan->row_count; i++)
        if (plan->rows[i].kind == ROW_BIND && leads_into(plan->rows[i].source, real))
            return 1;
    return leads_into(plan->image, real);
}

static int need_stage(struct launch *launch)
{
    for (size_t i = 0; launch->stage < 0 && i < sizeof(stages) / sizeof(stages[0]); i++)
        if (!is_source(launch, stages[i]))
            launch->stage = mount_stage(stages[i]);
    if (launch->stage < 0)
        launch->stage = NO_STAGE;
    return launch->stage < 0 ? -1 : 0;
}

/* A new place on the stage: its NAME there, and its PATH for mount(2). */
static int make_place(struct launch *launch, int is_directory, char name[24], char path[PATH_ROOM])
{
    int file;

    if (need_stage(launch) < 0)
        return -1;
    num_format(name, launch->staged++);
    name_fd(path, launch->stage);
    strcat(path, "/");
    strcat(path, name);
    if (is_directory)
        return mkdirat(launch->stage, name, 0700);
    file = openat(launch->stage, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0)
        return -1;
    close(file);
    return 0;
}

static int open_place(const struct launch *launch, const char *name)
{
    return openat(launch->stage, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
}

/* What open_tree(2) finds: an automounter's directory is mounted first, which O_DIRECTORY does. */
static int open_source(int dir, const char *path, unsigned flags)
{
    const int how = O_PATH | O_CLOEXEC | (flags & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0);
    int fd;

    if (flags & AT_EMPTY_PATH)
        return fcntl(dir, F_DUPFD_CLOEXEC, 0);
    fd = openat(dir, path, how | O_DIRECTORY);
    return fd < 0 && (errno == ENOTDIR || errno == ELOOP) ? openat(dir, path, how) : fd;
}

/*
 * The clone on the stage. What a link of /proc leads to can have another mount on it, which
 * comes along, locked on top: then it is the clone that cannot be opened, nor moved.
 */
static int open_clone(const struct launch *launch, const char *name, const struct stat *source)
{
    FD_CLEANUP int clone = open_place(launch, name);
    struct stat st;

    if (clone < 0 || fstat(clone, &st) < 0)
        return -1;
    if (st.st_dev != source->st_dev || st.st_ino != source->st_ino) {
        errno = EBUSY;
        return -1;
    }
    return fd_steal(&clone);
}

int launch_older_clone(struct launch *launch, int dir, const char *path, unsigned flags)
{
    FD_CLEANUP int source = open_source(dir, path, flags);
    char from[PATH_ROOM], to[PATH_ROOM], name[24];
    struct stat st;

    if (source < 0 || fstat(source, &st) < 0)
        return -1;
    if (S_ISLNK(st.st_mode))
        return fd_steal(&source);
    if (make_place(launch, S_ISDIR(st.st_mode), name, to) < 0 ||
        mount(name_fd(from, source), to, NULL, MS_BIND | (flags & AT_RECURSIVE ? MS_REC : 0), NULL) < 0)
        return -1;
    return open_clone(launch, name, &st);
}

int launch_older_move(int source, int dir, const char *name)
{
    FD_CLEANUP int named = *name ? openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC) : -1;
    char from[PATH_ROOM], to[PATH_ROOM];

    if (*name && named < 0)
        return -1;
    return mount(name_fd(from, source), name_fd(to, *name ? named : dir), NULL, MS_MOVE, NULL);
}

int launch_older_detach(int mount)
{
    char path[PATH_ROOM];

    return umount2(name_fd(path, mount), MNT_DETACH);
}

/* As the third and the fifth argument of mount(2) tell it. "source" and "subtype" have their own places. */
static const char *join_options(const struct launch *launch, const struct mount_option *options,
                                const char **type, const char **source)
{
    struct str text = {.arena = launch->arena};

    for (const struct mount_option *option = options; option->key; option++) {
        if (strcmp(option->key, "source") == 0) {
            *source = option->value;
        } else if (strcmp(option->key, "subtype") == 0) {
            *type = arena_join(launch->arena, *type, ".", option->value, NULL);
        } else {
            str_add(&text, text.length ? "," : "");
            str_add(&text, option->key);
            str_add(&text, option->value ? "=" : "");
            str_add(&text, option->value ? option->value : "");
        }
    }
    return str_text(&text);
}

int launch_older_create(struct launch *launch, const char *type, const struct mount_option *options,
                        unsigned attributes)
{
    const char *source = "none";
    const char *text = join_options(launch, options, &type, &source);
    char path[PATH_ROOM], name[24];

    if (make_place(launch, 1, name, path) < 0 || mount(source, path, type, attributes, text) < 0)
        return -1;
    return open_place(launch, name);
}
