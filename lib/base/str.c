#include "base/str.h"

#include <stdio.h>
#include <string.h>

static void make_room(struct str *str, size_t more)
{
    size_t room = str->room ? str->room : 128;
    char *data;

    if (str->length + more + 1 <= str->room)
        return;
    while (room < str->length + more + 1)
        room *= 2;
    data = arena_alloc(str->arena, room);
    if (str->length)
        memcpy(data, str->data, str->length);
    str->data = data;
    str->room = room;
}

void str_add_bytes(struct str *str, const void *bytes, size_t length)
{
    make_room(str, length);
    if (length)
        memcpy(str->data + str->length, bytes, length);
    str->length += length;
    str->data[str->length] = 0;
}

void str_add(struct str *str, const char *text)
{
    str_add_bytes(str, text, strlen(text));
}

void str_add_char(struct str *str, char c)
{
    str_add_bytes(str, &c, 1);
}

void str_addf(struct str *str, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    str_add(str, arena_vprintf(str->arena, format, args));
    va_end(args);
}

void str_pad(struct str *str, size_t start, size_t column)
{
    do
        str_add_char(str, ' ');
    while (str->length - start < column);
}

const char *str_text(const struct str *str)
{
    return str->data ? str->data : "";
}

/* Length of the UTF-8 sequence at P of at most LEFT bytes, 0 where there is none. */
static size_t utf8_sequence(const unsigned char *p, size_t left)
{
    size_t n;

    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xC2 && p[0] <= 0xDF)
        n = 2;
    else if (p[0] >= 0xE0 && p[0] <= 0xEF)
        n = 3;
    else if (p[0] >= 0xF0 && p[0] <= 0xF4)
        n = 4;
    else
        return 0;
    if (n > left)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F) || (p[0] == 0xF0 && p[1] < 0x90) ||
        (p[0] == 0xF4 && p[1] > 0x8F))
        return 0;
    return n;
}

int str_is_utf8(const char *bytes, size_t length)
{
    const unsigned char *p = (const unsigned char *)bytes;

    while (length) {
        size_t n = utf8_sequence(p, length);
        if (!n)
            return 0;
        p += n;
        length -= n;
    }
    return 1;
}

/* U+0080 to U+009F are control characters too: a terminal may obey them. */
static int is_control(const unsigned char *p, size_t n)
{
    return p[0] < 0x20 || p[0] == 0x7F || (n == 2 && p[0] == 0xC2 && p[1] < 0xA0);
}

enum quoting { PLAIN, BLANKS, ESCAPES };

static enum quoting needed_quoting(const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "/._-+=,@%:^";
    const unsigned char *p = (const unsigned char *)text;
    size_t left = strlen(text);
    enum quoting result = left ? PLAIN : BLANKS;

    while (left) {
        size_t n = utf8_sequence(p, left);
        if (!n || is_control(p, n) || *p == '\'')
            return ESCAPES;
        if (n == 1 && !strchr(plain, *p))
            result = BLANKS;
        p += n;
        left -= n;
    }
    return result;
}

static void add_escaped(struct str *str, const unsigned char *p, size_t n)
{
    if (*p == '\\' || *p == '\'')
        str_addf(str, "\\%c", *p);
    else if (*p == '\n')
        str_add(str, "\\n");
    else if (*p == '\t')
        str_add(str, "\\t");
    else if (!n || is_control(p, n))
        for (size_t i = 0; i < (n ? n : 1); i++)
            str_addf(str, "\\x%02x", p[i]);
    else
        str_add_bytes(str, p, n);
}

void str_add_quoted(struct str *str, const char *text)
{
    enum quoting quoting = needed_quoting(text);
    const unsigned char *p = (const unsigned char *)text;
    size_t left = strlen(text);

    if (quoting == PLAIN) {
        str_add(str, text);
        return;
    }
    str_add(str, quoting == ESCAPES ? "$'" : "'");
    while (left) {
        size_t n = utf8_sequence(p, left);
        if (quoting == ESCAPES)
            add_escaped(str, p, n);
        else
            str_add_bytes(str, p, n);
        p += n ? n : 1;
        left -= n ? n : 1;
    }
    str_add_char(str, '\'');
}

const char *str_quote(struct arena *arena, const char *text)
{
    struct str out = {.arena = arena};

    str_add_quoted(&out, text);
    return str_text(&out);
}
