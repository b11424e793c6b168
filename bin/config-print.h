/*
 * config-print - a configuration for people and for programs.
 */
#ifndef CORACLE_BIN_CONFIG_PRINT_H
#define CORACLE_BIN_CONFIG_PRINT_H

#include "base/str.h"
#include "config/config.h"
#include "config/sources.h"

/*
 * Adds to OUT which files were looked at and what counts, CORACLE_* variables included, as
 * lines "WHAT VALUE ORIGIN", or as one JSON object. Variables in values are not expanded.
 */
void config_print(const struct config *config, const struct config_sources *sources,
                  char *const environment[], struct str *out);
void config_print_json(const struct config *config, const struct config_sources *sources,
                       char *const environment[], struct str *out);

#endif
