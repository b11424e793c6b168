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
        return err_set(err, ERR_CONFIG, "%s: the variable %s is not set", config->cache.origin, missing);
    if (*config->cache.value != '/')
        return err_set(err, ERR_CONFIG, "%s: cache must be an absolute path", config->cache.origin);
    return 0;
}

const struct config_registry *config_registry(const struct config *config, const char *domain)
{
    for (size_t i = 0; i < config->registry_count; i++)
        if (strcmp(config->registries[i].domain, domain) == 0)
            return &config->registries[i];
    return NULL;
}
