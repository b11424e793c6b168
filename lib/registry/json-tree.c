#include "registry/json-tree.h"

#include <string.h>

#include "base/json.h"

/* The depth is that of the reader: JSON_DEPTH_MAX. */
static void write_value(struct json_writer *writer, const struct json_value *value)
{
    const int is_array = value->kind == JSON_ARRAY;

    switch (value->kind) {
    case JSON_NULL:
        json_null(writer, value->name);
        break;
    case JSON_BOOL:
        json_bool(writer, value->name, value->boolean);
        break;
    case JSON_NUMBER:
        json_raw(writer, value->name, value->text, strlen(value->text));
        break;
    case JSON_STRING:
        json_text(writer, value->name, value->text);
        break;
    case JSON_ARRAY:
    case JSON_OBJECT:
        (is_array ? json_array : json_object)(writer, value->name);
        for (const struct json_value *item = value->first; item; item = item->next)
            write_value(writer, item);
        json_end(writer, is_array ? ']' : '}');
        break;
    }
}

void json_tree_write(struct str *out, const struct json_value *value)
{
    struct json_writer writer = {.out = out};

    write_value(&writer, value);
}

struct json_value *json_tree_new(enum json_kind kind, const char *text, struct arena *arena)
{
    struct json_value *value = arena_alloc(arena, sizeof(*value));

    value->kind = kind;
    value->text = text ? arena_strdup(arena, text) : NULL;
    return value;
}

void json_tree_set(struct json_value *object, const char *name, struct json_value *value, struct arena *arena)
{
    struct json_value **place = &object->first;

    while (*place && strcmp((*place)->name, name) != 0)
        place = &(*place)->next;
    value->name = arena_strdup(arena, name);
    value->next = *place ? (*place)->next : NULL;
    object->count += *place ? 0 : 1;
    *place = value;
}

int json_tree_remove(struct json_value *object, const char *name)
{
    struct json_value **place = &object->first;

    while (*place && strcmp((*place)->name, name) != 0)
        place = &(*place)->next;
    if (!*place)
        return 0;
    *place = (*place)->next;
    object->count--;
    return 1;
}
