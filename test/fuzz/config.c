/*
 * Fuzz target: the text of a configuration file. Finds crashes, leaks, configurations that
 * break the contract of lib/config/config.h, and settings that a record does not keep.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "config/expand.h"
#include "config/images.h"
#include "config/keys.h"
#include "config/text.h"
#include "host/record-file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void __attribute__((noreturn)) no_memory(void)
{
    abort();
}

static void check(int holds)
{
    if (!holds)
        abort();
}

static void check_text(const char *text)
{
    check(text != NULL && str_is_utf8(text, strlen(text)));
}

static void check_origin(const char *origin)
{
    check(origin && strncmp(origin, "fuzz.toml:", 10) == 0 && origin[10] >= '1' && origin[10] <= '9');
}

/* A value that may hold variables is either expanded or lacks one. */
static void check_expansion(const char *text, const char *escape, struct arena *arena)
{
    static char a[] = "A=1", home[] = "HOME=/h:o,m\\e";
    static char *const environment[] = {a, home, NULL};
    const char *missing = NULL;
    const char *expanded;

    check(config_expand_mistake(text) == NULL);
    expanded = config_expand(text, environment, escape, &missing, arena);
    check((expanded == NULL) == (missing != NULL));
    check(!missing || (*missing && strchr(text, '$')));
}

static void check_setting(const struct config_setting *setting, struct arena *arena)
{
    const struct config_key *key = config_key_find(setting->name);

    check(key != NULL && key->kind != CONFIG_OF_IMAGES);
    check_origin(setting->origin);
    check(setting->value || key->kind == CONFIG_FLAG || key->kind == CONFIG_OPTIONAL);
    check(!setting->value || key->kind != CONFIG_FLAG);
    if (setting->value)
        check_text(setting->value);
    if (setting->value && key->escape)
        check_expansion(setting->value, key->escape, arena);
    if (setting->value && strcmp(key->name, "bind") == 0)
        config_bind_is_optional(setting->value);
}

static void check_registry(const struct config *config, const struct config_registry *registry)
{
    check(config_is_domain(registry->domain) && config_registry(config, registry->domain) == registry);
    check(registry->plain_http == 0 || registry->plain_http == 1);
    check(!registry->ca_file || *registry->ca_file == '/');
    check_origin(registry->origin);
    for (size_t i = 0; registry->mirrors && registry->mirrors[i]; i++)
        check_text(registry->mirrors[i]);
}

/* What coracle-record prints is what a launch reads. */
static void check_record(const struct config *config, struct arena *arena)
{
    struct record_setting *settings = arena_alloc(arena, config->setting_count * sizeof(*settings));
    struct record_file file = {.user = "u",
                               .home = "",
                               .shell = "",
                               .slurm_conf = "",
                               .auth = "",
                               .config_error = "",
                               .directory = "/d",
                               .passwd = "",
                               .group = "",
                               .groups = (const uint32_t[]){1},
                               .group_count = 1};
    struct str text = {.arena = arena};
    struct record_file again;

    for (int i = 0; i < RECORD_INPUTS; i++)
        file.inputs[i] = "absent";
    for (size_t i = 0; i < config->setting_count; i++) {
        const struct config_setting *setting = &config->settings[i];
        settings[i] = (struct record_setting){setting->name, setting->value, setting->origin};
    }
    file.settings = settings;
    file.setting_count = config->setting_count;
    record_file_print(&file, &text);
    check(text.length <= RECORD_STREAM_LIMIT &&
          record_file_parse(text.data, text.length, &again, arena) == 0);
    check(again.setting_count == config->setting_count);
    for (size_t i = 0; i < again.setting_count; i++) {
        check(strcmp(again.settings[i].name, settings[i].name) == 0);
        check((again.settings[i].value == NULL) == (settings[i].value == NULL));
        check(!settings[i].value || strcmp(again.settings[i].value, settings[i].value) == 0);
        check(strcmp(again.settings[i].origin, settings[i].origin) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const char prefix[] = "fuzz.toml:";
    struct config_builder builder = {0};
    struct arena arena;
    struct config config;
    struct err err = {.id = ERR_COUNT};

    arena_init(&arena, no_memory);
    builder.arena = &arena;
    if (config_add_text(&builder, "fuzz.toml", (const char *)bytes, length, &err) < 0) {
        check(err.id == ERR_CONFIG && strncmp(err.text, prefix, strlen(prefix)) == 0);
    } else {
        check(err.id == ERR_COUNT);
        config_build(&builder, &config);
        check(config.setting_count <= CONFIG_SETTINGS_MAX);
        for (size_t i = 0; i < config.setting_count; i++)
            check_setting(&config.settings[i], &arena);
        for (size_t i = 0; i < config.registry_count; i++)
            check_registry(&config, &config.registries[i]);
        if (config.cache.value)
            check_expansion(config.cache.value, "", &arena);
        check_record(&config, &arena);
    }
    arena_free(&arena);
    return 0;
}
