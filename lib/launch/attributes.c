/*
 * Attributes of mounts: read-only, nosuid, nodev, noexec.
 *
 * mount_setattr(2) sets those of a whole tree before it is attached. Linux
 * before 5.12 lacks the call and changes no mount that is not attached: there
 * they are noted, and launch_settle() remounts each mount of the tree when it is
 * in its place. Which mounts those are is read from /proc/self/mountinfo,
 * proc(5), once for all that was noted.
 *
 * A remount replaces all flags, and those that are locked may not go
 * (mount_namespaces(7)): what a mount has is kept. What says how access times
 * are kept the kernel keeps by itself where no such flag is given.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "base/resolve.h"
#include "base/sys.h"
#include "launch/state.h"

/* The flags of mount(2) are the attributes of mount_setattr(2), as far as we use them. */
_Static_assert(SYS_ATTR_RDONLY == MS_RDONLY && SYS_ATTR_NOSUID == MS_NOSUID && SYS_ATTR_NODEV == MS_NODEV &&
                   SYS_ATTR_NOEXEC == MS_NOEXEC,
               "attributes are flags");

enum {
    NO_SYMLINKS = 256,          /* MS_NOSYMFOLLOW, Linux 5.10 */
    MOUNTINFO_LIMIT = 64 << 20, /* fs.mount-max allows 100000 mounts */
};

/* A mount as /proc/self/mountinfo tells it. */
struct known_mount {
    uint64_t id, parent;
    const char *point; /* its path, seen from our root */
    unsigned flags;    /* of mount(2) */
    unsigned is_autofs : 1;
    unsigned is_row : 1; /* it has attributes of its own */
    unsigned seen : 1;
};

struct mount_table {
    struct known_mount *mounts;
    size_t count, room;
    struct known_mount **queue; /* room for all, for a walk through a tree */
};

int launch_set_attributes(struct launch *launch, int mount, unsigned attributes, unsigned flags)
{
    const struct sys_mount_attr attr = {.set = attributes};

    if (!attributes)
        return 0;
    if (!launch->no_setattr) {
        if (sys_mount_setattr(mount, "", AT_EMPTY_PATH | flags, &attr) == 0)
            return 0;
        if (errno != ENOSYS)
            return -1;
        launch->no_setattr = 1;
        log_message(LOG_WAYS, "way: mounts are remounted one by one: the kernel has no mount_setattr");
    }
    launch->late = arena_grow(launch->arena, launch->late, launch->late_count, &launch->late_room,
                              sizeof(*launch->late));
    launch->late[launch->late_count++] =
        (struct late_attributes){.mount = mount, .attributes = attributes, .flags = flags};
    return 0;
}

/* --- /proc/self/mountinfo ----------------------------------------------------- */

/* Cuts the field that *REST begins with off. "" at the end. */
static char *next_field(char **rest)
{
    char *field = *rest;
    size_t length = strcspn(field, " ");

    *rest = field + length + (field[length] == ' ');
    field[length] = 0;
    return field;
}

static int is_octal(const char *digits)
{
    return digits[0] >= '0' && digits[0] <= '3' && digits[1] >= '0' && digits[1] <= '7' && digits[2] >= '0' &&
           digits[2] <= '7';
}

/* In a name a blank, a tab, a newline and a backslash are written as a backslash and three octal digits. */
static char *unescape(char *name)
{
    char *to = name;

    for (const char *from = name; *from; to++) {
        if (*from == '\\' && is_octal(from + 1)) {
            *to = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
            from += 4;
        } else {
            *to = *from++;
        }
    }
    *to = 0;
    return name;
}

/* The flags that OPTIONS ("ro,nosuid,relatime") stand for and a remount must repeat. */
static unsigned parse_flags(const char *options)
{
    static const struct {
        const char *name;
        unsigned flag;
    } names[] = {{"ro", MS_RDONLY},
                 {"nosuid", MS_NOSUID},
                 {"nodev", MS_NODEV},
                 {"noexec", MS_NOEXEC},
                 {"nosymfollow", NO_SYMLINKS}};
    unsigned flags = 0;

    while (*options) {
        size_t length = strcspn(options, ",");

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
            if (strlen(names[i].name) == length && memcmp(names[i].name, options, length) == 0)
                flags |= names[i].flag;
        options += length + (options[length] == ',');
    }
    return flags;
}

/* "ID PARENT DEVICE ROOT POINT OPTIONS [FIELD...] - TYPE SOURCE OPTIONS". 0 or -1. */
static int parse_line(char *line, struct known_mount *mount)
{
    const char *id = next_field(&line), *parent = next_field(&line), *field;

    *mount = (struct known_mount){0};
    if (num_parse(id, UINT64_MAX, &mount->id) < 0 || num_parse(parent, UINT64_MAX, &mount->parent) < 0)
        return -1;
    next_field(&line);
    next_field(&line);
    mount->point = unescape(next_field(&line));
    mount->flags = parse_flags(next_field(&line));
    do {
        field = next_field(&line);
    } while (*field && strcmp(field, "-") != 0);
    mount->is_autofs = strcmp(next_field(&line), "autofs") == 0;
    return *mount->point == '/' && *field ? 0 : -1;
}

/* 0, or -1 and errno. */
static int read_table(const struct launch *launch, struct mount_table *table)
{
    FD_CLEANUP int fd = openat(launch->process, "mountinfo", O_RDONLY | O_CLOEXEC);
    size_t length;
    char *line = fd < 0 ? NULL : fd_read_all(fd, MOUNTINFO_LIMIT, launch->arena, &length);

    if (!line)
        return -1;
    while (*line) {
        char *next = line + strcspn(line, "\n");

        if (*next)
            *next++ = 0;
        table->mounts =
            arena_grow(launch->arena, table->mounts, table->count, &table->room, sizeof(*table->mounts));
        if (parse_line(line, &table->mounts[table->count++]) < 0) {
            errno = EPROTO;
            return -1;
        }
        line = next;
    }
    table->queue = arena_alloc(launch->arena, table->count * sizeof(struct known_mount *));
    return 0;
}

static struct known_mount *find_mount(const struct mount_table *table, uint64_t id)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->mounts[i].id == id)
            return &table->mounts[i];
    return NULL;
}

static void mark_row(struct mount_table *table, int fd)
{
    struct known_mount *mount = fd < 0 ? NULL : find_mount(table, sys_mount_id(fd));

    if (mount)
        mount->is_row = 1;
}

/* What is mounted in a row's tree by another row, or by us, is none of its mounts. */
static void mark_rows(const struct launch *launch, struct mount_table *table)
{
    for (size_t i = 0; i < launch->plan->row_count; i++)
        mark_row(table, launch->sources[i]);
    for (size_t i = 0; i < launch->own_count; i++)
        mark_row(table, launch->own[i].fd);
}

/* --- remounting ------------------------------------------------------------------ */

static int change(int fd, unsigned long flags)
{
    char path[32] = "/proc/self/fd/";

    num_format(path + strlen(path), (uint64_t)fd);
    return mount(NULL, path, NULL, flags, NULL);
}

static int remount(int mount, unsigned flags)
{
    return change(mount, MS_REMOUNT | MS_BIND | flags);
}

/* The path of MOUNT within TOP's tree; "" on TOP itself, NULL where it is not in it. */
static const char *path_within(const struct known_mount *top, const struct known_mount *mount)
{
    const size_t length = strcmp(top->point, "/") == 0 ? 0 : strlen(top->point);

    if (strncmp(mount->point, top->point, length) != 0 ||
        (mount->point[length] && mount->point[length] != '/'))
        return NULL;
    return mount->point + length + (mount->point[length] == '/');
}

/*
 * PATH beneath DIR, if that is MOUNT; -1 and errno. Without O_DIRECTORY, so that
 * an automounter's mounts nothing.
 */
static int open_mount(int dir, const char *path, const struct known_mount *mount)
{
    FD_CLEANUP int found = resolve_open(dir, path, O_PATH | O_NOFOLLOW | O_CLOEXEC,
                                        SYS_RESOLVE_IN_ROOT | SYS_RESOLVE_NO_SYMLINKS);

    if (found >= 0 && sys_mount_id(found) == mount->id)
        return fd_steal(&found);
    if (found >= 0 || errno == ENOTDIR || errno == ELOOP)
        errno = ENOENT;
    return -1;
}

/*
 * Opens MOUNT, which lies in the tree of TOP, open as FD. Not beneath that where
 * it is mounted on TOP itself: a name like /proc/self/cwd leads below what covers
 * a directory. -1 and errno; ENOENT: another mount hides it.
 */
static int open_within(const struct launch *launch, int fd, const struct known_mount *top,
                       const struct known_mount *mount)
{
    const char *path = path_within(top, mount);
    int found = path && *path ? open_mount(fd, path, mount) : -1;

    if (found < 0 && (!path || !*path || errno == ENOENT))
        found = open_mount(launch->root, mount->point, mount);
    return found;
}

/* Whether MOUNT is no longer where the list has it: somebody renamed a directory on the way. */
static int has_moved(const struct launch *launch, const struct known_mount *mount)
{
    struct mount_table now = {0};
    const struct known_mount *again;

    if (read_table(launch, &now) < 0)
        return 1;
    again = find_mount(&now, mount->id);
    return again && strcmp(again->point, mount->point) != 0;
}

/*
 * A mount that another one hides cannot be reached, and is not uncovered: here
 * nobody may unmount. Where the host does, the tree must not follow. 0, or -1 and errno.
 */
static int keep_hidden(const struct launch *launch, int top, const struct known_mount *mount)
{
    if (has_moved(launch, mount)) {
        errno = EAGAIN;
        return -1;
    }
    log_message(LOG_WAYS, "way: changes of the host's mounts are not followed: another mount hides %s",
                str_quote(launch->arena, mount->point));
    return change(top, MS_PRIVATE | MS_REC);
}

static int cannot_change(const struct launch *launch, const struct known_mount *mount, struct err *err)
{
    const char *point = str_quote(launch->arena, mount->point);

    if (errno == EACCES)
        return err_set(err, ERR_MOUNT,
                       "cannot make %s read-only, to which the way is closed for you, and Linux before 5.12 "
                       "changes no mount that one cannot reach; bind only what is needed",
                       point);
    return launch_error(err, ERR_MOUNT, "cannot set the mount attributes of %s", point);
}

/* Gives MOUNT, in the tree of TOP, the attributes of LATE. */
static int settle_mount(const struct launch *launch, const struct late_attributes *late,
                        const struct known_mount *top, const struct known_mount *mount, struct err *err)
{
    const unsigned missing = late->attributes & ~mount->flags;
    FD_CLEANUP int fd = -1;

    if (!missing)
        return 0;
    if (mount == top)
        return remount(late->mount, mount->flags | missing) < 0 ? cannot_change(launch, mount, err) : 0;
    fd = open_within(launch, late->mount, top, mount);
    if (fd >= 0)
        return remount(fd, mount->flags | missing) < 0 ? cannot_change(launch, mount, err) : 0;
    /* Nobody opens or executes what cannot be reached. That may change, but then it must not be writable. */
    if (!(missing & MS_RDONLY) && (errno == ENOENT || errno == EACCES))
        return 0;
    /* Nobody writes in an automounter's directory; what the host mounts there comes as the host has it. */
    if (errno == ENOENT && mount->is_autofs)
        return 0;
    if (errno == ENOENT && keep_hidden(launch, late->mount, mount) == 0)
        return 0;
    return cannot_change(launch, mount, err);
}

/* All mounts below TOP, but what belongs to another row. */
static int settle_tree(const struct launch *launch, const struct late_attributes *late,
                       struct mount_table *table, struct known_mount *top, struct err *err)
{
    struct known_mount **queue = table->queue;
    size_t count = 1;

    for (size_t i = 0; i < table->count; i++)
        table->mounts[i].seen = 0;
    queue[0] = top;
    top->seen = 1;
    for (size_t next = 0; next < count; next++) {
        if (settle_mount(launch, late, top, queue[next], err) < 0)
            return -1;
        for (size_t i = 0; (late->flags & AT_RECURSIVE) && i < table->count; i++) {
            struct known_mount *mount = &table->mounts[i];

            if (mount->parent != queue[next]->id || mount->seen || mount->is_row)
                continue;
            mount->seen = 1;
            queue[count++] = mount;
        }
    }
    return 0;
}

/* An optional row was left out, so its mount is nowhere: the kernel says so. */
static int check_left_out(const struct launch *launch, struct err *err)
{
    for (size_t i = 0; i < launch->late_count; i++)
        if (remount(launch->late[i].mount, launch->late[i].attributes) == 0 || errno != EINVAL)
            return err_set(err, ERR_MOUNT,
                           "cannot set mount attributes: a mount of ours is not in /proc/self/mountinfo");
    return 0;
}

int launch_settle(struct launch *launch, int last, struct err *err)
{
    struct mount_table table = {0};
    const uint64_t stage = launch->stage >= 0 && launch->late_count ? sys_mount_id(launch->stage) : 0;
    size_t kept = 0;

    if (!launch->late_count)
        return 0;
    if (read_table(launch, &table) < 0)
        return launch_error(err, ERR_MOUNT, "cannot read /proc/self/mountinfo");
    mark_rows(launch, &table);
    for (size_t i = 0; i < launch->late_count; i++) {
        const struct late_attributes late = launch->late[i];
        const uint64_t id = sys_mount_id(late.mount);
        struct known_mount *top = find_mount(&table, id);

        if (!id)
            return err_set(err, ERR_MOUNT,
                           "cannot set mount attributes: /proc/self/fdinfo tells of no mount");
        if (!top || (top->parent == stage && !last))
            launch->late[kept++] = late; /* not attached yet */
        else if (top->parent == stage)
            continue; /* left out: nobody will see it */
        else if (settle_tree(launch, &late, &table, top, err) < 0)
            return -1;
    }
    launch->late_count = kept;
    return last ? check_left_out(launch, err) : 0;
}
