/*
 * config - what the site and the user have set in files, doc/configuration.md.
 *
 * Read in this order, where they exist; what comes later wins, and lists of settings are appended:
 *
 *     SYSCONFDIR/coracle/coracle.toml      the site's; CORACLE_SITE_CONFIG names another
 *     SYSCONFDIR/coracle/coracle.d/NAME.toml   its drop-ins, in byte order of their names
 *     $XDG_CONFIG_HOME/coracle/coracle.toml, or $HOME/.config/coracle/coracle.toml
 *                                          the user's; CORACLE_CONFIG names another
 *
 * A file counts only if nobody but root and the caller could write it (safe.h), and any
 * mistake in one is an error: nothing goes on without what the site wanted.
 *
 * For heavy programs. Launches find the settings in the node's record (host/record.h).
 */
#ifndef CORACLE_CONFIG_CONFIG_H
#define CORACLE_CONFIG_CONFIG_H

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

enum {
    CONFIG_DROP_INS_MAX = 128,
    CONFIG_SETTINGS_MAX = 4096,        /* of all files together */
    CONFIG_SETTINGS_SIZE = 512 * 1024, /* bytes of their values */
    CONFIG_TIMEOUT_MAX = 3600,         /* seconds */
};

struct config_text {
    const char *value;  /* NULL: not set */
    const char *origin; /* "FILE:LINE" */
};

/* Of a launch: the option --NAME. */
struct config_setting {
    const char *name;
    const char *value; /* NULL: a flag, or no value. Variables are not yet expanded: config/expand.h */
    const char *origin;
};

struct config_registry {
    const char *domain; /* as in a reference: "ghcr.io", "localhost:5000" */
    const char *const
        *mirrors; /* HOST[:PORT][/PREFIX], asked first, in this order; ends with NULL; NULL: none */
    int plain_http;
    const char *ca_file; /* absolute; NULL: none */
    const char *origin;  /* where it was first mentioned */
};

struct config {
    const struct config_setting *settings; /* in the order to be applied */
    size_t setting_count;
    struct config_text default_registry, cache, compression, block_size;
    struct config_text timeout; /* seconds, a number */
    /* What is wrong with the variables in `cache`, whose value is NULL then; NULL: nothing. It matters only
     * to who needs a cache. */
    const char *cache_problem;
    const struct config_registry *registries;
    size_t registry_count;
};

/*
 * Reads all files. ENVIRONMENT says where they are, and what variables in `cache` mean. All
 * belongs to ARENA. 0, or -1 with ERR_CONFIG.
 */
int config_load(struct config *config, char *const environment[], struct arena *arena, struct err *err);

/* What is said about the registry DOMAIN; NULL: nothing. */
const struct config_registry *config_registry(const struct config *config, const char *domain);

#endif
