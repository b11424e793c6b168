#include "config/text.h"

#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/opt.h"
#include "base/str.h"
#include "config/expand.h"
#include "config/images.h"
#include "config/keys.h"
#include "toml/toml.h"

/* One file. */
struct reading {
    struct config_builder *builder;
    const char *name;
    struct err *err;
};

static const char *origin_of(const struct reading *reading, const struct toml_value *value)
{
    return arena_printf(reading->builder->arena, "%s:%u", reading->name, value->at.line);
}

static int unknown(const struct toml_value *value, const char *what, const char *const *names, size_t count,
                   size_t stride, struct arena *arena, struct err *err)
{
    const char *nearest = opt_nearest(value->key, names, count, stride);
    const char *name = str_quote(arena, value->key);

    if (nearest)
        return toml_fail_key(value, err, "unknown %s %s; did you mean %s?", what, name, nearest);
    return toml_fail_key(value, err, "unknown %s %s; doc/configuration.md lists what there is", what, name);
}

/* Forgets what files before have said of the option NAME. */
static void remove_settings(struct config_builder *builder, const char *name)
{
    size_t kept = 0;

    for (size_t i = 0; i < builder->setting_count; i++)
        if (strcmp(builder->settings[i].name, name) != 0)
            builder->settings[kept++] = builder->settings[i];
    builder->setting_count = kept;
}

static int add_setting(const struct reading *reading, const char *name, const char *text,
                       const struct toml_value *value)
{
    struct config_builder *builder = reading->builder;

    builder->setting_size += text ? strlen(text) : 0;
    if (builder->setting_count == CONFIG_SETTINGS_MAX || builder->setting_size > CONFIG_SETTINGS_SIZE)
        return toml_fail(value, reading->err, "too many settings of launches; %d and %d bytes are the limit",
                         CONFIG_SETTINGS_MAX, CONFIG_SETTINGS_SIZE);
    builder->settings = arena_grow(builder->arena, builder->settings, builder->setting_count,
                                   &builder->setting_room, sizeof(*builder->settings));
    builder->settings[builder->setting_count++] =
        (struct config_setting){name, text, origin_of(reading, value)};
    return 0;
}

static int add_string(const struct reading *reading, const struct config_key *key,
                      const struct toml_value *value)
{
    const char *mistake;

    if (toml_expect(value, TOML_STRING, reading->err) < 0)
        return -1;
    mistake = key->escape ? config_expand_mistake(value->text) : NULL;
    if (mistake)
        return toml_fail(value, reading->err, "%s", mistake);
    return add_setting(reading, key->name, value->text, value);
}

static int add_list(const struct reading *reading, const struct config_key *key,
                    const struct toml_value *value)
{
    if (value->kind != TOML_ARRAY)
        return toml_fail(value, reading->err, "%s: expected a list of strings, [\"...\"], found %s",
                         key->name, toml_kind_name(value->kind));
    for (const struct toml_value *item = value->first; item; item = item->next)
        if (add_string(reading, key, item) < 0)
            return -1;
    return 0;
}

static int add_boolean(const struct reading *reading, const struct config_key *key,
                       const struct toml_value *value)
{
    if (value->boolean)
        return add_setting(reading, key->name, NULL, value);
    if (!key->opposite)
        return 0;
    remove_settings(reading->builder, key->opposite);
    return add_setting(reading, key->opposite, NULL, value);
}

static int add_id(const struct reading *reading, const struct config_key *key, const struct toml_value *value)
{
    if (value->integer < 0 || value->integer >= UINT32_MAX)
        return toml_fail(value, reading->err, "%s is no id; it is a number from 0 to 4294967294", key->name);
    return add_setting(reading, key->name,
                       arena_printf(reading->builder->arena, "%u", (unsigned)value->integer), value);
}

static int add_run_key(const struct reading *reading, const struct toml_value *value)
{
    const struct config_key *key = config_key_find(value->key);

    if (!key)
        return unknown(value, "key", &config_keys[0].name, config_key_count, sizeof(config_keys[0]),
                       reading->builder->arena, reading->err);
    if (key->kind == CONFIG_OF_IMAGES)
        return toml_fail_key(value, reading->err, "%s is set by key %s of table [images]", key->name,
                             key->opposite);
    if (key->kind == CONFIG_LIST)
        return add_list(reading, key, value);
    remove_settings(reading->builder, key->name);
    if (value->kind == TOML_BOOLEAN && (key->kind == CONFIG_FLAG || key->kind == CONFIG_OPTIONAL))
        return add_boolean(reading, key, value);
    if (value->kind == TOML_INTEGER && key->kind == CONFIG_ID)
        return add_id(reading, key, value);
    if (key->kind == CONFIG_FLAG)
        return toml_expect(value, TOML_BOOLEAN, reading->err);
    return add_string(reading, key, value);
}

static int add_run(const struct reading *reading, const struct toml_value *table)
{
    for (const struct toml_value *value = table->first; value; value = value->next)
        if (add_run_key(reading, value) < 0)
            return -1;
    return 0;
}

static int add_images(const struct reading *reading, const struct toml_value *table)
{
    struct config_builder *builder = reading->builder;
    const struct {
        const char *name;
        int (*check)(const struct toml_value *value, const char **text, struct arena *arena, struct err *err);
        struct config_text *to;
    } keys[] = {
        {"default-registry", config_check_registry, &builder->default_registry},
        {"cache", config_check_cache, &builder->cache},
        {"compression", config_check_compression, &builder->compression},
        {"block-size", config_check_block_size, &builder->block_size},
        {"timeout", config_check_timeout, &builder->timeout},
    };
    enum { COUNT = sizeof(keys) / sizeof(keys[0]) };

    for (const struct toml_value *value = table->first; value; value = value->next) {
        size_t i = 0;

        while (i < COUNT && strcmp(keys[i].name, value->key) != 0)
            i++;
        if (i == COUNT)
            return unknown(value, "key", &keys[0].name, COUNT, sizeof(keys[0]), builder->arena, reading->err);
        if (keys[i].check(value, &keys[i].to->value, builder->arena, reading->err) < 0)
            return -1;
        keys[i].to->origin = origin_of(reading, value);
    }
    return 0;
}

/* The registry that is called as TABLE, new where nothing was said of it. */
static struct config_registry *registry_of(const struct reading *reading, const struct toml_value *table)
{
    struct config_builder *builder = reading->builder;

    for (size_t i = 0; i < builder->registry_count; i++)
        if (strcmp(builder->registries[i].domain, table->key) == 0)
            return &builder->registries[i];
    builder->registries = arena_grow(builder->arena, builder->registries, builder->registry_count,
                                     &builder->registry_room, sizeof(*builder->registries));
    builder->registries[builder->registry_count] =
        (struct config_registry){.domain = table->key, .origin = origin_of(reading, table)};
    return &builder->registries[builder->registry_count++];
}

static int add_registry(const struct reading *reading, const struct toml_value *table)
{
    static const char *const names[] = {"mirrors", "plain-http", "ca-file"};
    struct config_registry *registry;

    if (!config_is_domain(table->key))
        return toml_fail_key(table, reading->err,
                             "%s is no registry; it is HOST or HOST:PORT, between quotes",
                             str_quote(reading->builder->arena, table->key));
    if (toml_expect(table, TOML_TABLE, reading->err) < 0)
        return -1;
    registry = registry_of(reading, table);
    for (const struct toml_value *value = table->first; value; value = value->next) {
        int result;

        if (strcmp(value->key, names[0]) == 0)
            result = config_check_mirrors(value, &registry->mirrors, reading->builder->arena, reading->err);
        else if (strcmp(value->key, names[1]) == 0)
            result = toml_get_boolean(table, value->key, &registry->plain_http, reading->err);
        else if (strcmp(value->key, names[2]) == 0)
            result = config_check_file(value, &registry->ca_file, reading->err);
        else
            result = unknown(value, "key", names, sizeof(names) / sizeof(names[0]), sizeof(names[0]),
                             reading->builder->arena, reading->err);
        if (result < 0)
            return -1;
    }
    return 0;
}

static int add_registries(const struct reading *reading, const struct toml_value *table)
{
    for (const struct toml_value *value = table->first; value; value = value->next)
        if (add_registry(reading, value) < 0)
            return -1;
    return 0;
}

int config_add_text(struct config_builder *builder, const char *name, const char *bytes, size_t length,
                    struct err *err)
{
    static const struct {
        const char *name;
        int (*add)(const struct reading *reading, const struct toml_value *table);
    } tables[] = {{"run", add_run}, {"images", add_images}, {"registry", add_registries}};
    enum { COUNT = sizeof(tables) / sizeof(tables[0]) };
    const struct reading reading = {builder, name, err};
    const struct toml_value *root = toml_parse(name, bytes, length, builder->arena, ERR_CONFIG, err);

    if (!root)
        return -1;
    for (const struct toml_value *value = root->first; value; value = value->next) {
        size_t i = 0;

        while (i < COUNT && strcmp(tables[i].name, value->key) != 0)
            i++;
        if (i == COUNT)
            return unknown(value, value->kind == TOML_TABLE ? "table" : "key", &tables[0].name, COUNT,
                           sizeof(tables[0]), builder->arena, err);
        if (toml_expect(value, TOML_TABLE, err) < 0 || tables[i].add(&reading, value) < 0)
            return -1;
    }
    return 0;
}

void config_build(const struct config_builder *builder, struct config *config)
{
    *config = (struct config){
        .settings = builder->settings,
        .setting_count = builder->setting_count,
        .default_registry = builder->default_registry,
        .cache = builder->cache,
        .compression = builder->compression,
        .block_size = builder->block_size,
        .timeout = builder->timeout,
        .registries = builder->registries,
        .registry_count = builder->registry_count,
    };
}
