#include "toml/reader.h"

#include <string.h>

/* What numbers, dates, times and words are made of. */
static int is_bare(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("+-._:", c));
}

static const char *end_of_bare(const struct toml_reader *reader, const char *p)
{
    while (p < reader->end && is_bare(*p))
        p++;
    return p;
}

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Whether the bytes begin as a date or time does: digits, then - or :. */
static int is_date_or_time(const char *p, const char *end)
{
    if (!is_digit(*p))
        return 0;
    while (p < end && is_digit(*p))
        p++;
    return p < end && (*p == '-' || *p == ':');
}

static int is_word(const char *p, const char *end, const char *word)
{
    return (size_t)(end - p) == strlen(word) && memcmp(p, word, strlen(word)) == 0;
}

/* Whether the bytes can only be meant as a number, inf and nan included. */
static int is_number(const char *p, const char *end)
{
    p += *p == '+' || *p == '-';
    return p == end || is_digit(*p) || *p == '.' || *p == '_' || is_word(p, end, "inf") ||
           is_word(p, end, "nan");
}

static int fail_word(struct toml_reader *reader, const char *p, const char *end)
{
    struct arena *arena = reader->file->arena;
    const char *word = arena_strndup(arena, p, (size_t)(end - p));

    return toml_error(reader, p, "%s is no value: text needs quotes, \"...\"; booleans are true and false",
                      str_quote(arena, word));
}

static int read_bare(struct toml_reader *reader, struct toml_value *value)
{
    const char *p = reader->p, *end = end_of_bare(reader, p);

    if (p == end)
        return toml_expected(reader, "a value");
    if (is_date_or_time(p, end)) {
        /* A blank may stand for the T between date and time. */
        if (end - p == 10 && reader->end - end > 1 && end[0] == ' ' && is_digit(end[1]))
            end = end_of_bare(reader, end + 1);
        reader->p = end;
        return toml_parse_date_time(reader, p, end, value);
    }
    reader->p = end;
    if (is_number(p, end))
        return toml_parse_number(reader, p, end, value);
    if (!is_word(p, end, "true") && !is_word(p, end, "false"))
        return fail_word(reader, p, end);
    value->kind = TOML_BOOLEAN;
    value->boolean = *p == 't';
    return 0;
}

static int read_array(struct toml_reader *reader, struct toml_value *array)
{
    if (toml_open(reader, array, TOML_ARRAY, TOML_BY_VALUE, reader->p++) < 0)
        return -1;
    for (;;) {
        struct toml_value *item;

        if (toml_skip_lines(reader) < 0)
            return -1;
        if (toml_take(reader, ']'))
            return 0;
        if (reader->p == reader->end || *reader->p == ',')
            return toml_expected(reader, "a value or ']'");
        item = toml_add(reader, array, NULL);
        if (!item || toml_read_value(reader, item) < 0 || toml_skip_lines(reader) < 0)
            return -1;
        if (toml_take(reader, ']'))
            return 0;
        if (!toml_take(reader, ','))
            return toml_expected(reader, "',' or ']' in the array");
    }
}

static int fail_in_line(struct toml_reader *reader, const char *expected)
{
    if (toml_newline(reader, reader->p) || toml_next_is(reader, '#'))
        return toml_error(reader, reader->p, "an inline table must end in its line: expected %s", expected);
    return toml_expected(reader, expected);
}

static int read_inline_table(struct toml_reader *reader, struct toml_value *table)
{
    if (toml_open(reader, table, TOML_TABLE, TOML_BY_VALUE, reader->p++) < 0)
        return -1;
    toml_skip_blanks(reader);
    if (toml_take(reader, '}'))
        return 0;
    for (;;) {
        if (reader->p == reader->end || toml_newline(reader, reader->p) || toml_next_is(reader, '#'))
            return fail_in_line(reader, "a key or '}'");
        if (toml_read_pair(reader, table) < 0)
            return -1;
        toml_skip_blanks(reader);
        if (toml_take(reader, '}'))
            return 0;
        if (!toml_take(reader, ','))
            return fail_in_line(reader, "',' or '}' in the inline table");
        toml_skip_blanks(reader);
        if (toml_next_is(reader, '}'))
            return toml_error(reader, reader->p, "no comma may stand before the '}' of an inline table");
    }
}

int toml_read_value(struct toml_reader *reader, struct toml_value *value)
{
    value->at = toml_place_of(reader, reader->p);
    if (!value->key)
        value->key_at = value->at;
    if (toml_next_is(reader, '['))
        return read_array(reader, value);
    if (toml_next_is(reader, '{'))
        return read_inline_table(reader, value);
    if (!toml_next_is(reader, '"') && !toml_next_is(reader, '\''))
        return read_bare(reader, value);
    value->kind = TOML_STRING;
    value->text = toml_read_string(reader, 0);
    return value->text ? 0 : -1;
}
