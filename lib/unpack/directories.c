#include "unpack/directories.h"

#include <fcntl.h>
#include <string.h>

#include "base/fd.h"

uint32_t directories_add(struct directories *directories, uint32_t parent, const char *name, uint16_t mode,
                         uint32_t mtime)
{
    const uint32_t number = (uint32_t)directories->count;

    directories->items = arena_grow(directories->arena, directories->items, directories->count,
                                    &directories->room, sizeof(*directories->items));
    directories->items[directories->count++] = (struct directory){
        .name = arena_strdup(directories->arena, name),
        .parent = parent,
        .mtime = mtime,
        .mode = mode,
        .depth = number ? (uint16_t)(directories->items[parent].depth + 1) : 0,
    };
    return number;
}

void descriptors_begin(struct descriptors *descriptors)
{
    for (size_t i = 0; i < DESCRIPTORS_KEPT; i++)
        descriptors->kept[i].fd = -1;
}

void descriptors_end(struct descriptors *descriptors)
{
    for (size_t i = 0; i < DESCRIPTORS_KEPT; i++)
        fd_close(&descriptors->kept[i].fd);
}

/* The descriptor of directory NUMBER where there is one, or -1. */
static int get(const struct directories *directories, const struct descriptors *descriptors, uint32_t number)
{
    const size_t place = directories->items[number].depth % DESCRIPTORS_KEPT;

    if (!number)
        return directories->root;
    return descriptors->kept[place].number == number ? descriptors->kept[place].fd : -1;
}

int directories_open(const struct directories *directories, struct descriptors *descriptors, uint32_t number)
{
    const struct directory *items = directories->items;
    uint32_t way[DIRECTORY_DEPTH + 1];
    size_t length = 0;
    int fd;

    while ((fd = get(directories, descriptors, number)) < 0) {
        way[length++] = number;
        number = items[number].parent;
    }
    while (length) {
        size_t place;

        number = way[--length];
        fd = openat(fd, items[number].name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
            return -1;
        place = items[number].depth % DESCRIPTORS_KEPT;
        fd_close(&descriptors->kept[place].fd);
        descriptors->kept[place].fd = fd;
        descriptors->kept[place].number = number;
    }
    return fd;
}

char *directories_path(const struct directories *directories, uint32_t number, const char *name)
{
    size_t length = strlen(name);
    char *path, *at;

    for (uint32_t i = number; i; i = directories->items[i].parent)
        length += strlen(directories->items[i].name) + 1;
    path = arena_alloc(directories->arena, length + 1);
    at = path + length - strlen(name);
    memcpy(at, name, strlen(name));
    for (uint32_t i = number; i; i = directories->items[i].parent) {
        *--at = '/';
        at -= strlen(directories->items[i].name);
        memcpy(at, directories->items[i].name, strlen(directories->items[i].name));
    }
    return path;
}
