#include "oci/json-write.h"

#include <string.h>

void json_write_text(struct str *out, const char *text)
{
    size_t left = strlen(text);

    str_add_char(out, '"');
    while (left) {
        const unsigned char c = (unsigned char)*text;
        size_t n = str_utf8_length(text, left);

        if (!n) {
            str_add(out, "\xEF\xBF\xBD");
            n = 1;
        } else if (c == '"' || c == '\\') {
            str_add_char(out, '\\');
            str_add_char(out, (char)c);
        } else if (c < 0x20 || c == 0x7F) {
            str_addf(out, "\\u%04x", c);
        } else {
            str_add_bytes(out, text, n);
        }
        text += n;
        left -= n;
    }
    str_add_char(out, '"');
}

static void write_items(struct str *out, const struct json_value *value)
{
    for (const struct json_value *item = value->first; item; item = item->next) {
        if (item != value->first)
            str_add_char(out, ',');
        if (item->name) {
            json_write_text(out, item->name);
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
        json_write_text(out, value->text);
        return;
    case JSON_ARRAY:
    case JSON_OBJECT:
        str_add_char(out, value->kind == JSON_ARRAY ? '[' : '{');
        write_items(out, value);
        str_add_char(out, value->kind == JSON_ARRAY ? ']' : '}');
        return;
    }
}
