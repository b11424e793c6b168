#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/sys.h"
#include "stream/directory.h"

enum { ENTRIES = 32 * 1024 };

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add(struct names *names, const char *name)
{
    size_t length = strlen(name) + 1;

    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return 0;
    if (names->room - names->used < length) {
        size_t room = names->room ? names->room * 2 : ENTRIES;
        char *bytes = realloc(names->bytes, room);

        if (!bytes)
            return -1;
        names->bytes = bytes;
        names->room = room;
    }
    memcpy(names->bytes + names->used, name, length);
    names->used += length;
    names->count++;
    return 0;
}

static int read_all(struct names *names, int fd)
{
    _Alignas(struct sys_entry) char buffer[ENTRIES];
    long length;

    while ((length = sys_getdents(fd, buffer, sizeof(buffer))) > 0) {
        for (long at = 0; at < length;) {
            const struct sys_entry *entry = (const struct sys_entry *)(const void *)(buffer + at);

            if (add(names, entry->name) < 0)
                return -1;
            at += entry->length;
        }
    }
    return length < 0 ? -1 : 0;
}

int names_read(struct names *names, int fd)
{
    char *name;

    *names = (struct names){0};
    if (read_all(names, fd) < 0)
        return -1;
    names->list = calloc(names->count + 1, sizeof(*names->list));
    if (!names->list)
        return -1;
    name = names->bytes;
    for (size_t i = 0; i < names->count; i++, name += strlen(name) + 1)
        names->list[i] = name;
    qsort(names->list, names->count, sizeof(*names->list), compare);
    return 0;
}

void names_free(struct names *names)
{
    free(names->bytes);
    free(names->list);
    *names = (struct names){0};
}
