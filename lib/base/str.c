#include "base/str.h"

#include <stdio.h>
#include <string.h>

#include "base/num.h"

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

void str_add_number(struct str *str, uint64_t value)
{
    char digits[21];

    num_format(digits, value);
    str_add(str, digits);
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

size_t str_utf8_length(const char *bytes, size_t left)
{
    const unsigned char *p = (const unsigned char *)bytes;
    size_t n;

    if (!left)
        return 0;
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
    while (length) {
        size_t n = str_utf8_length(bytes, length);
        if (!n)
            return 0;
        bytes += n;
        length -= n;
    }
    return 1;
}

/* Unicode's Bidi_Control: U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069. */
static int turns_around(const unsigned char *p, size_t n)
{
    if (n == 2)
        return p[0] == 0xD8 && p[1] == 0x9C;
    if (n != 3 || p[0] != 0xE2)
        return 0;
    return (p[1] == 0x80 && (p[2] == 0x8E || p[2] == 0x8F || (p[2] >= 0xAA && p[2] <= 0xAE))) ||
           (p[1] == 0x81 && p[2] >= 0xA6 && p[2] <= 0xA9);
}

int str_is_control(const char *bytes, size_t length)
{
    const unsigned char *p = (const unsigned char *)bytes;

    /* U+0080 to U+009F are control characters too: a terminal may obey them. */
    return p[0] < 0x20 || p[0] == 0x7F || (length == 2 && p[0] == 0xC2 && p[1] < 0xA0) ||
           turns_around(p, length);
}

enum quoting { PLAIN, BLANKS, ESCAPES };

static enum quoting needed_quoting(const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "/._-+=,@%:^";
    size_t left = strlen(text);
    enum quoting result = left ? PLAIN : BLANKS;

    while (left) {
        size_t n = str_utf8_length(text, left);
        if (!n || str_is_control(text, n) || *text == '\'')
            return ESCAPES;
        if (n == 1 && !strchr(plain, *text))
            result = BLANKS;
        text += n;
        left -= n;
    }
    return result;
}

static void add_escaped(struct str *str, const char *p, size_t n)
{
    if (*p == '\\' || *p == '\'')
        str_addf(str, "\\%c", *p);
    else if (*p == '\n')
        str_add(str, "\\n");
    else if (*p == '\t')
        str_add(str, "\\t");
    else if (!n || str_is_control(p, n))
        for (size_t i = 0; i < (n ? n : 1); i++)
            str_addf(str, "\\x%02x", (unsigned char)p[i]);
    else
        str_add_bytes(str, p, n);
}

void str_add_quoted(struct str *str, const char *text)
{
    enum quoting quoting = needed_quoting(text);
    size_t left = strlen(text);

    if (quoting == PLAIN) {
        str_add(str, text);
        return;
    }
    str_add(str, quoting == ESCAPES ? "$'" : "'");
    while (left) {
        size_t n = str_utf8_length(text, left);
        if (quoting == ESCAPES)
            add_escaped(str, text, n);
        else
            str_add_bytes(str, text, n);
        text += n ? n : 1;
        left -= n ? n : 1;
    }
    str_add_char(str, '\'');
}

static int is_inside_character(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

/* About the first and the last KEPT / 2 bytes of TEXT, which has more than KEPT; no character is cut. */
static const char *leave_middle_out(struct arena *arena, const char *text, size_t kept)
{
    struct str out = {.arena = arena};
    size_t head = kept / 2, tail = strlen(text) - kept / 2;

    while (head && is_inside_character(text[head]))
        head--;
    while (is_inside_character(text[tail]))
        tail++;
    str_add_bytes(&out, text, head);
    str_add(&out, "...");
    str_add(&out, text + tail);
    return out.data;
}

const char *str_quote(struct arena *arena, const char *text)
{
    enum { MARKS = sizeof("$''...") - 1 };
    struct str out = {.arena = arena};
    /* What is escaped takes up to four times the room. */
    size_t kept = STR_QUOTE_LIMIT - MARKS;

    str_add_quoted(&out, text);
    for (; out.length > STR_QUOTE_LIMIT; kept /= 2) {
        out = (struct str){.arena = arena};
        str_add_quoted(&out, strlen(text) > kept ? leave_middle_out(arena, text, kept) : text);
    }
    return str_text(&out);
}
