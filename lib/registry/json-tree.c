#include "registry/json-tree.h"

#include <string.h>

static void write_string(struct str *out, const char *text)
{
    str_add_char(out, '"');
    for (; *text; text++) {
        const unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            str_addf(out, "\\%c", c);
        else if (c < 0x20 || c == 0x7F)
            str_addf(out, "\\u%04x", c);
        else
            str_add_char(out, *text);
    }
    str_add_char(out, '"');
}

static void new_line(struct str *out, int depth)
{
    str_add_char(out, '\n');
    while (depth--)
        str_add_char(out, '\t');
}

static void write_value(struct str *out, const struct json_value *value, int depth);

/* The depth is that of the reader: JSON_DEPTH_MAX. */
static void write_inside(struct str *out, const struct json_value *value, const char *brackets, int depth)
{
    str_add_char(out, brackets[0]);
    for (const struct json_value *item = value->first; item; item = item->next) {
        new_line(out, depth + 1);
        if (item->name) {
            write_string(out, item->name);
            str_add(out, ": ");
        }
        write_value(out, item, depth + 1);
        if (item->next)
            str_add_char(out, ',');
    }
    if (value->first)
        new_line(out, depth);
    str_add_char(out, brackets[1]);
}

static void write_value(struct str *out, const struct json_value *value, int depth)
{
    switch (value->kind) {
    case JSON_NULL:
        str_add(out, "null");
        break;
    case JSON_BOOL:
        str_add(out, value->boolean ? "true" : "false");
        break;
    case JSON_NUMBER:
        str_add(out, value->text);
        break;
    case JSON_STRING:
        write_string(out, value->text);
        break;
    case JSON_ARRAY:
        write_inside(out, value, "[]", depth);
        break;
    case JSON_OBJECT:
        write_inside(out, value, "{}", depth);
        break;
    }
}

void json_tree_write(struct str *out, const struct json_value *value)
{
    write_value(out, value, 0);
    str_add_char(out, '\n');
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
