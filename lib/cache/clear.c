/* Taking away what is in a cache, all or what nobody needs, and nothing else. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/remove.h"
#include "base/str.h"
#include "cache/name.h"
#include "cache/store.h"

enum { DEPTH_LIMIT = 140 };

/* What belongs to the cache: whether NAME in DIRECTORY, which is ST, does. */
typedef int belongs(const char *directory, const char *name, const struct stat *st, struct arena *arena);

struct clearing {
    belongs *belongs;
    int removes_trees; /* what belongs may be a directory */
    struct arena *arena;
    struct err *err;
};

static int is_hex(const char *text, size_t length)
{
    return strspn(text, "0123456789abcdef") >= length;
}

/* Whether TEXT is of an ALGORITHM as many hexadecimal digits as that has. */
static int is_digest(const char *algorithm, const char *text, size_t length)
{
    const size_t expected = strcmp(algorithm, "sha256") == 0   ? 64
                            : strcmp(algorithm, "sha512") == 0 ? 128
                            : strcmp(algorithm, "file") == 0   ? DIGEST_TEXT - 1
                                                               : 0;

    return expected && length == expected && is_hex(text, length);
}

int store_is_image(const char *algorithm, const char *file)
{
    const char *end = strrchr(file, '.');

    return end && strcmp(end, ".sqfs") == 0 && is_digest(algorithm, file, (size_t)(end - file));
}

int store_is_link(const char *target)
{
    static const char images[] = "../" CACHE_IMAGES "/";

    while (strncmp(target, "../../", 6) == 0)
        target += 3;
    return strncmp(target, images, sizeof(images) - 1) == 0;
}

static int is_name(const char *directory, const char *name, const struct stat *st, struct arena *arena)
{
    char target[PATH_MAX];
    ssize_t length = -1;

    if (S_ISLNK(st->st_mode))
        length = readlink(path_join(arena, directory, name), target, sizeof(target) - 1);
    target[length > 0 ? length : 0] = 0;
    return store_is_link(target);
}

/* Or an image's that was not finished: base/unfinished.h. */
static int is_image(const char *directory, const char *name, const struct stat *st, struct arena *arena)
{
    const char *algorithm = path_basename(directory), *partial = strstr(name, ".sqfs.partial-");

    if (!S_ISREG(st->st_mode))
        return 0;
    if (*name == '.' && partial)
        name = arena_strndup(arena, name + 1, (size_t)(partial - name) + sizeof(".sqfs") - 2);
    return store_is_image(algorithm, name);
}

static int is_download(const char *directory, const char *name, const struct stat *st, struct arena *arena)
{
    const char *colon = strchr(name, ':');

    (void)directory;
    return S_ISDIR(st->st_mode) && colon &&
           is_digest(arena_strndup(arena, name, (size_t)(colon - name)), colon + 1, strlen(colon + 1));
}

static int remove_one(const struct clearing *clearing, int dir, const char *path, const char *name)
{
    if ((clearing->removes_trees ? remove_tree(dir, name) : unlinkat(dir, name, 0)) == 0 || errno == ENOENT)
        return 0;
    return err_set(clearing->err, ERR_OUTPUT, "cannot remove %s: %s",
                   str_quote(clearing->arena, path_join(clearing->arena, path, name)), err_reason(errno));
}

/* What belongs to the cache in the directory PATH, then that, where nothing else is in it. 0 or -1. */
static int clear(const struct clearing *clearing, const char *path, int depth)
{
    FD_CLEANUP int fd = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(dup(fd));
    const struct dirent *entry;
    struct stat st;
    int result = 0;

    if (!dir && errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
        return err_set(clearing->err, ERR_OUTPUT, "cannot look through %s: %s",
                       str_quote(clearing->arena, path), err_reason(errno));
    while (dir && result == 0 && (entry = readdir(dir))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        if (clearing->belongs(path, entry->d_name, &st, clearing->arena))
            result = remove_one(clearing, fd, path, entry->d_name);
        else if (S_ISDIR(st.st_mode) && depth < DEPTH_LIMIT)
            result = clear(clearing, path_join(clearing->arena, path, entry->d_name), depth + 1);
    }
    if (dir)
        closedir(dir);
    if (result == 0)
        rmdir(path);
    return result;
}

int store_clear(const char *directory, struct arena *arena, struct err *err)
{
    static const struct {
        const char *name;
        belongs *belongs;
        int removes_trees;
    } parts[] = {{CACHE_NAMES, is_name, 0}, {CACHE_IMAGES, is_image, 0}, {CACHE_LAYERS, is_download, 1}};

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        const struct clearing clearing = {parts[i].belongs, parts[i].removes_trees, arena, err};

        if (clear(&clearing, path_join(arena, directory, parts[i].name), 0) < 0)
            return -1;
    }
    return 0;
}

/* Whether a process of this node fetches the part NAME in FOLDER: registry/partial.h. */
static int is_locked(int folder, const char *name)
{
    FD_CLEANUP int fd = openat(folder, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

/* Whether FOLDER, a download's, and all that is in it, are from before BEFORE, and nobody is at it. */
static int is_abandoned(int folder, int64_t before)
{
    DIR *dir = fdopendir(dup(folder));
    const struct dirent *entry;
    struct stat st;
    int is_old = dir && fstat(folder, &st) == 0 && st.st_mtime < before;

    while (is_old && (entry = readdir(dir)))
        is_old = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
                 (fstatat(folder, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_mtime < before &&
                  !(S_ISREG(st.st_mode) && is_locked(folder, entry->d_name)));
    if (dir)
        closedir(dir);
    return is_old;
}

/* Now, by the file system of LAYERS, as clocks of nodes may differ. 0: unknown, and nothing is old. */
static int64_t file_system_time(int layers)
{
    struct stat st;

    return futimens(layers, NULL) == 0 && fstat(layers, &st) == 0 ? st.st_mtime : 0;
}

void store_sweep(const char *directory, const char *keep, struct arena *arena)
{
    const char *path = path_join(arena, directory, CACHE_LAYERS);
    FD_CLEANUP int layers = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    const int64_t before = layers < 0 ? 0 : file_system_time(layers) - STORE_LAYERS_AGE;
    DIR *dir = layers < 0 ? NULL : fdopendir(dup(layers));
    const struct dirent *entry;
    struct stat st;

    while (dir && (entry = readdir(dir))) {
        FD_CLEANUP int folder = -1;

        if ((keep && strcmp(entry->d_name, keep) == 0) ||
            fstatat(layers, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
            !is_download(path, entry->d_name, &st, arena))
            continue;
        folder = openat(layers, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (folder >= 0 && is_abandoned(folder, before))
            remove_tree(layers, entry->d_name);
    }
    if (dir)
        closedir(dir);
}
