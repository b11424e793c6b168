/* A directory: names in order, each opened in the directory that it is in, no link followed. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "stream/directory.h"

enum { OPENED = O_NOFOLLOW | O_CLOEXEC };

static int fail(struct walk *walk, const char *what, int errnum)
{
    const int is_limit = errnum == EMFILE || errnum == ENFILE;

    return err_set(&walk->stream->err, is_limit ? ERR_LIMIT : ERR_IMAGE_UNREADABLE, "%s: %s /%.300s %s: %s",
                   walk->stream->name, what, walk->path, "cannot be read", err_reason(errnum));
}

static int changed(struct walk *walk)
{
    return err_set(&walk->stream->err, ERR_IMAGE_UNREADABLE,
                   "%s: /%.300s changed while it was read; try again when nothing writes to it",
                   walk->stream->name, walk->path);
}

/* NAME is added to the path. Its length before, to be given back; -1: it is too long. */
static ssize_t path_push(struct walk *walk, const char *name)
{
    size_t before = walk->length, length = strlen(name);

    if (before + length + 1 > WORK_PATH_LIMIT)
        return err_set(&walk->stream->err, ERR_LIMIT,
                       "%s: a path beneath /%.200s... has more than %d bytes, which no layer may have",
                       walk->stream->name, walk->path, WORK_PATH_LIMIT);
    if (before)
        walk->path[walk->length++] = '/';
    memcpy(walk->path + walk->length, name, length + 1);
    walk->length += length;
    return (ssize_t)before;
}

static void path_pop(struct walk *walk, ssize_t before)
{
    walk->length = (size_t)before;
    walk->path[walk->length] = '\0';
}

/* NAME, which is ST and belongs to us, gets BITS for the moment. 0, or -1 and errno. */
static int add_mode(const struct walk *walk, const char *name, const struct stat *st, mode_t bits)
{
    FD_CLEANUP int fd = openat(walk->current, name, O_PATH | OPENED);
    char link[64];
    struct stat now;

    if (fd < 0 || fstat(fd, &now) < 0)
        return -1;
    if (now.st_ino != st->st_ino || now.st_dev != st->st_dev) {
        errno = ESTALE;
        return -1;
    }
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    return chmod(link, (st->st_mode | bits) & 07777);
}

/* Opens NAME, which is ST; *MODE_CHANGED: its mode is to be set back. A descriptor, or -1 and errno. */
static int open_entry(const struct walk *walk, const char *name, const struct stat *st, int *mode_changed)
{
    const int is_directory = S_ISDIR(st->st_mode);
    const int flags = O_RDONLY | OPENED | (is_directory ? O_DIRECTORY : O_NONBLOCK | O_NOCTTY);
    const mode_t bits = is_directory ? S_IRUSR | S_IXUSR : S_IRUSR;
    const int is_closed = (st->st_mode & bits) != bits;

    *mode_changed = 0;
    if (is_closed && walk->user && st->st_uid == walk->user) {
        if (add_mode(walk, name, st, bits) < 0) {
            errno = errno == ESTALE ? ESTALE : EACCES; /* that is what the user has to mend */
            return -1;
        }
        *mode_changed = 1;
    }
    return openat(walk->current, name, flags);
}

/* Owner and mode of what is ST. */
static void describe(const struct walk *walk, const struct stat *st, struct member *member)
{
    const struct owner *owner;

    *member = (struct member){
        .path = walk->path, .mode = st->st_mode, .uid = st->st_uid, .gid = st->st_gid, .mtime = st->st_mtime};
    if (st->st_uid != walk->owner)
        return;
    if (walk->owner)
        member->uid = member->gid = 0;
    owner = owners_find(&walk->owners, walk->path);
    if (owner && (owner->mode & S_IFMT) == (st->st_mode & S_IFMT)) {
        member->uid = owner->uid;
        member->gid = owner->gid;
        member->mode |= owner->mode & 07000;
    }
}

/*
 * Whether what is ST is in the tar under another name, which then becomes MEMBER's; else its
 * path is noted. 0, or -1.
 */
static int find_link(struct walk *walk, const struct stat *st, struct member *member)
{
    struct stream *stream = walk->stream;

    if (st->st_nlink < 2 || S_ISDIR(st->st_mode))
        return 0;
    member->hard_link = links_find(&stream->links, st->st_dev, st->st_ino);
    if (member->hard_link)
        return 0;
    return links_add(&stream->links, st->st_dev, st->st_ino, arena_strdup(&stream->arena, walk->path)) < 0
               ? err_set(&stream->err, ERR_NO_MEMORY, "no memory for the names of %s", stream->name)
               : 0;
}

static int put_simple(struct walk *walk, const struct member *member)
{
    return tar_begin(walk->stream, member) < 0 ? -1 : tar_end(walk->stream);
}

static int put_file(struct walk *walk, const char *name, const struct stat *st)
{
    struct member member;
    FD_CLEANUP int fd = -1;
    struct stat now;
    int mode_changed, saved, result;

    describe(walk, st, &member);
    if (find_link(walk, st, &member) < 0)
        return -1;
    if (member.hard_link)
        return put_simple(walk, &member);
    fd = open_entry(walk, name, st, &mode_changed);
    saved = errno;
    if (mode_changed && fd >= 0)
        fchmod(fd, st->st_mode & 07777);
    if (fd < 0)
        return fail(walk, "the file", saved);
    if (fstat(fd, &now) < 0 || now.st_ino != st->st_ino || now.st_dev != st->st_dev || !S_ISREG(now.st_mode))
        return changed(walk);
    if (sys_mount_id(fd) != walk->mount) {
        walk->stream->counts.mounts++;
        return 0;
    }
    result = contents_put(walk, fd, &now, &member);
    return result == 1 ? changed(walk) : result;
}

static int put_symbolic_link(struct walk *walk, const char *name, const struct stat *st)
{
    char target[WORK_PATH_LIMIT + 1];
    struct member member;
    ssize_t length;

    describe(walk, st, &member);
    if (find_link(walk, st, &member) < 0)
        return -1;
    length = readlinkat(walk->current, name, target, sizeof(target));
    if (length < 0 || length == sizeof(target))
        return length < 0 ? fail(walk, "the symbolic link", errno) : changed(walk);
    target[length] = '\0';
    member.target = target;
    return put_simple(walk, &member);
}

static int put_other(struct walk *walk, const struct stat *st)
{
    struct member member;

    describe(walk, st, &member);
    return find_link(walk, st, &member) < 0 ? -1 : put_simple(walk, &member);
}

static int is_coracles(const struct walk *walk)
{
    return strcmp(walk->path, ".coracle") == 0;
}

/* NAME of the current directory. 0 or -1. */
static int put_entry(struct walk *walk, const char *name)
{
    struct stream *stream = walk->stream;
    struct stat st;

    if (fstatat(walk->current, name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0)
        return errno == ENOENT ? changed(walk) : fail(walk, "what is called", errno);
    switch (st.st_mode & S_IFMT) {
    case S_IFDIR:
        return directory_put(walk, name, &st);
    case S_IFREG:
        return put_file(walk, name, &st);
    case S_IFLNK:
        return put_symbolic_link(walk, name, &st);
    case S_IFIFO:
        return put_other(walk, &st);
    case S_IFSOCK:
        stream->counts.sockets++;
        return 0;
    default:
        stream->counts.devices++;
        return 0;
    }
}

/* All that is in the current directory. 0 or -1. */
static int put_entries(struct walk *walk)
{
    struct names names;
    int result = names_read(&names, walk->current);

    if (result < 0)
        fail(walk, "the directory", errno);
    for (size_t i = 0; i < names.count && result == 0; i++) {
        ssize_t before = path_push(walk, names.list[i]);

        result = before < 0 ? -1 : 0;
        if (result == 0 && !is_coracles(walk))
            result = put_entry(walk, names.list[i]);
        if (before >= 0)
            path_pop(walk, before);
    }
    names_free(&names);
    return result;
}

/* Back to the directory that is PARENT, from one whose mode is to be MODE where it was changed. 0 or -1. */
static int leave(struct walk *walk, const struct stat *parent, int mode_changed, mode_t mode)
{
    int fd = openat(walk->current, "..", O_RDONLY | O_DIRECTORY | OPENED);
    struct stat st;

    if (mode_changed)
        fchmod(walk->current, mode & 07777);
    if (fd < 0)
        return -1;
    close(walk->current);
    walk->current = fd;
    return fstat(fd, &st) < 0 || st.st_ino != parent->st_ino || st.st_dev != parent->st_dev ? -1 : 0;
}

/* What is in FD, which becomes the current directory. 0 or -1. */
static int enter(struct walk *walk, int fd, int mode_changed, mode_t mode)
{
    struct stat parent;
    int result;

    if (fstat(walk->current, &parent) < 0) {
        close(fd);
        return fail(walk, "the directory", errno);
    }
    close(walk->current);
    walk->current = fd;
    walk->depth++;
    result = put_entries(walk);
    walk->depth--;
    /* Also after a failure: modes are to be set back on the way. */
    if (leave(walk, &parent, mode_changed, mode) < 0 && result == 0)
        return changed(walk);
    return result;
}

static int is_too_deep(struct walk *walk)
{
    if (walk->depth < WORK_DEPTH_LIMIT)
        return 0;
    err_set(&walk->stream->err, ERR_LIMIT, "%s: more than %d directories are within each other",
            walk->stream->name, WORK_DEPTH_LIMIT);
    return 1;
}

int directory_put(struct walk *walk, const char *name, const struct stat *st)
{
    struct member member;
    int fd, mode_changed, result = -1;
    struct stat now;

    if (is_too_deep(walk))
        return -1;
    fd = open_entry(walk, name, st, &mode_changed);
    describe(walk, st, &member);
    if (fd < 0)
        return fail(walk, "the directory", errno);
    if (fstat(fd, &now) < 0 || now.st_ino != st->st_ino || now.st_dev != st->st_dev) {
        close(fd);
        return changed(walk);
    }
    attributes_read(walk->stream, fd);
    if (put_simple(walk, &member) == 0) {
        if (sys_mount_id(fd) == walk->mount && st->st_dev == walk->device)
            return enter(walk, fd, mode_changed, st->st_mode);
        walk->stream->counts.mounts++;
        result = 0;
    }
    if (mode_changed)
        fchmod(fd, st->st_mode & 07777);
    close(fd);
    return result;
}

int directory_make(struct stream *stream)
{
    const struct directory *directory = stream->source;
    struct walk walk = {.stream = stream,
                        .owners = directory->owners,
                        .owner = directory->status.st_uid,
                        .user = geteuid(),
                        .device = directory->status.st_dev,
                        .mount = sys_mount_id(directory->fd)};
    struct member member;
    int result;

    walk.current = openat(directory->fd, ".", O_RDONLY | O_DIRECTORY | OPENED);
    if (walk.current < 0)
        return fail(&walk, "the directory", errno);
    describe(&walk, &directory->status, &member);
    attributes_read(stream, walk.current);
    result = put_simple(&walk, &member);
    if (result == 0)
        result = put_entries(&walk);
    fd_close(&walk.current);
    return result;
}
