#include "base/path.h"

#include <string.h>

char *path_clean(struct arena *arena, const char *path)
{
    char *clean = arena_alloc(arena, strlen(path) + 2);
    char *end = clean;

    if (*path == '/')
        *end++ = '/';
    while (*path) {
        size_t n = strcspn(path, "/");
        if (n && !(n == 1 && path[0] == '.')) {
            if (end > clean && end[-1] != '/')
                *end++ = '/';
            memcpy(end, path, n);
            end += n;
        }
        path += n;
        path += *path == '/';
    }
    if (end == clean)
        *end++ = '.';
    *end = 0;
    return clean;
}

char *path_join(struct arena *arena, const char *dir, const char *name)
{
    return path_clean(arena, *name == '/' ? name : arena_join(arena, dir, "/", name, NULL));
}

int path_is_beneath(const char *path, const char *dir)
{
    size_t n = strlen(dir);

    if (n == 1 && *dir == '/')
        return *path == '/';
    return strncmp(path, dir, n) == 0 && (path[n] == 0 || path[n] == '/');
}

int path_has_dotdot(const char *path)
{
    for (;; path++) {
        size_t n = strcspn(path, "/");
        if (n == 2 && path[0] == '.' && path[1] == '.')
            return 1;
        path += n;
        if (!*path)
            return 0;
    }
}

const char *path_basename(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

const char *path_parent(struct arena *arena, const char *path)
{
    const size_t length = (size_t)(path_basename(path) - path);

    return arena_strndup(arena, path, length > 1 ? length - 1 : length);
}
