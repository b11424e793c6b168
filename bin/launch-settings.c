#include "launch-settings.h"

#include <string.h>

#include "base/str.h"
#include "config/expand.h"
#include "config/keys.h"

/* How settings are given to setters. */
struct giving {
    const struct opt_row *rows;
    size_t row_count;
    char *const *environment;
    struct launch_options *target;
    int only_to_check;
    struct arena *arena;
    struct err *err;
};

/* The value of SETTING in *VALUE. 0; 1 where it is to be left out; or -1. */
static int expand(const struct giving *giving, const struct record_setting *setting,
                  const struct config_key *key, const char **value)
{
    const char *missing;

    *value = setting->value;
    if (!setting->value || !key)
        return 0;
    if (key->escape)
        *value = config_expand(setting->value, giving->environment, key->escape, &missing, giving->arena);
    if (!*value && (giving->only_to_check ||
                    (strcmp(setting->name, "bind") == 0 && config_bind_is_optional(setting->value))))
        return 1;
    if (!*value)
        err_set(giving->err, ERR_CONFIG, "%s: the variable %s in %s is not set", setting->origin,
                str_quote(giving->arena, missing), str_quote(giving->arena, setting->value));
    /* What a relative path leads to would depend on where a launch is started. */
    else if (key->is_host_path && **value != '/')
        err_set(giving->err, ERR_CONFIG, "%s: %s must begin with an absolute path", setting->origin,
                str_quote(giving->arena, *value));
    else
        return 0;
    if (key->kind != CONFIG_OF_IMAGES)
        return -1;
    giving->target->cache_problem = arena_strdup(giving->arena, giving->err->text);
    return 1;
}

static int give(const struct giving *giving, const struct opt_row *row, const struct record_setting *setting)
{
    const struct opt_origin origin = {setting->origin, ERR_CONFIG};
    const char *value;
    const int result = expand(giving, setting, config_key_find(setting->name), &value);

    if (result)
        return result < 0 ? -1 : 0;
    return row->set(giving->target, value, &origin, giving->err);
}

static int give_all(const struct giving *giving, const struct record_setting *settings, size_t count)
{
    const struct opt_row *const end = giving->rows + giving->row_count;

    for (size_t i = 0; i < count; i++) {
        const struct opt_row *row = giving->rows;

        while (row < end && strcmp(row->name + 2, settings[i].name) != 0)
            row++;
        if (row == end || (!giving->only_to_check && opt_variable_says_no(row, giving->environment)))
            continue;
        if (give(giving, row, &settings[i]) < 0)
            return -1;
    }
    return 0;
}

int launch_settings_apply(const struct opt_row *rows, size_t row_count, const struct record_setting *settings,
                          size_t count, char *const environment[], struct launch_options *target,
                          struct arena *arena, struct err *err)
{
    const struct giving giving = {rows, row_count, environment, target, 0, arena, err};

    return give_all(&giving, settings, count);
}

int launch_settings_check(const struct opt_row *rows, size_t row_count, const struct record_setting *settings,
                          size_t count, char *const environment[], struct launch_options *target,
                          struct arena *arena, struct err *err)
{
    const struct giving giving = {rows, row_count, environment, target, 1, arena, err};

    return give_all(&giving, settings, count);
}
