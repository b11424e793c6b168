#include <stdlib.h>

#include "stream/work.h"

int extents_add(struct extents *extents, uint64_t offset, uint64_t length)
{
    if (extents->count == extents->room) {
        size_t room = extents->room ? extents->room * 2 : 16;
        struct extent *items = realloc(extents->items, room * sizeof(*items));

        if (!items)
            return -1;
        extents->items = items;
        extents->room = room;
    }
    extents->items[extents->count++] = (struct extent){offset, length};
    return 0;
}
