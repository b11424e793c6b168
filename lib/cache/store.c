#include "cache/store.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/path.h"
#include "base/str.h"
#include "cache/name.h"

/* Of several nodes at once; each time one of them gets on. */
enum { LINK_ATTEMPTS = 20 };

int store_check(const char *directory, struct arena *arena, struct err *err)
{
    const char *name = str_quote(arena, directory);
    struct stat st;

    if (stat(directory, &st) < 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            return 0;
        return err_set(err, ERR_CONFIG, "cannot look at the cache %s: %s", name, err_reason(errno));
    }
    if ((st.st_uid != geteuid() && st.st_uid != 0) || (st.st_mode & (S_IWGRP | S_IWOTH)))
        return err_set(err, ERR_CONFIG,
                       "others can change what is in the cache %s; let it be yours alone (chmod go-w), or "
                       "name another with CORACLE_CACHE",
                       name);
    return 1;
}

int store_check_image(const char *path, uint32_t uid, uint32_t mode, struct arena *arena, struct err *err)
{
    if ((uid == geteuid() || uid == 0) && !(mode & (S_IWGRP | S_IWOTH)))
        return 0;
    return err_set(err, ERR_CONFIG,
                   "others can change the image that %s in the cache leads to; let it be yours alone (chmod "
                   "go-w), or coracle rm it",
                   str_quote(arena, path));
}

static int make(const char *directory, mode_t mode, struct arena *arena, struct err *err)
{
    if (mkdir(directory, mode) == 0 || errno == EEXIST)
        return 0;
    return err_set(err, errno == ENOSPC || errno == EDQUOT ? ERR_LIMIT : ERR_OUTPUT,
                   "cannot make the directory %s: %s", str_quote(arena, directory), err_reason(errno));
}

/* All of PATH: what is missing of it. */
static int make_all(const char *path, mode_t mode, struct arena *arena, struct err *err)
{
    struct stat st;

    if (stat(path, &st) == 0)
        return 0;
    if (*path == '/' && path[1] && make_all(path_parent(arena, path), mode, arena, err) < 0)
        return -1;
    return make(path, mode, arena, err);
}

int store_make(const char *directory, struct arena *arena, struct err *err)
{
    if (make_all(directory, 0700, arena, err) < 0)
        return err_set(err, err->id, "the cache %s cannot be made: %s; name another with CORACLE_CACHE",
                       str_quote(arena, directory), arena_strdup(arena, err->text));
    if (store_check(directory, arena, err) < 0)
        return -1;
    return make(path_join(arena, directory, CACHE_LAYERS), 0700, arena, err);
}

/* Whatever the umask: who could write to one of these could change what is in it. */
int store_make_parents(const char *path, struct arena *arena, struct err *err)
{
    return make_all(path_parent(arena, path), 0755, arena, err);
}

const char *store_image(const char *directory, const char *id, struct arena *arena)
{
    const char *colon = strchr(id, ':');

    return arena_join(arena, directory, "/" CACHE_IMAGES "/", arena_strndup(arena, id, (size_t)(colon - id)),
                      "/", colon + 1, ".sqfs", NULL);
}

/* From the directory of NAME up to DIRECTORY, and down to IMAGE: the cache may be mounted elsewhere. */
static const char *relative(const char *directory, const char *name, const char *image, struct arena *arena)
{
    struct str out = {.arena = arena};

    for (const char *p = name + strlen(directory) + 1; *p; p++)
        if (*p == '/')
            str_add(&out, "../");
    str_add(&out, image + strlen(directory) + 1);
    return str_text(&out);
}

/* The link grows beside NAME. Its name is short, as NAME's may be long, and what a killed one left is used
 * again. */
static const char *unfinished_name(const char *name, struct arena *arena)
{
    const struct digest digest = digest_bytes(name, strlen(name));
    char text[DIGEST_TEXT];

    digest_format(text, &digest);
    return arena_join(arena, path_parent(arena, name), "/.", text, NULL);
}

static int leads_to(const char *name, const char *target)
{
    char current[PATH_MAX];
    const ssize_t length = readlink(name, current, sizeof(current));

    return length >= 0 && strlen(target) == (size_t)length && memcmp(target, current, (size_t)length) == 0;
}

int store_link(const char *directory, const char *name, const char *image, struct arena *arena,
               struct err *err)
{
    const char *target = relative(directory, name, image, arena);
    const char *unfinished = unfinished_name(name, arena);

    if (leads_to(name, target))
        return 0;
    if (store_make_parents(name, arena, err) < 0)
        return -1;
    /* Another node that does the same may take ours, or take it away. */
    for (int i = 0; i < LINK_ATTEMPTS; i++) {
        unlink(unfinished);
        if (symlink(target, unfinished) < 0 && errno != EEXIST)
            break;
        if (rename(unfinished, name) == 0 ? leads_to(name, target) : errno != ENOENT)
            break;
    }
    if (leads_to(name, target))
        return 0;
    return err_set(err, errno == ENOSPC || errno == EDQUOT ? ERR_LIMIT : ERR_OUTPUT, "cannot make %s: %s",
                   str_quote(arena, name), err_reason(errno));
}
