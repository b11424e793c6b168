#include "image-names.h"

#include "base/env.h"
#include "base/str.h"
#include "cache/name.h"

int image_names_load(struct image_names *names, char *const environment[], struct arena *arena,
                     struct err *err)
{
    const char *cache = env_find(environment, "CORACLE_CACHE");

    if (config_load(&names->config, environment, arena, err) < 0)
        return -1;
    names->registry = env_find(environment, "CORACLE_REGISTRY");
    if (!names->registry || !*names->registry)
        names->registry = names->config.default_registry.value;
    if (!cache || !*cache)
        cache = names->config.cache.value;
    if (cache && *cache != '/')
        return err_set(err, ERR_CONFIG, "CORACLE_CACHE: %s must be an absolute path",
                       str_quote(arena, cache));
    names->directory = cache_directory(cache, environment, arena);
    return 0;
}

int image_names_need_cache(const struct image_names *names, struct err *err)
{
    return names->directory ? 0
                            : err_set(err, ERR_CONFIG,
                                      "there is no cache: neither HOME nor XDG_CACHE_HOME is set; name one "
                                      "with CORACLE_CACHE");
}
