#include "oci/json-write.h"

#include "base/json.h"

static void write_items(struct str *out, const struct json_value *value)
{
    for (const struct json_value *item = value->first; item; item = item->next) {
        if (item != value->first)
            str_add_char(out, ',');
        if (item->name) {
            json_add_string(out, item->name);
            str_add_char(out, ':');
        }
        json_write(out, item);
    }
}

void json_write(struct str *out, const struct json_value *value)
{
    switch (value->kind) {
    case JSON_NULL:
        str_add(out, "null");
        return;
    case JSON_BOOL:
        str_add(out, value->boolean ? "true" : "false");
        return;
    case JSON_NUMBER:
        str_add(out, value->text);
        return;
    case JSON_STRING:
        json_add_string(out, value->text);
        return;
    case JSON_ARRAY:
    case JSON_OBJECT:
        str_add_char(out, value->kind == JSON_ARRAY ? '[' : '{');
        write_items(out, value);
        str_add_char(out, value->kind == JSON_ARRAY ? ']' : '}');
        return;
    }
}
