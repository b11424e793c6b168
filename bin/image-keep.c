#include "image-keep.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/env.h"
#include "base/fd.h"
#include "base/num.h"
#include "base/path.h"
#include "base/remove.h"
#include "cache/name.h"
#include "cache/store.h"
#include "cache/turn.h"
#include "image-output.h"
#include "image-whole.h"

static int is_there(const char *path)
{
    return access(path, R_OK) == 0;
}

/* Where the layers of the image ID are while it is made. */
static const char *folder_of(const struct image_keeping *keeping, const char *id, struct arena *arena)
{
    return arena_join(arena, keeping->directory, "/" CACHE_LAYERS "/", id, NULL);
}

/* The image is there: whatever was fetched for it, by whoever was slower or was killed, is of no use. */
static void remove_layers(const struct image_keeping *keeping, const struct image_source *source,
                          struct arena *arena)
{
    FD_CLEANUP int layers = openat(AT_FDCWD, path_join(arena, keeping->directory, CACHE_LAYERS),
                                   O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (layers >= 0 && source->id)
        remove_tree(layers, source->id);
}

/* Makes the file IMAGE, ID, of what SOURCE has. */
static int make(const struct image_keeping *keeping, struct image_source *source, const char *image,
                const char *id, struct arena *arena, struct err *err)
{
    const char *folder = source->id ? folder_of(keeping, source->id, arena) : NULL;
    /* What is there is damaged, or of another kind than is wanted. */
    const struct output output = {.path = image, .replace = is_there(image), .options = *keeping->pack};

    if (store_make_parents(image, arena, err) < 0)
        return -1;
    store_sweep(keeping->directory, source->id, arena);
    if (image_source_fetch(source, folder, err) == 0 &&
        output_write_source(&output, source, arena, err) == 0) {
        image_source_discard(source);
        return 0;
    }
    /* Another node was faster, and may have taken away what we were reading. */
    return image_is_whole(image, id, arena) ? 0 : -1;
}

/*
 * What it is called in the cache: without layers that its configuration names, by the stamp of
 * its name. Else a tree with another image's configuration would be run in that one's place.
 */
static const char *id_of(const struct image_source *source, const char *name, struct arena *arena)
{
    const char *at = strrchr(name, '@');

    return (source->id && !source->tree) || !at ? source->id : arena_join(arena, "file:", at + 1, NULL);
}

static int bring(const struct image_keeping *keeping, const char *name, struct arena *arena, struct err *err)
{
    struct image_source source;
    const char *image, *id;
    int result = image_source_open(&source, keeping->reference, keeping->source, arena, err);

    if (result == 0) {
        id = id_of(&source, name, arena);
        image = store_image(keeping->directory, id, arena);
        if (keeping->remake || !image_is_whole(image, id, arena))
            result = make(keeping, &source, image, id, arena, err);
        if (result == 0)
            result = store_link(keeping->directory, name, image, arena, err);
    }
    image_source_close(&source);
    if (result == 0)
        remove_layers(keeping, &source, arena);
    return result;
}

/* NAME leads to a file that nobody else can change. 0 or -1. */
static int check(const char *name, struct arena *arena, struct err *err)
{
    struct stat st;

    return stat(name, &st) == 0 ? store_check_image(name, st.st_uid, st.st_mode, arena, err) : 0;
}

/* Nobody else can write to what is made, whatever the umask. */
static int bring_for_us_alone(const struct image_keeping *keeping, const char *name, struct arena *arena,
                              struct err *err)
{
    const mode_t before = umask(077);
    int result;

    umask(before | S_IWGRP | S_IWOTH);
    result = bring(keeping, name, arena, err);
    umask(before);
    return result;
}

/* Whether there are more ranks of this launch, which begin about now. */
static int has_more_ranks(char *const environment[])
{
    /* srun(1), mpirun(1), MPICH's and Intel's mpiexec, flux-environment(7) */
    static const char *const counts[] = {"SLURM_STEP_NUM_TASKS", "OMPI_COMM_WORLD_SIZE", "PMI_SIZE",
                                         "FLUX_JOB_SIZE"};
    uint64_t count;

    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        const char *text = env_find(environment, counts[i]);

        if (text && num_parse(text, UINT32_MAX, &count) == 0 && count > 1)
            return 1;
    }
    return 0;
}

/* 0, or -1. */
static int keep(const struct image_keeping *keeping, const char *name, struct arena *arena, struct err *err)
{
    enum turn_result whose;
    struct turn turn;
    int result;

    do {
        whose = turn_take(&turn, name, arena, err);
        /* What another has just brought is new enough for everyone. */
        if (whose == TURN_DONE && !keeping->remake && is_there(name))
            return 0;
    } while (whose == TURN_DONE || whose == TURN_OVER);
    if (whose == TURN_FAILED)
        return -1;
    result = !keeping->anew && is_there(name) ? 0 : bring_for_us_alone(keeping, name, arena, err);
    turn_end(&turn, result < 0 ? err : NULL, has_more_ranks(keeping->source->environment) ? TURN_LINGER : 0);
    return result;
}

int image_keep(const struct image_keeping *keeping, const char **path, struct arena *arena, struct err *err)
{
    if (store_make(keeping->directory, arena, err) < 0 ||
        cache_name(path, keeping->directory, keeping->reference, arena, err) < 0)
        return -1;
    if ((keeping->anew || !is_there(*path)) && keep(keeping, *path, arena, err) < 0)
        return -1;
    return check(*path, arena, err);
}
