#include "oci/image-config.h"

#include <string.h>

#include "base/str.h"
#include "oci/json-reader.h"

/* An object and what its members' names are preceded by in messages. */
struct section {
    const struct json_value *object;
    const char *prefix;
    struct arena *arena;
    struct err *err;
};

/* The member NAME; NULL where it is absent or null. */
static const struct json_value *find_member(const struct section *section, const char *name)
{
    const struct json_value *value = json_member(section->object, name);

    return value && value->kind != JSON_NULL ? value : NULL;
}

static int fail_kind(const struct section *section, const char *name, const char *expected,
                     const struct json_value *value)
{
    return err_set(section->err, ERR_IMAGE_CONFIG, "image configuration: %s%s must be %s and is %s",
                   section->prefix, name, expected, json_kind_name(value->kind));
}

static int get_string(const struct section *section, const char *name, const char **string)
{
    const struct json_value *value = find_member(section, name);

    if (!value)
        return 0;
    if (value->kind != JSON_STRING)
        return fail_kind(section, name, "a string", value);
    if (*value->text)
        *string = value->text;
    return 0;
}

static int get_strings(const struct section *section, const char *name, char *const **strings)
{
    const struct json_value *array = find_member(section, name);
    char **out;

    if (!array)
        return 0;
    if (array->kind != JSON_ARRAY)
        return fail_kind(section, name, "an array of strings", array);
    if (!array->count)
        return 0;
    *strings = out = arena_alloc(section->arena, (array->count + 1) * sizeof(*out));
    for (const struct json_value *item = array->first; item; item = item->next) {
        if (item->kind != JSON_STRING)
            return fail_kind(section, arena_printf(section->arena, "%s[%zu]", name, (size_t)(out - *strings)),
                             "a string", item);
        *out++ = item->text;
    }
    return 0;
}

static int check_env(char *const *env, struct arena *arena, struct err *err)
{
    for (char *const *entry = env; entry && *entry; entry++)
        if (!strchr(*entry, '=') || **entry == '=')
            return err_set(err, ERR_IMAGE_CONFIG,
                           "image configuration: config.Env[%zu] must be NAME=VALUE and is %s",
                           (size_t)(entry - env), str_quote(arena, *entry));
    return 0;
}

static int parse_run_section(struct oci_image_config *config, const struct section *top)
{
    const struct json_value *value = find_member(top, "config");
    struct section run = {value, "config.", top->arena, top->err};

    if (!value)
        return 0;
    if (value->kind != JSON_OBJECT)
        return fail_kind(top, "config", "an object", value);
    if (get_string(&run, "User", &config->user) < 0 || get_string(&run, "WorkingDir", &config->workdir) < 0 ||
        get_strings(&run, "Env", &config->env) < 0 ||
        get_strings(&run, "Entrypoint", &config->entrypoint) < 0 ||
        get_strings(&run, "Cmd", &config->cmd) < 0)
        return -1;
    return check_env(config->env, top->arena, top->err);
}

int oci_image_config_parse(struct oci_image_config *config, const char *bytes, size_t length,
                           struct arena *arena, struct err *err)
{
    struct section top = {json_read(bytes, length, arena, ERR_IMAGE_CONFIG, err), "", arena, err};

    memset(config, 0, sizeof(*config));
    if (!top.object)
        return err_prefix(err, "image configuration");
    if (top.object->kind != JSON_OBJECT)
        return err_set(err, ERR_IMAGE_CONFIG, "image configuration must be an object and is %s",
                       json_kind_name(top.object->kind));
    return parse_run_section(config, &top);
}
