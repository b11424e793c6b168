/*
 * coracle-image launch: brings an image into the cache and gives the process back to coracle.
 *
 *     launch missing|always CACHE REGISTRY IMAGE INDEX CORACLE COMMAND [ARG...]
 *
 * The light program executes this where a launch names an image that is not there. COMMAND and
 * ARG are the launch; argument INDEX of them, the image, becomes the path in the cache, and
 * CORACLE is executed again. REGISTRY may be empty. So the launched process stays one process,
 * and what it has inherited goes through.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/env.h"
#include "base/num.h"
#include "base/path.h"
#include "base/str.h"
#include "cache/name.h"
#include "cache/store.h"
#include "config/config.h"
#include "image-commands.h"
#include "image-keep.h"
#include "image-output-options.h"

enum { POLICY = 1, CACHE, REGISTRY, IMAGE, INDEX, PROGRAM, COMMAND };

/* Makes the cache; where that fails, who named it. */
static int make_cache(const char *directory, const struct config *config, char *const environment[],
                      struct arena *arena, struct err *err)
{
    const char *variable = env_find(environment, "CORACLE_CACHE"), *origin = NULL;

    if (store_make(directory, arena, err) == 0)
        return 0;
    if (variable && strcmp(variable, directory) == 0)
        origin = "CORACLE_CACHE";
    else if (config->cache.value && strcmp(config->cache.value, directory) == 0)
        origin = config->cache.origin;
    return origin ? err_set(err, err->id, "%s: %s", origin, arena_strdup(arena, err->text)) : -1;
}

static int bring(char *argv[], const char **path, struct progress *progress, char *const environment[],
                 struct arena *arena, struct err *err)
{
    struct config config;
    const struct image_source_options source = {.platform = images_host_platform(arena),
                                                .spool = path_join(arena, argv[CACHE], CACHE_LAYERS),
                                                .config = &config,
                                                .environment = environment,
                                                .progress = progress};
    struct output_options output = {.arena = arena};
    struct reference reference;
    const struct image_keeping keeping = {.directory = argv[CACHE],
                                          .reference = &reference,
                                          .source = &source,
                                          .pack = &output.output.options,
                                          .anew = strcmp(argv[POLICY], "always") == 0};

    if (config_load(&config, environment, arena, err) < 0 || output_configure(&output, &config, err) < 0)
        return -1;
    if (reference_parse(&reference, argv[IMAGE], arena, ERR_USAGE, err) < 0)
        return -1;
    if (reference.transport == REFERENCE_REGISTRY &&
        cache_complete(&reference, *argv[REGISTRY] ? argv[REGISTRY] : NULL, arena, err) < 0)
        return -1;
    if (make_cache(argv[CACHE], &config, environment, arena, err) < 0)
        return -1;
    return image_keep(&keeping, path, arena, err);
}

/* Who waits at a terminal sees how far it is. */
static int bring_visibly(char *argv[], const char **path, char *const environment[], struct arena *arena,
                         struct err *err)
{
    struct progress *progress;
    struct arena own;
    int result;

    arena_init(&own, arena->exhausted);
    progress = progress_open(progress_style(0, 0, environment), &own);
    result = bring(argv, path, progress, environment, arena, err);
    progress_close(progress);
    arena_free(&own);
    return result;
}

int cmd_launch(int argc, char *argv[], char *const environment[], struct arena *arena, struct err *err)
{
    const char *path, *program;
    uint64_t index;

    if (argc <= COMMAND || num_parse(argv[INDEX], (uint64_t)(argc - COMMAND - 1), &index) < 0 || index == 0)
        return err_set(err, ERR_USAGE, "coracle-image launch is for coracle run");
    if (bring_visibly(argv, &path, environment, arena, err) < 0)
        return -1;
    argv[COMMAND + index] = arena_strdup(arena, path);
    /* argv[0] of what is executed is the name of the program, then the command. */
    program = argv[PROGRAM];
    argv[PROGRAM] = arena_strdup(arena, "coracle");
    execve(program, argv + PROGRAM, environment);
    return err_set(err, ERR_SYSTEM, "%s cannot be executed again: %s", str_quote(arena, program),
                   err_reason(errno));
}
