#include "image-cached.h"

#include <string.h>

int image_cached_list(struct store *store, struct image_names *names, char *const environment[],
                      struct arena *arena, struct err *err)
{
    return image_names_load(names, environment, arena, err) < 0 || image_names_need_cache(names, err) < 0 ||
                   store_check(names->directory, arena, err) < 0
               ? -1
               : store_list(store, names->directory, arena, err);
}

const struct store_image *image_cached_of(const struct store *store, const struct store_name *name)
{
    for (size_t i = 0; name->image && i < store->image_count; i++)
        if (strcmp(store->images[i].path, name->image) == 0)
            return &store->images[i];
    return NULL;
}

size_t image_cached_names(const struct store *store, const struct store_image *image)
{
    size_t count = 0;

    for (size_t i = 0; i < store->name_count; i++)
        count += image_cached_of(store, &store->names[i]) == image;
    return count;
}
