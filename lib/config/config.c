#include "config/config.h"

#include <string.h>

#include "config/expand.h"
#include "config/sources.h"

int config_load(struct config *config, char *const environment[], struct arena *arena, struct err *err)
{
    struct config_sources sources;
    const char *missing;

    if (config_read(config, &sources, environment, arena, err) < 0)
        return -1;
    if (!config->cache.value)
        return 0;
    config->cache.value = config_expand(config->cache.value, environment, "", &missing, arena);
    if (!config->cache.value)
        config->cache_problem =
            arena_join(arena, config->cache.origin, ": the variable ", missing, " in cache is not set", NULL);
    else if (*config->cache.value != '/')
        config->cache_problem =
            arena_join(arena, config->cache.origin, ": cache must be an absolute path", NULL);
    if (config->cache_problem)
        config->cache.value = NULL;
    return 0;
}

const struct config_registry *config_registry(const struct config *config, const char *domain)
{
    for (size_t i = 0; i < config->registry_count; i++)
        if (strcmp(config->registries[i].domain, domain) == 0)
            return &config->registries[i];
    return NULL;
}
