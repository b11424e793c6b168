#include "layout/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/remove.h"
#include "base/str.h"

enum { ATTEMPTS = 16, HEADER = 512, DIRECTORY = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

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

/* A new file, or with IS_DIRECTORY a directory, in DIR; writes its name. A descriptor, or -1 and errno. */
static int make_temporary(int dir, char name[STORE_TEMPORARY], int is_directory)
{
    uint32_t random;

    for (int i = 0; i < ATTEMPTS; i++) {
        int fd = -1;

        if (getrandom(&random, sizeof(random), 0) != sizeof(random))
            break;
        snprintf(name, STORE_TEMPORARY, ".coracle-%08x", random);
        if (!is_directory)
            fd = openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
        else if (mkdirat(dir, name, 0777) == 0)
            fd = openat(dir, name, DIRECTORY);
        if (fd >= 0)
            return fd;
        if (errno != EEXIST)
            break;
    }
    name[0] = '\0';
    return -1;
}

static void begin(struct store *store, const char *path, struct arena *arena)
{
    *store = (struct store){.path = path,
                            .shown = str_quote(arena, path),
                            .parent = -1,
                            .fd = -1,
                            .blobs = -1,
                            .file = -1,
                            .arena = arena};
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

/* blobs/sha256 in the directory, made where it is missing; links are not followed. 0, or -1 and errno. */
static int open_blobs(struct store *store)
{
    FD_CLEANUP int outer = -1;

    if (mkdirat(store->fd, "blobs", 0777) < 0 && errno != EEXIST)
        return -1;
    outer = openat(store->fd, "blobs", DIRECTORY);
    if (outer < 0 || (mkdirat(outer, "sha256", 0777) < 0 && errno != EEXIST))
        return -1;
    store->blobs = openat(outer, "sha256", DIRECTORY);
    return store->blobs < 0 ? -1 : 0;
}

int store_open(struct store *store, const char *path, int is_archive, int replace, struct arena *arena,
               struct err *err)
{
    begin(store, path, arena);
    store->is_archive = is_archive;
    store->replace = replace;
    if (find_place(store, err) < 0)
        return -1;
    store->fd = make_temporary(store->parent, store->temporary, !is_archive);
    if (store->fd < 0 || (!is_archive && open_blobs(store) < 0))
        return store_failed(store, err);
    return 0;
}

int store_open_read(struct store *store, const char *path, struct arena *arena, struct err *err)
{
    begin(store, path, arena);
    store->is_there = 1;
    store->fd = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return store->fd < 0 ? store_failed(store, err) : 0;
}

int store_open_more(struct store *store, struct err *err)
{
    return open_blobs(store) < 0 ? store_failed(store, err) : 0;
}

const char *store_temporary_path(const struct store *store)
{
    const char *clean = path_clean(store->arena, store->path);
    const char *folder = arena_strndup(store->arena, clean, (size_t)(path_basename(clean) - clean));

    return arena_join(store->arena, folder, store->temporary, NULL);
}

int store_begin(struct store *store, struct err *err)
{
    if (store->is_archive) {
        store->start = store->position;
        store->position += HEADER;
        return 0;
    }
    store->position = 0;
    store->file = make_temporary(store->fd, store->file_name, 0);
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

/* Where NAME is, and what it is called there. */
static int directory_of(const struct store *store, const char *name, const char **base)
{
    const int is_blob = strncmp(name, STORE_BLOBS "/", strlen(STORE_BLOBS) + 1) == 0;

    *base = is_blob ? path_basename(name) : name;
    return is_blob ? store->blobs : store->fd;
}

int store_end(struct store *store, const char *name, struct err *err)
{
    const char *base;
    const int dir = directory_of(store, name, &base);
    int was_there, failed;

    if (store->is_archive)
        return archive_end(store, name, err);
    failed = close(store->file);
    store->file = -1;
    was_there = faccessat(dir, base, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    if (failed || renameat(store->fd, store->file_name, dir, base) < 0)
        return store_failed(store, err);
    store->file_name[0] = '\0';
    if (store->is_there && !was_there) {
        store->names = arena_grow(store->arena, store->names, store->count, &store->room, sizeof(char *));
        store->names[store->count++] = arena_strdup(store->arena, name);
    }
    return 0;
}

int store_put(struct store *store, const char *name, const void *bytes, size_t length, struct err *err)
{
    if (store_begin(store, err) < 0 || store_write(store, bytes, length, err) < 0)
        return -1;
    return store_end(store, name, err);
}

/* An archive gets its name; where nothing is to be replaced, only if that is still free. */
static int name_archive(struct store *store)
{
    struct stat st;

    if (store->replace)
        return renameat(store->parent, store->temporary, store->parent, store->name);
    if (linkat(store->parent, store->temporary, store->parent, store->name, 0) == 0)
        return unlinkat(store->parent, store->temporary, 0);
    /* A file system without hard links. */
    if (errno == EEXIST || fstatat(store->parent, store->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return -1;
    return renameat(store->parent, store->temporary, store->parent, store->name);
}

static int name_directory(struct store *store)
{
    int result = renameat2(store->parent, store->temporary, store->parent, store->name, RENAME_NOREPLACE);

    /* NFS knows no NOREPLACE: rename(2) replaces no directory but an empty one. */
    if (result < 0 && (errno == EINVAL || errno == ENOSYS) &&
        faccessat(store->parent, store->name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
        result = renameat(store->parent, store->temporary, store->parent, store->name);
    return result;
}

int store_publish(struct store *store, struct err *err)
{
    if (!store->is_there) {
        if (store->is_archive && archive_finish(store, err) < 0)
            return -1;
        /* Some file systems say only now that there was no space. */
        if (store->is_archive && close(fd_steal(&store->fd)) < 0)
            return store_failed(store, err);
        if ((store->is_archive ? name_archive(store) : name_directory(store)) < 0)
            return store_failed(store, err);
    }
    store->temporary[0] = '\0';
    store->count = 0;
    return 0;
}

void store_close(struct store *store)
{
    fd_close(&store->file);
    if (store->file_name[0])
        unlinkat(store->fd, store->file_name, 0);
    for (size_t i = 0; store->is_there && i < store->count; i++) {
        const char *base;
        const int dir = directory_of(store, store->names[i], &base);

        unlinkat(dir, base, 0);
    }
    if (store->temporary[0] && store->is_archive)
        unlinkat(store->parent, store->temporary, 0);
    fd_close(&store->blobs);
    fd_close(&store->fd);
    if (store->temporary[0] && !store->is_archive)
        remove_tree(store->parent, store->temporary);
    fd_close(&store->parent);
}
