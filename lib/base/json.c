#include "base/json.h"

#include <string.h>

void json_add_string(struct str *out, const char *text)
{
    size_t left = strlen(text);

    str_add_char(out, '"');
    while (left) {
        unsigned char c = (unsigned char)*text;
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

static void new_line(struct json_writer *writer)
{
    if (writer->is_compact)
        return;
    str_add_char(writer->out, '\n');
    for (int i = 0; i < writer->depth; i++)
        str_add(writer->out, "  ");
}

static void begin_value(struct json_writer *writer, const char *name)
{
    if (!writer->empty && writer->depth)
        str_add_char(writer->out, ',');
    if (writer->depth)
        new_line(writer);
    if (name) {
        json_add_string(writer->out, name);
        str_add(writer->out, writer->is_compact ? ":" : ": ");
    }
    writer->empty = 0;
}

static void open_bracket(struct json_writer *writer, const char *name, char bracket)
{
    begin_value(writer, name);
    str_add_char(writer->out, bracket);
    writer->depth++;
    writer->empty = 1;
}

void json_object(struct json_writer *writer, const char *name)
{
    open_bracket(writer, name, '{');
}

void json_array(struct json_writer *writer, const char *name)
{
    open_bracket(writer, name, '[');
}

void json_end(struct json_writer *writer, char bracket)
{
    writer->depth--;
    if (!writer->empty)
        new_line(writer);
    str_add_char(writer->out, bracket);
    if (!writer->depth)
        str_add_char(writer->out, '\n');
    writer->empty = 0;
}

void json_number(struct json_writer *writer, const char *name, uint64_t value)
{
    begin_value(writer, name);
    str_addf(writer->out, "%llu", (unsigned long long)value);
}

void json_bool(struct json_writer *writer, const char *name, int value)
{
    begin_value(writer, name);
    str_add(writer->out, value ? "true" : "false");
}

void json_null(struct json_writer *writer, const char *name)
{
    begin_value(writer, name);
    str_add(writer->out, "null");
}

static void add_base64(struct str *out, const char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *p = (const unsigned char *)text;
    size_t left = strlen(text);

    str_add_char(out, '"');
    for (; left; p += 3) {
        unsigned group = (unsigned)p[0] << 16 | (left > 1 ? (unsigned)p[1] << 8 : 0) | (left > 2 ? p[2] : 0);
        char four[4] = {digits[group >> 18], digits[group >> 12 & 63], '=', '='};
        if (left > 1)
            four[2] = digits[group >> 6 & 63];
        if (left > 2)
            four[3] = digits[group & 63];
        str_add_bytes(out, four, 4);
        if (left <= 3)
            break;
        left -= 3;
    }
    str_add_char(out, '"');
}

void json_text(struct json_writer *writer, const char *name, const char *text)
{
    int plain = str_is_utf8(text, strlen(text));

    if (!plain && !name) {
        json_object(writer, NULL);
        json_text(writer, "text", text);
        json_end(writer, '}');
        return;
    }
    begin_value(writer, name);
    json_add_string(writer->out, text);
    if (!plain) {
        begin_value(writer, arena_join(writer->out->arena, name, "_base64", NULL));
        add_base64(writer->out, text);
    }
}

void json_raw(struct json_writer *writer, const char *name, const char *json, size_t length)
{
    begin_value(writer, name);
    str_add_bytes(writer->out, json, length);
}
