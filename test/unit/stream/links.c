#include <stdio.h>

#include "stream/work.h"
#include "test/tap.h"

static void check_many(void)
{
    enum { MANY = 5000 };
    static char paths[MANY][8];
    struct links links = {0};
    int right = 0;

    TAP_TRUE(links_find(&links, 0, 0) == NULL);
    for (int i = 0; i < MANY; i++) {
        snprintf(paths[i], sizeof(paths[i]), "%d", i);
        if (links_add(&links, (uint64_t)i % 3, (uint64_t)i << (i % 2 ? 0 : 32), paths[i]) < 0)
            break;
    }
    TAP_INT(links.count, MANY);
    for (int i = 0; i < MANY; i++)
        right += links_find(&links, (uint64_t)i % 3, (uint64_t)i << (i % 2 ? 0 : 32)) == paths[i];
    TAP_INT(right, MANY);
    TAP_TRUE(links_find(&links, 3, 1) == NULL);
    links_free(&links);
    TAP_TRUE(links_find(&links, 0, 0) == NULL);
}

int main(void)
{
    check_many();
    return tap_done();
}
