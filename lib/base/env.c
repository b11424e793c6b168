#include "base/env.h"

#include <string.h>

const char *env_find(char *const environment[], const char *name)
{
    size_t n = strlen(name);

    /* The first byte decides most: this runs for many names in each launch. */
    for (; *environment; environment++)
        if (**environment == *name && strncmp(*environment, name, n) == 0 && (*environment)[n] == '=')
            return *environment + n + 1;
    return NULL;
}
