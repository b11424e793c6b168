#include "config-print.h"

#include <string.h>

#include "base/env.h"
#include "base/json.h"
#include "base/opt.h"
#include "config/keys.h"
#include "launch-options.h"

enum { VALUE_COLUMN = 26, ORIGIN_COLUMN = 62 };

/* A value with where it is from; VALUE may be NULL: a flag. */
struct shown {
    const char *key;
    const char *value;
    const char *origin;
};

/* The variable of option --NAME where it is set; NULL: it is not, or there is none. */
static const char *variable_of(const char *name, char *const environment[])
{
    size_t count;
    const struct opt_row *rows = launch_options_rows(&count);

    for (size_t i = 0; i < count; i++) {
        const char *value;

        if (strcmp(rows[i].name + 2, name) != 0 || !rows[i].variable)
            continue;
        value = env_find(environment, rows[i].variable);
        return value && *value ? rows[i].variable : NULL;
    }
    return NULL;
}

/* Calls SHOW for each setting of a launch that counts: those of files, then variables. */
static void each_setting(const struct config *config, char *const environment[],
                         void (*show)(void *context, const struct shown *shown), void *context)
{
    for (size_t i = 0; i < config->setting_count; i++) {
        const struct config_setting *setting = &config->settings[i];
        const struct config_key *key = config_key_find(setting->name);

        if ((key && key->kind == CONFIG_LIST) || !variable_of(setting->name, environment))
            show(context, &(struct shown){setting->name, setting->value, setting->origin});
    }
    for (size_t i = 0; i < config_key_count; i++) {
        const char *variable = variable_of(config_keys[i].name, environment);

        if (variable && config_keys[i].kind != CONFIG_OF_IMAGES)
            show(context, &(struct shown){config_keys[i].name, env_find(environment, variable), variable});
    }
}

static void add_line(struct str *out, const char *table, const struct shown *shown)
{
    const size_t start = out->length;

    str_addf(out, "%s%s", table, shown->key);
    str_pad(out, start, VALUE_COLUMN);
    str_add_quoted(out, shown->value ? shown->value : "true");
    str_pad(out, start, ORIGIN_COLUMN);
    str_add_quoted(out, shown->origin);
    str_add_char(out, '\n');
}

static void show_setting(void *out, const struct shown *shown)
{
    add_line(out, "run.", shown);
}

/* TEXT as key KEY, or what the variable of option --NAME says. */
static struct shown of_images(const char *key, const struct config_text *text, const char *name,
                              char *const environment[])
{
    const char *variable = variable_of(name, environment);

    if (variable)
        return (struct shown){key, env_find(environment, variable), variable};
    return (struct shown){key, text->value, text->origin};
}

enum { IMAGES_KEYS = 5 };

/* The keys of [images], those that are not set without a value. */
static void list_images(const struct config *config, char *const environment[],
                        struct shown shown[IMAGES_KEYS])
{
    shown[0] = of_images("default-registry", &config->default_registry, "registry", environment);
    shown[1] = of_images("cache", &config->cache, "cache", environment);
    shown[2] = (struct shown){"compression", config->compression.value, config->compression.origin};
    shown[3] = (struct shown){"block-size", config->block_size.value, config->block_size.origin};
    shown[4] = (struct shown){"timeout", config->timeout.value, config->timeout.origin};
}

static void add_registry(struct str *out, const struct config_registry *registry)
{
    const char *table = arena_join(out->arena, "registry.\"", registry->domain, "\".", NULL);

    for (size_t i = 0; registry->mirrors && registry->mirrors[i]; i++)
        add_line(out, table, &(struct shown){"mirrors", registry->mirrors[i], registry->origin});
    if (registry->plain_http)
        add_line(out, table, &(struct shown){"plain-http", NULL, registry->origin});
    if (registry->ca_file)
        add_line(out, table, &(struct shown){"ca-file", registry->ca_file, registry->origin});
}

void config_print(const struct config *config, const struct config_sources *sources,
                  char *const environment[], struct str *out)
{
    struct shown images[IMAGES_KEYS];

    for (size_t i = 0; i < sources->file_count; i++) {
        const struct config_file *file = &sources->files[i];
        const size_t start = out->length;

        str_addf(out, "file.%s", file->what);
        str_pad(out, start, VALUE_COLUMN);
        str_add_quoted(out, file->path);
        str_pad(out, start, ORIGIN_COLUMN);
        str_addf(out, "%s%s%s\n", file->exists ? "read" : "absent", file->named ? ", of " : "",
                 file->named ? file->named : "");
    }
    each_setting(config, environment, show_setting, out);
    list_images(config, environment, images);
    for (size_t i = 0; i < IMAGES_KEYS; i++)
        if (images[i].value)
            add_line(out, "images.", &images[i]);
    for (size_t i = 0; i < config->registry_count; i++)
        add_registry(out, &config->registries[i]);
}

static void write_shown(void *context, const struct shown *shown)
{
    struct json_writer *writer = context;

    json_object(writer, NULL);
    json_text(writer, "key", shown->key);
    if (shown->value)
        json_text(writer, "value", shown->value);
    else
        json_bool(writer, "value", 1);
    json_text(writer, "origin", shown->origin);
    json_end(writer, '}');
}

static void write_files(struct json_writer *writer, const struct config_sources *sources)
{
    json_array(writer, "files");
    for (size_t i = 0; i < sources->file_count; i++) {
        const struct config_file *file = &sources->files[i];

        json_object(writer, NULL);
        json_text(writer, "kind", file->what);
        json_text(writer, "path", file->path);
        json_bool(writer, "exists", file->exists);
        if (file->named)
            json_text(writer, "variable", file->named);
        json_end(writer, '}');
    }
    json_end(writer, ']');
}

static void write_registries(struct json_writer *writer, const struct config *config)
{
    json_array(writer, "registry");
    for (size_t i = 0; i < config->registry_count; i++) {
        const struct config_registry *registry = &config->registries[i];

        json_object(writer, NULL);
        json_text(writer, "domain", registry->domain);
        json_array(writer, "mirrors");
        for (size_t k = 0; registry->mirrors && registry->mirrors[k]; k++)
            json_text(writer, NULL, registry->mirrors[k]);
        json_end(writer, ']');
        json_bool(writer, "plain-http", registry->plain_http);
        if (registry->ca_file)
            json_text(writer, "ca-file", registry->ca_file);
        json_text(writer, "origin", registry->origin);
        json_end(writer, '}');
    }
    json_end(writer, ']');
}

void config_print_json(const struct config *config, const struct config_sources *sources,
                       char *const environment[], struct str *out)
{
    struct json_writer writer = {.out = out};
    struct shown images[IMAGES_KEYS];

    list_images(config, environment, images);
    json_object(&writer, NULL);
    write_files(&writer, sources);
    json_array(&writer, "run");
    each_setting(config, environment, write_shown, &writer);
    json_end(&writer, ']');
    json_array(&writer, "images");
    for (size_t i = 0; i < IMAGES_KEYS; i++)
        if (images[i].value)
            write_shown(&writer, &images[i]);
    json_end(&writer, ']');
    write_registries(&writer, config);
    json_end(&writer, '}');
}
