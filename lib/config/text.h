/*
 * text - the text of one file after another into a configuration.
 *
 * The text may come from anyone; lib/toml bounds it.
 */
#ifndef CORACLE_CONFIG_TEXT_H
#define CORACLE_CONFIG_TEXT_H

#include "config/config.h"

struct config_builder {
    struct arena *arena;
    struct config_setting *settings;
    size_t setting_count, setting_room, setting_size;
    struct config_text default_registry, cache, compression, block_size, timeout;
    struct config_registry *registries;
    size_t registry_count, registry_room;
};

/*
 * Adds what the LENGTH bytes of the file NAME say. 0, or -1 with ERR_CONFIG, whose text
 * begins with "NAME:LINE:COLUMN: ".
 */
int config_add_text(struct config_builder *builder, const char *name, const char *bytes, size_t length,
                    struct err *err);

/* What there is so far. It shares the builder's memory. */
void config_build(const struct config_builder *builder, struct config *config);

#endif
