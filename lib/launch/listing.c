/* The names in a directory. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>

#include "base/fd.h"
#include "base/sys.h"
#include "launch/state.h"

static void add_name(struct arena *arena, struct listing *listing, const char *name)
{
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return;
    listing->names =
        arena_grow(arena, listing->names, listing->count, &listing->room, sizeof(*listing->names));
    listing->names[listing->count++] = arena_strdup(arena, name);
}

/* Not by readdir(), which takes a heap and seven calls. */
int launch_list(struct arena *arena, int dir, struct listing *listing)
{
    FD_CLEANUP int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _Alignas(struct sys_entry) char buffer[1024];
    long length;

    if (fd < 0)
        return -1;
    while ((length = sys_getdents(fd, buffer, sizeof(buffer))) > 0) {
        for (char *p = buffer; p < buffer + length;) {
            const struct sys_entry *entry = (const struct sys_entry *)(void *)p;
            add_name(arena, listing, entry->name);
            p += entry->length;
        }
    }
    return length < 0 ? -1 : 0;
}
