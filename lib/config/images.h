/*
 * images - values of [images] and [registry."DOMAIN"]: of the right kind, and such that
 * they can be meant. 0 and what is to be kept, or -1 with ERR.
 */
#ifndef CORACLE_CONFIG_IMAGES_H
#define CORACLE_CONFIG_IMAGES_H

#include "base/arena.h"
#include "base/err.h"
#include "toml/toml.h"

int config_is_domain(const char *text); /* HOST or HOST:PORT */

int config_check_registry(const struct toml_value *value, const char **text, struct arena *arena,
                          struct err *err);
int config_check_cache(const struct toml_value *value, const char **text, struct arena *arena,
                       struct err *err);
int config_check_compression(const struct toml_value *value, const char **text, struct arena *arena,
                             struct err *err);
int config_check_block_size(const struct toml_value *value, const char **text, struct arena *arena,
                            struct err *err);

/* Whole seconds, from 1 to CONFIG_TIMEOUT_MAX. */
int config_check_timeout(const struct toml_value *value, const char **text, struct arena *arena,
                         struct err *err);

/* A list of HOST[:PORT][/PREFIX], which ends with NULL. */
int config_check_mirrors(const struct toml_value *value, const char *const **list, struct arena *arena,
                         struct err *err);

/* An absolute path. */
int config_check_file(const struct toml_value *value, const char **text, struct err *err);

#endif
