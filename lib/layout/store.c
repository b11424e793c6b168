#include "layout/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/lock.h"
#include "base/path.h"
#include "base/str.h"

#define WHOLE "layout" /* within what is unfinished */
#define CURRENT ".new" /* the file that is written */
#define MORE "image"   /* what a directory gets more is called, while it is made */

enum { HEADER = 512, OPENED = O_NOFOLLOW | O_CLOEXEC, DIRECTORY = O_RDONLY | O_DIRECTORY | OPENED };

int store_failed(const struct store *store, struct err *err)
{
    return err_set(err, ERR_OUTPUT, "cannot write %s: %s", store->shown, err_reason(errno));
}

int store_write_at(int fd, const void *bytes, size_t length, uint64_t position)
{
    while (length) {
        ssize_t n = pwrite(fd, bytes, length, (off_t)position);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        bytes = (const char *)bytes + n;
        position += (uint64_t)n;
        length -= (size_t)n;
    }
    return 0;
}

void store_init(struct store *store)
{
    *store = (struct store){.parent = -1,
                            .place = -1,
                            .unfinished.fd = -1,
                            .fd = -1,
                            .blobs = -1,
                            .file = -1,
                            .lock = -1,
                            .place_blobs = -1};
}

static void begin(struct store *store, const char *path, struct arena *arena)
{
    store_init(store);
    store->path = path;
    store->shown = str_quote(arena, path);
    store->arena = arena;
}

/* Whether something is in the place that may not be replaced. 0, or -1. */
static int check_place(const struct store *store, struct err *err)
{
    struct stat st;

    if (fstatat(store->parent, store->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    if (store->is_archive && store->replace && S_ISREG(st.st_mode))
        return 0;
    return err_set(err, ERR_OUTPUT, "%s is there already%s", store->shown,
                   store->is_archive && S_ISREG(st.st_mode) ? "; --force replaces it" : "");
}

static int find_place(struct store *store, struct err *err)
{
    const char *clean = path_clean(store->arena, store->path);
    const char *name = path_basename(clean);
    const char *folder = name == clean ? "." : arena_strndup(store->arena, clean, (size_t)(name - clean));

    if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strlen(name) >= STORE_NAME)
        return err_set(err, ERR_OUTPUT, "%s is not a name for a new file or directory", store->shown);
    strcpy(store->name, name);
    store->parent = openat(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return store->parent < 0 ? store_failed(store, err) : check_place(store, err);
}

/* blobs/sha256 in DIR, made where it is missing; links are not followed. A descriptor, or -1 and errno. */
static int open_blobs(int dir)
{
    FD_CLEANUP int outer = -1;

    if (mkdirat(dir, "blobs", 0777) < 0 && errno != EEXIST)
        return -1;
    outer = openat(dir, "blobs", DIRECTORY);
    if (outer < 0 || (mkdirat(outer, "sha256", 0777) < 0 && errno != EEXIST))
        return -1;
    return openat(outer, "sha256", DIRECTORY);
}

int store_open(struct store *store, const char *path, int is_archive, int replace, struct arena *arena,
               struct err *err)
{
    begin(store, path, arena);
    store->is_archive = is_archive;
    store->replace = replace;
    return find_place(store, err);
}

int store_open_read(struct store *store, const char *path, struct arena *arena, struct err *err)
{
    begin(store, path, arena);
    store->is_there = 1;
    strcpy(store->name, MORE);
    store->place = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return store->place < 0 ? store_failed(store, err) : 0;
}

/* The directory that grows has ours in it, whose mode is as anyone's. 0, or -1 and errno. */
static int make_directory(struct store *store, int parent)
{
    if (unfinished_directory(&store->unfinished, parent, store->name) < 0 ||
        mkdirat(store->unfinished.fd, WHOLE, 0777) < 0)
        return -1;
    store->fd = openat(store->unfinished.fd, WHOLE, DIRECTORY);
    store->blobs = store->fd < 0 ? -1 : open_blobs(store->fd);
    return store->blobs < 0 ? -1 : 0;
}

static int make_archive(struct store *store)
{
    if (unfinished_file(&store->unfinished, store->parent, store->name) < 0)
        return -1;
    store->fd = store->unfinished.fd;
    return 0;
}

int store_start(struct store *store, struct err *err)
{
    const int parent = store->is_there ? store->place : store->parent;

    if (store->is_there) {
        store->place_blobs = open_blobs(store->place);
        if (store->place_blobs < 0)
            return store_failed(store, err);
    }
    unfinished_sweep(parent, store->name);
    return (store->is_archive ? make_archive(store) : make_directory(store, parent)) < 0
               ? store_failed(store, err)
               : 0;
}

/*
 * oci-layout is there as long as the layout. NFS locks only what is open for writing. Others who may write
 * to the directory may have put a FIFO there, which nobody ever opens.
 */
static int open_lock(const struct store *store)
{
    const int flags = OPENED | O_NONBLOCK | O_NOCTTY;
    const int fd = openat(store->place, STORE_MARK, O_RDWR | flags);

    return fd < 0 ? openat(store->place, STORE_MARK, O_RDONLY | flags) : fd;
}

int store_lock(struct store *store, struct err *err)
{
    struct stat st;

    if (!store->is_there || store->lock >= 0)
        return 0;
    store->lock = open_lock(store);
    if (store->lock < 0 || fstat(store->lock, &st) < 0)
        return store_failed(store, err);
    if (!S_ISREG(st.st_mode))
        return err_set(err, ERR_OUTPUT,
                       "cannot write %s: its file %s is no regular file any more; name another layout",
                       store->shown, STORE_MARK);
    return lock_wait(store->lock, LOCK_PATIENCE) < 0
               ? err_set(err, ERR_OUTPUT,
                         "cannot write %s: another process has been about to change it for %d seconds and "
                         "does not end; see which has its file %s open (fuser, lsof), end it and try again",
                         store->shown, LOCK_PATIENCE, STORE_MARK)
               : 0;
}

int store_has(const struct store *store, const char *name)
{
    for (size_t i = 0; i < store->count; i++)
        if (strcmp(store->names[i], name) == 0)
            return 1;
    return 0;
}

void store_note(struct store *store, const char *name)
{
    if (store_has(store, name))
        return;
    store->names = arena_grow(store->arena, store->names, store->count, &store->room, sizeof(*store->names));
    store->names[store->count++] = arena_strdup(store->arena, name);
}

int store_begin(struct store *store, struct err *err)
{
    if (store->is_archive) {
        store->start = store->position;
        store->position += HEADER;
        return 0;
    }
    store->position = 0;
    store->file = openat(store->fd, CURRENT, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
    return store->file < 0 ? store_failed(store, err) : 0;
}

int store_write(struct store *store, const void *bytes, size_t length, struct err *err)
{
    int fd = store->is_archive ? store->fd : store->file;

    if (store_write_at(fd, bytes, length, store->position) < 0)
        return store_failed(store, err);
    store->position += length;
    return 0;
}

int store_rewind(struct store *store, struct err *err)
{
    int fd = store->is_archive ? store->fd : store->file;

    store->position = store->is_archive ? store->start + HEADER : 0;
    return ftruncate(fd, (off_t)store->position) < 0 ? store_failed(store, err) : 0;
}

/* Where NAME is of DIR and BLOBS, and what it is called there. */
static int directory_of(int dir, int blobs, const char *name, const char **base)
{
    const int is_blob = strncmp(name, STORE_BLOBS "/", strlen(STORE_BLOBS) + 1) == 0;

    *base = is_blob ? path_basename(name) : name;
    return is_blob ? blobs : dir;
}

int store_end(struct store *store, const char *name, struct err *err)
{
    const char *base;
    const int dir = directory_of(store->fd, store->blobs, name, &base);
    int failed;

    if (store->is_archive)
        return archive_end(store, name, err);
    failed = close(fd_steal(&store->file));
    if (failed || renameat(store->fd, CURRENT, dir, base) < 0)
        return store_failed(store, err);
    store_note(store, name);
    return 0;
}

int store_put(struct store *store, const char *name, const void *bytes, size_t length, struct err *err)
{
    if (store_begin(store, err) < 0 || store_write(store, bytes, length, err) < 0)
        return -1;
    return store_end(store, name, err);
}

/* One file gets its place. 1: it was not there before, 0, or -1 and errno. */
static int move(const struct store *store, const char *name)
{
    const char *base;
    const int from = directory_of(store->fd, store->blobs, name, &base);
    const int to = directory_of(store->place, store->place_blobs, name, &base);
    const int is_new = faccessat(to, base, F_OK, AT_SYMLINK_NOFOLLOW) < 0;

    return renameat(from, base, to, base) < 0 ? -1 : is_new;
}

static void take_back(const struct store *store, const char *name)
{
    const char *base;
    const int dir = directory_of(store->place, store->place_blobs, name, &base);

    unlinkat(dir, base, 0);
}

/* In the order in which they were made: what names others comes last. 0, or -1 and errno. */
static int move_all(struct store *store)
{
    char *is_new = arena_alloc(store->arena, store->count + 1);
    size_t done = 0;
    int saved;

    while (done < store->count) {
        const int moved = move(store, store->names[done]);

        if (moved < 0)
            break;
        is_new[done++] = (char)moved;
    }
    if (done == store->count)
        return 0;
    saved = errno;
    while (done--)
        if (is_new[done])
            take_back(store, store->names[done]);
    errno = saved;
    return -1;
}

static int publish(struct store *store)
{
    if (store->is_archive)
        return unfinished_publish(&store->unfinished, store->replace);
    if (store->is_there)
        return move_all(store);
    return unfinished_name(store->unfinished.fd, WHOLE, store->parent, store->name);
}

int store_publish(struct store *store, struct err *err)
{
    if (store->is_archive && archive_finish(store, err) < 0)
        return -1;
    return publish(store) < 0 ? store_failed(store, err) : 0;
}

void store_close(struct store *store)
{
    fd_close(&store->file);
    fd_close(&store->blobs);
    if (!store->is_archive)
        fd_close(&store->fd);
    unfinished_close(&store->unfinished);
    fd_close(&store->lock);
    fd_close(&store->place_blobs);
    fd_close(&store->place);
    fd_close(&store->parent);
}
