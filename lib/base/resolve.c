#include "base/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"

enum { MAX_LINKS = 40, PROC_MAGIC = 0x9fa0 }; /* path_resolution(7), statfs(2) */

struct walk {
    int root;            /* where "/" and too many ".." lead */
    int dir;             /* where we are: -1 is the root */
    char here[PATH_MAX]; /* its path, free of links, each name behind a slash; "": the root */
    char rest[PATH_MAX]; /* still to go */
    const char *next;    /* in `rest` */
    uint64_t flags, resolve;
    int links;
};

static int fail(int errnum)
{
    errno = errnum;
    return -1;
}

static int current(const struct walk *walk)
{
    return walk->dir >= 0 ? walk->dir : walk->root;
}

/* Puts TEXT before what is still to go. */
static int put_before_rest(struct walk *walk, const char *text)
{
    char joined[PATH_MAX];
    const size_t length = strlen(text), left = strlen(walk->next);

    if (length + left + 2 > sizeof(joined))
        return fail(ENAMETOOLONG);
    memcpy(joined, text, length);
    joined[length] = '/';
    memcpy(joined + length + (left > 0), walk->next, left);
    joined[length + (left > 0) + left] = 0;
    memcpy(walk->rest, joined, sizeof(joined));
    walk->next = walk->rest;
    return 0;
}

static void go_to_root(struct walk *walk)
{
    fd_close(&walk->dir);
    walk->here[0] = 0;
}

static int is_link(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISLNK(st.st_mode);
}

/*
 * Whether the link FD of /proc is one whose text only describes where it leads: a path,
 * "pipe:[123]", "(unreachable)/etc". The others are "self", "123/task/123", "self/mounts".
 */
static int is_magic(int fd, const char *text)
{
    struct statfs fs;

    if (fstatfs(fd, &fs) < 0 || fs.f_type != PROC_MAGIC)
        return 0;
    return *text == '/' || strpbrk(text, ":(") != NULL;
}

/* What the link FD leads to is to go next. */
static int follow(struct walk *walk, int fd)
{
    char text[PATH_MAX];
    const ssize_t length = readlinkat(fd, "", text, sizeof(text) - 1);

    if (length <= 0)
        return length < 0 ? -1 : fail(ENOENT);
    text[length] = 0;
    if ((walk->resolve & SYS_RESOLVE_NO_SYMLINKS) || ++walk->links > MAX_LINKS || is_magic(fd, text))
        return fail(ELOOP);
    if (*text == '/')
        go_to_root(walk);
    return put_before_rest(walk, text);
}

/* The directory NAME in DIR, or the link that it is (*LINK). What is automounted there is, as on any way. */
static int open_name(int dir, const char *name, int *link)
{
    int fd = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    *link = 0;
    if (fd >= 0 || (errno != ENOTDIR && errno != ELOOP))
        return fd;
    fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    *link = fd >= 0 && is_link(fd);
    if (fd >= 0 && !*link) {
        fd_close(&fd);
        errno = ENOTDIR;
    }
    return fd;
}

/* From where we are to NAME, a part of `here`, which is followed by END. */
static int enter_again(struct walk *walk, char *name, char *end)
{
    const char saved = *end;
    int link, fd;

    *end = 0;
    fd = open_name(current(walk), name, &link);
    *end = saved;
    if (fd < 0)
        return -1;
    fd_close(&walk->dir);
    walk->dir = fd;
    return link ? fail(ELOOP) : 0;
}

/*
 * Back to the directory before. By its path, once more from the root: it had no links, and
 * must have none now.
 */
static int go_up(struct walk *walk)
{
    char *slash = strrchr(walk->here, '/');

    if (slash)
        *slash = 0;
    fd_close(&walk->dir);
    for (char *name = walk->here; *name;) {
        char *end = name + 1 + strcspn(name + 1, "/");

        if (enter_again(walk, name + 1, end) < 0)
            return -1;
        name = end;
    }
    return 0;
}

static int go_down(struct walk *walk, const char *name)
{
    const size_t used = strlen(walk->here), length = strlen(name);
    int link;
    FD_CLEANUP int fd = -1;

    if (used + length + 2 > sizeof(walk->here))
        return fail(ENAMETOOLONG);
    fd = open_name(current(walk), name, &link);
    if (fd < 0)
        return -1;
    if (link)
        return follow(walk, fd);
    walk->here[used] = '/';
    memcpy(walk->here + used + 1, name, length + 1);
    fd_close(&walk->dir);
    walk->dir = fd_steal(&fd);
    return 0;
}

/* Cuts off the next name; "" at the end. *LAST: nothing follows, not even a slash. */
static int next_name(struct walk *walk, char name[NAME_MAX + 1], int *last)
{
    const char *from = walk->next + strspn(walk->next, "/");
    const size_t length = strcspn(from, "/");

    if (length > NAME_MAX)
        return fail(ENAMETOOLONG);
    memcpy(name, from, length);
    name[length] = 0;
    walk->next = from + length;
    *last = !*walk->next;
    return 0;
}

/* Opens the last NAME. 0: *RESULT is it, or still -1 where a link is to be followed. -1 and errno. */
static int open_last(struct walk *walk, const char *name, int *result)
{
    const int flags = (int)walk->flags;
    const int wants_link = (flags & O_PATH) && (flags & O_NOFOLLOW) && !(flags & O_DIRECTORY);
    FD_CLEANUP int fd = openat(current(walk), name, flags | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0 && (errno == ELOOP || errno == ENOTDIR)) {
        const int saved = errno;

        fd = openat(current(walk), name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || !is_link(fd))
            return fail(fd < 0 ? errno : saved);
        return flags & O_NOFOLLOW ? fail(saved) : follow(walk, fd);
    }
    if (fd < 0)
        return -1;
    if ((flags & O_PATH) && !wants_link && is_link(fd))
        return follow(walk, fd);
    *result = fd_steal(&fd);
    return 0;
}

/* 0: go on. 1: *RESULT is open. -1 and errno. */
static int step(struct walk *walk, int *result)
{
    char name[NAME_MAX + 1];
    int last;

    if (next_name(walk, name, &last) < 0)
        return -1;
    if (!*name) {
        *result = openat(current(walk), ".", (int)walk->flags | O_CLOEXEC);
        return *result < 0 ? -1 : 1;
    }
    if (strcmp(name, ".") == 0)
        return 0;
    if (strcmp(name, "..") == 0)
        return go_up(walk);
    if (!last)
        return go_down(walk, name);
    if (open_last(walk, name, result) < 0)
        return -1;
    return *result >= 0;
}

int resolve_walk(int dir, const char *path, uint64_t flags, uint64_t resolve)
{
    const int is_own_root = !(resolve & SYS_RESOLVE_IN_ROOT) && *path == '/';
    FD_CLEANUP int own_root = is_own_root ? openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
    struct walk walk;
    int result = -1, done = 0;

    if (!*path || strlen(path) >= sizeof(walk.rest) || (is_own_root && own_root < 0))
        return fail(!*path ? ENOENT : is_own_root && own_root < 0 ? errno : ENAMETOOLONG);
    walk.root = is_own_root ? own_root : dir;
    walk.dir = -1;
    walk.here[0] = 0;
    memcpy(walk.rest, path, strlen(path) + 1);
    walk.next = walk.rest;
    walk.flags = flags;
    walk.resolve = resolve;
    walk.links = 0;
    while (!done)
        done = step(&walk, &result);
    fd_close(&walk.dir);
    return done < 0 ? -1 : result;
}

int resolve_open(int dir, const char *path, uint64_t flags, uint64_t resolve)
{
    static int is_older;

    if (!is_older) {
        const int fd = sys_openat2(dir, path, flags, resolve);

        if (fd >= 0 || errno != ENOSYS)
            return fd;
        is_older = 1;
    }
    return resolve_walk(dir, path, flags, resolve);
}
