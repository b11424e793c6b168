#include <stdarg.h>

#include "toml/reader.h"

const struct toml_value *toml_find(const struct toml_value *table, const char *key)
{
    return toml_look_up(table, key);
}

const char *toml_kind_name(enum toml_kind kind)
{
    static const char *const names[] = {
        [TOML_STRING] = "a string",
        [TOML_INTEGER] = "an integer",
        [TOML_FLOAT] = "a float",
        [TOML_BOOLEAN] = "a boolean",
        [TOML_OFFSET_DATE_TIME] = "a date and time with an offset",
        [TOML_LOCAL_DATE_TIME] = "a date and time",
        [TOML_LOCAL_DATE] = "a date",
        [TOML_LOCAL_TIME] = "a time",
        [TOML_ARRAY] = "an array",
        [TOML_TABLE] = "a table",
    };

    return names[kind];
}

static int __attribute__((format(printf, 4, 0))) fail_at(const struct toml_value *value, struct toml_place at,
                                                         struct err *err, const char *format, va_list args)
{
    return err_set(err, value->file->id, "%s:%u:%u: %s", value->file->name, at.line, at.column,
                   arena_vprintf(value->file->arena, format, args));
}

int toml_fail(const struct toml_value *value, struct err *err, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fail_at(value, value->at, err, format, args);
    va_end(args);
    return -1;
}

int toml_fail_key(const struct toml_value *value, struct err *err, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fail_at(value, value->key_at, err, format, args);
    va_end(args);
    return -1;
}

/* "KEY: " for messages, "" where there is no key. */
static const char *prefix_of(const struct toml_value *value)
{
    struct arena *arena = value->file->arena;

    return value->key ? arena_join(arena, str_quote(arena, value->key), ": ", NULL) : "";
}

int toml_expect(const struct toml_value *value, enum toml_kind kind, struct err *err)
{
    if (value->kind == kind)
        return 0;
    return toml_fail(value, err, "%sexpected %s, found %s", prefix_of(value), toml_kind_name(kind),
                     toml_kind_name(value->kind));
}

/* 1 and the value where TABLE has KEY and it is of KIND; 0 where it has not; else -1. */
static int get(const struct toml_value *table, const char *key, enum toml_kind kind,
               const struct toml_value **value, struct err *err)
{
    const struct toml_value *found = toml_find(table, key);

    if (!found)
        return 0;
    if (toml_expect(found, kind, err) < 0)
        return -1;
    *value = found;
    return 1;
}

int toml_get_string(const struct toml_value *table, const char *key, const char **text, struct err *err)
{
    const struct toml_value *value;
    int result = get(table, key, TOML_STRING, &value, err);

    if (result > 0)
        *text = value->text;
    return result;
}

int toml_get_boolean(const struct toml_value *table, const char *key, int *boolean, struct err *err)
{
    const struct toml_value *value;
    int result = get(table, key, TOML_BOOLEAN, &value, err);

    if (result > 0)
        *boolean = value->boolean;
    return result;
}

int toml_get_integer(const struct toml_value *table, const char *key, int64_t low, int64_t high,
                     int64_t *integer, struct err *err)
{
    const struct toml_value *value;
    int result = get(table, key, TOML_INTEGER, &value, err);

    if (result > 0 && (value->integer < low || value->integer > high))
        return toml_fail(value, err, "%sexpected an integer from %lld to %lld, found %lld", prefix_of(value),
                         (long long)low, (long long)high, (long long)value->integer);
    if (result > 0)
        *integer = value->integer;
    return result;
}

int toml_get_float(const struct toml_value *table, const char *key, double *number, struct err *err)
{
    const struct toml_value *value = toml_find(table, key);

    if (!value)
        return 0;
    if (value->kind != TOML_INTEGER && toml_expect(value, TOML_FLOAT, err) < 0)
        return -1;
    *number = value->kind == TOML_INTEGER ? (double)value->integer : value->number;
    return 1;
}

int toml_get_array(const struct toml_value *table, const char *key, const struct toml_value **array,
                   struct err *err)
{
    return get(table, key, TOML_ARRAY, array, err);
}

int toml_get_table(const struct toml_value *table, const char *key, const struct toml_value **value,
                   struct err *err)
{
    return get(table, key, TOML_TABLE, value, err);
}

int toml_get_strings(const struct toml_value *table, const char *key, const char *const **strings,
                     struct err *err)
{
    const struct toml_value *array;
    int result = get(table, key, TOML_ARRAY, &array, err);
    const char **out;
    size_t count = 0;

    if (result <= 0)
        return result;
    out = arena_alloc(array->file->arena, (array->count + 1) * sizeof(*out));
    for (const struct toml_value *item = array->first; item; item = item->next) {
        if (item->kind != TOML_STRING)
            return toml_fail(item, err, "%sexpected nothing but strings in the array, found %s",
                             prefix_of(array), toml_kind_name(item->kind));
        out[count++] = item->text;
    }
    *strings = out;
    return 1;
}
