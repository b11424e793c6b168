/*
 * config - what the site and the user have written down: see doc/options.md.
 */
#ifndef CORACLE_CONFIG_CONFIG_H
#define CORACLE_CONFIG_CONFIG_H

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

struct config_text {
    const char *value, *origin; /* value NULL: not set; origin: "FILE:LINE" */
};

/* Of a launch: "bind", as the option --bind without dashes; in the order to be applied. */
struct config_setting {
    const char *name, *value, *origin; /* value NULL for a flag */
};

struct config_registry {
    const char *domain; /* as in a reference: "ghcr.io", "localhost:5000" */
    const char *const
        *mirrors; /* HOST[:PORT][/PREFIX], asked first, in this order; ends with NULL; NULL: none */
    int plain_http;
    const char *ca_file; /* NULL: none */
    const char *origin;  /* FILE:LINE */
};

struct config {
    const struct config_setting *settings;
    size_t setting_count;
    struct config_text default_registry, cache, compression, block_size; /* table [images] */
    const struct config_registry *registries;
    size_t registry_count;
};

/* 0, or -1 with ERR_CONFIG. */
int config_load(struct config *config, char *const environment[], struct arena *arena, struct err *err);

/* NULL: nothing is said about DOMAIN. */
const struct config_registry *config_registry(const struct config *config, const char *domain);

#endif
