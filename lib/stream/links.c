#include <stdlib.h>

#include "stream/work.h"

enum { FIRST_ROOM = 1024 };

static struct links_slot *find(const struct links *links, uint64_t a, uint64_t b)
{
    uint64_t hash = (a ^ b * UINT64_C(0x9E3779B97F4A7C15)) * UINT64_C(0xD6E8FEB86659FD93);
    size_t at = (size_t)(hash >> 32) & links->mask;

    while (links->slots[at].path && (links->slots[at].a != a || links->slots[at].b != b))
        at = (at + 1) & links->mask;
    return &links->slots[at];
}

static int grow(struct links *links)
{
    struct links larger = {.mask = links->slots ? links->mask * 2 + 1 : FIRST_ROOM - 1};

    larger.slots = calloc(larger.mask + 1, sizeof(*larger.slots));
    if (!larger.slots)
        return -1;
    for (size_t i = 0; links->slots && i <= links->mask; i++) {
        if (links->slots[i].path)
            *find(&larger, links->slots[i].a, links->slots[i].b) = links->slots[i];
    }
    larger.count = links->count;
    free(links->slots);
    *links = larger;
    return 0;
}

const char *links_find(const struct links *links, uint64_t a, uint64_t b)
{
    return links->slots ? find(links, a, b)->path : NULL;
}

int links_add(struct links *links, uint64_t a, uint64_t b, const char *path)
{
    if ((!links->slots || links->count * 2 > links->mask) && grow(links) < 0)
        return -1;
    *find(links, a, b) = (struct links_slot){a, b, path};
    links->count++;
    return 0;
}

void links_free(struct links *links)
{
    free(links->slots);
    *links = (struct links){0};
}
