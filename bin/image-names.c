#include "image-names.h"

#include <string.h>
#include <unistd.h>

#include "base/env.h"
#include "base/str.h"
#include "cache/name.h"

/* What the environment, or else the configuration, says. 0 or -1. */
static int take_registry(struct image_names *names, char *const environment[], struct arena *arena,
                         struct err *err)
{
    const char *text = env_find(environment, "CORACLE_REGISTRY"), *origin = "CORACLE_REGISTRY";

    names->registry = NULL;
    if (!text || !*text) {
        text = names->config.default_registry.value;
        origin = names->config.default_registry.origin;
    }
    if (!text)
        return 0;
    names->registry = reference_registry(text, arena);
    return names->registry
               ? 0
               : err_set(err, ERR_CONFIG, "%s: %s is no registry; write HOST[:PORT], docker.io for one",
                         origin, str_quote(arena, text));
}

int image_names_load(struct image_names *names, char *const environment[], struct arena *arena,
                     struct err *err)
{
    const char *cache = env_find(environment, "CORACLE_CACHE");

    if (config_load(&names->config, environment, arena, err) < 0)
        return -1;
    if (take_registry(names, environment, arena, err) < 0)
        return -1;
    names->cache_problem = NULL;
    if (!cache || !*cache) {
        cache = names->config.cache.value;
        names->cache_problem = names->config.cache_problem;
    }
    if (cache && *cache != '/')
        return err_set(err, ERR_CONFIG, "CORACLE_CACHE: %s must be an absolute path",
                       str_quote(arena, cache));
    names->directory = names->cache_problem ? NULL : cache_directory(cache, environment, arena);
    return 0;
}

int image_names_check(const struct image_names *names, const struct reference *reference, const char *text,
                      struct arena *arena, struct err *err)
{
    if (reference->transport != REFERENCE_REGISTRY || reference->domain || names->registry ||
        strchr(text, ':') || strchr(text, '@'))
        return 0;
    return access(text, F_OK) == 0
               ? err_set(err, ERR_USAGE,
                         "%s is a file or directory; a name in a registry is written with it: docker.io/%s",
                         str_quote(arena, text), text)
               : err_set(err, ERR_IMAGE_MISSING,
                         "there is no file or directory %s; a name in a registry is written with it: "
                         "docker.io/%s",
                         str_quote(arena, text), text);
}

int image_names_need_cache(const struct image_names *names, struct err *err)
{
    if (names->cache_problem)
        return err_set(err, ERR_CONFIG, "there is no cache: %s; CORACLE_CACHE may name another",
                       names->cache_problem);
    return names->directory ? 0
                            : err_set(err, ERR_CONFIG,
                                      "there is no cache: neither HOME nor XDG_CACHE_HOME is set; name one "
                                      "with CORACLE_CACHE");
}
