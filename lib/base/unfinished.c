#include "base/unfinished.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/remove.h"
#include "base/sys.h"

enum { NAME_PART = 160, NODE_PART = 64, PREFIX = 256, ATTEMPTS = 16, DAY = 24 * 60 * 60 };

/* ".NAME.partial-", which all that is made of NAME begins with. */
static void prefix_of(char prefix[PREFIX], const char *name)
{
    snprintf(prefix, PREFIX, ".%.*s.partial-", NAME_PART, name);
}

/* "NODE-", of this node. */
static void node_part(char node[NODE_PART + 2])
{
    struct utsname system;

    if (uname(&system) < 0)
        strcpy(system.nodename, "node");
    for (char *p = system.nodename; *p; p++) {
        if (*p == '/')
            *p = '_';
    }
    snprintf(node, NODE_PART + 2, "%.*s-", NODE_PART, system.nodename);
}

static int next_name(struct unfinished *unfinished)
{
    char prefix[PREFIX], node[NODE_PART + 2];
    uint32_t number;

    if (getrandom(&number, sizeof(number), 0) != sizeof(number))
        return -1;
    prefix_of(prefix, unfinished->name);
    node_part(node);
    snprintf(unfinished->part, sizeof(unfinished->part), "%.180s%s%08x", prefix, node, number);
    return 0;
}

static int is_named(int parent, const char *name, int fd)
{
    struct stat opened, named;

    return fstat(fd, &opened) == 0 && fstatat(parent, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

/*
 * Locks what was just made. 0, or -1: who sweeps was faster, and takes it away. A file
 * system without locks is no reason not to write to it.
 */
static int lock_new(const struct unfinished *unfinished)
{
    if (flock(unfinished->fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
        return -1;
    return is_named(unfinished->parent, unfinished->part, unfinished->fd) ? 0 : -1;
}

/* Makes and opens what has the name `part`. The descriptor, or -1 and errno. */
static int make_file(const struct unfinished *unfinished)
{
    return openat(unfinished->parent, unfinished->part, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                  0666);
}

static int make_directory(const struct unfinished *unfinished)
{
    if (mkdirat(unfinished->parent, unfinished->part, 0700) < 0)
        return -1;
    return openat(unfinished->parent, unfinished->part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int begin(struct unfinished *unfinished, int (*make)(const struct unfinished *unfinished))
{
    for (int i = 0; i < ATTEMPTS; i++) {
        if (next_name(unfinished) < 0)
            break;
        unfinished->fd = make(unfinished);
        if (unfinished->fd >= 0 && lock_new(unfinished) == 0)
            return 0;
        if (unfinished->fd < 0 && errno != EEXIST && errno != ENOENT)
            break;
        fd_close(&unfinished->fd);
        errno = EEXIST;
    }
    unfinished->part[0] = '\0';
    return -1;
}

/* A file without a name, that can be given one. 0 or -1. */
static int begin_nameless(struct unfinished *unfinished)
{
    char link[64];

    unfinished->fd = openat(unfinished->parent, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
    if (unfinished->fd < 0)
        return -1;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", unfinished->fd);
    if (access(link, F_OK) == 0)
        return 0;
    fd_close(&unfinished->fd);
    return -1;
}

int unfinished_file(struct unfinished *unfinished, int parent, const char *name)
{
    *unfinished = (struct unfinished){.parent = parent, .name = name, .fd = -1};
    return begin_nameless(unfinished) == 0 ? 0 : begin(unfinished, make_file);
}

int unfinished_directory(struct unfinished *unfinished, int parent, const char *name)
{
    *unfinished = (struct unfinished){.parent = parent, .name = name, .fd = -1};
    return begin(unfinished, make_directory);
}

static int give_name(const struct unfinished *unfinished, const char *name)
{
    char link[64];

    snprintf(link, sizeof(link), "/proc/self/fd/%d", unfinished->fd);
    return linkat(AT_FDCWD, link, unfinished->parent, name, AT_SYMLINK_FOLLOW);
}

/* rename() replaces, which a link to a descriptor does not: it gets a name for a moment. */
static int name_for_a_moment(struct unfinished *unfinished)
{
    flock(unfinished->fd, LOCK_EX | LOCK_NB);
    for (int i = 0; i < ATTEMPTS; i++) {
        if (next_name(unfinished) < 0)
            break;
        if (give_name(unfinished, unfinished->part) == 0)
            return 0;
        if (errno != EEXIST)
            break;
    }
    unfinished->part[0] = '\0';
    return -1;
}

int unfinished_name(int dir, const char *part, int parent, const char *name)
{
    struct stat st;

    if (sys_rename_new(dir, part, parent, name) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    /* NFS knows no NOREPLACE, but links of files: the part goes when it is closed. Some know neither. */
    if (linkat(dir, part, parent, name, 0) == 0)
        return 0;
    if (errno == EEXIST)
        return -1;
    if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        errno = EEXIST;
        return -1;
    }
    return renameat(dir, part, parent, name);
}

/* Some file systems say only when a file is closed that there was no room. 0, or -1 and errno. */
static int flush(int fd)
{
    const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

    return copy < 0 ? -1 : close(copy);
}

int unfinished_publish(struct unfinished *unfinished, int replace)
{
    int result;

    if (flush(unfinished->fd) < 0)
        return -1;
    if (!unfinished->part[0] && !replace)
        return give_name(unfinished, unfinished->name);
    if (!unfinished->part[0] && name_for_a_moment(unfinished) < 0)
        return -1;
    result =
        replace ? renameat(unfinished->parent, unfinished->part, unfinished->parent, unfinished->name)
                : unfinished_name(unfinished->parent, unfinished->part, unfinished->parent, unfinished->name);
    if (result == 0 && !is_named(unfinished->parent, unfinished->part, unfinished->fd))
        unfinished->part[0] = '\0';
    return result;
}

static void remove_part(int parent, const char *name, int is_directory)
{
    if (is_directory)
        remove_tree(parent, name);
    else
        unlinkat(parent, name, 0);
}

void unfinished_close(struct unfinished *unfinished)
{
    struct stat st;

    if (unfinished->part[0] && fstat(unfinished->fd, &st) == 0)
        remove_part(unfinished->parent, unfinished->part, S_ISDIR(st.st_mode));
    unfinished->part[0] = '\0';
    fd_close(&unfinished->fd);
}

/* Whether the maker of FD is gone, or another node's has not touched it for a day. */
static int is_left(int fd, const struct stat *st, int is_of_this_node)
{
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return is_of_this_node || st->st_mtime < time(NULL) - DAY;
    return errno != EWOULDBLOCK && st->st_mtime < time(NULL) - DAY;
}

/* Whether REST, behind the prefix, is as next_name() makes it: "NODE-0123abcd". */
static int is_ending(const char *rest)
{
    const char *number = strrchr(rest, '-');

    return number && number != rest && strlen(number + 1) == 8 && strspn(number + 1, "0123456789abcdef") == 8;
}

/*
 * Whether REST, behind the prefix, is of NODE, and not of one whose name only begins so:
 * "login-2-0123abcd".
 */
static int is_of(const char *rest, const char *node)
{
    return strncmp(rest, node, strlen(node)) == 0 && !strchr(rest + strlen(node), '-');
}

/* Whether others can give names in what ST is: also such a one to a directory that is ours. */
static int is_open_to_others(const struct stat *st)
{
    return (st->st_uid && st->st_uid != geteuid()) ||
           ((st->st_mode & (S_IWGRP | S_IWOTH)) && !(st->st_mode & S_ISVTX));
}

/* NFS locks exclusively only what is open for writing. */
static void sweep_one(int parent, const char *name, int is_of_this_node)
{
    struct stat above;
    FD_CLEANUP int fd = openat(parent, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat st;

    if (fd < 0 && errno == EISDIR)
        fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0 || st.st_uid != geteuid() ||
        (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
        return;
    if (S_ISDIR(st.st_mode) && (fstat(parent, &above) < 0 || is_open_to_others(&above)))
        return;
    if (is_left(fd, &st, is_of_this_node) && is_named(parent, name, fd))
        remove_part(parent, name, S_ISDIR(st.st_mode));
}

void unfinished_sweep(int parent, const char *name)
{
    int fd = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    char prefix[PREFIX], node[NODE_PART + 2];
    const struct dirent *entry;

    if (!dir) {
        fd_close(&fd);
        return;
    }
    prefix_of(prefix, name);
    node_part(node);
    while ((entry = readdir(dir))) {
        const char *rest = entry->d_name + strlen(prefix);

        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0 && is_ending(rest))
            sweep_one(parent, entry->d_name, is_of(rest, node));
    }
    closedir(dir);
}
