#include "image-keep.h"

#include <string.h>
#include <unistd.h>

#include "cache/name.h"
#include "cache/store.h"
#include "cache/turn.h"
#include "image-output.h"

static int is_there(const char *path)
{
    return access(path, R_OK) == 0;
}

/* Makes the file IMAGE of what SOURCE has. */
static int make(const struct image_keeping *keeping, struct image_source *source, const char *image,
                struct arena *arena, struct err *err)
{
    const char *folder =
        source->id ? arena_join(arena, keeping->directory, "/" CACHE_LAYERS "/", source->id, NULL) : NULL;
    const struct output output = {.path = image, .options = *keeping->pack};

    if (store_make_parents(image, arena, err) < 0)
        return -1;
    if (image_source_fetch(source, folder, err) == 0 &&
        output_write_source(&output, source, arena, err) == 0) {
        image_source_discard(source);
        return 0;
    }
    /* Another node was faster, and may have taken away what we were reading. */
    return is_there(image) ? 0 : -1;
}

/* What it is called in the cache: without a configuration, by the stamp of its name. */
static const char *id_of(const struct image_source *source, const char *name, struct arena *arena)
{
    const char *at = strrchr(name, '@');

    return source->id || !at ? source->id : arena_join(arena, "file:", at + 1, NULL);
}

static int bring(const struct image_keeping *keeping, const char *name, struct arena *arena, struct err *err)
{
    struct image_source source;
    const char *image;
    int result = image_source_open(&source, keeping->reference, keeping->source, arena, err);

    if (result == 0) {
        image = store_image(keeping->directory, id_of(&source, name, arena), arena);
        if (!is_there(image))
            result = make(keeping, &source, image, arena, err);
        if (result == 0)
            result = store_link(keeping->directory, name, image, arena, err);
    }
    image_source_close(&source);
    return result;
}

int image_keep(const struct image_keeping *keeping, const char **path, struct arena *arena, struct err *err)
{
    enum turn_result whose = TURN_OVER;
    struct turn turn;
    int result;

    if (store_make(keeping->directory, arena, err) < 0 ||
        cache_name(path, keeping->directory, keeping->reference, arena, err) < 0)
        return -1;
    if (!keeping->anew && is_there(*path))
        return 0;
    while (whose == TURN_OVER) {
        whose = turn_take(&turn, *path, arena, err);
        /* What another has just brought is new enough for everyone. */
        if (whose == TURN_OVER && is_there(*path))
            return 0;
    }
    if (whose == TURN_FAILED)
        return -1;
    result = !keeping->anew && is_there(*path) ? 0 : bring(keeping, *path, arena, err);
    turn_end(&turn, result < 0 ? err : NULL);
    return result;
}
