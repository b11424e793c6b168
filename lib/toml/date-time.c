/*
 * Dates and times, RFC 3339: checked here and kept as they are written. A minute may
 * have a second 60, as the RFC says for leap seconds.
 */
#include "toml/reader.h"

struct date_time {
    struct toml_reader *reader;
    const char *p;
    const char *end;
};

static int fail_date_time(struct date_time *text, const char *expected)
{
    if (text->p == text->end)
        return toml_error(text->reader, text->p, "expected %s, found the end of the date or time", expected);
    text->reader->p = text->p;
    return toml_expected(text->reader, expected);
}

static int is_digit(const struct date_time *text, int i)
{
    return text->end - text->p > i && text->p[i] >= '0' && text->p[i] <= '9';
}

static int take(struct date_time *text, char c)
{
    if (text->p == text->end || *text->p != c)
        return 0;
    text->p++;
    return 1;
}

/* DIGITS digits whose value is from LOW to HIGH. */
static int read_field(struct date_time *text, const char *what, int digits, int low, int high, int *value)
{
    const char *start = text->p;

    *value = 0;
    for (int i = 0; i < digits; i++, text->p++) {
        if (!is_digit(text, 0))
            return fail_date_time(text,
                                  arena_printf(text->reader->file->arena, "%s of %d digits", what, digits));
        *value = *value * 10 + (*text->p - '0');
    }
    if (*value < low || *value > high)
        return toml_error(text->reader, start, "%s must be from %02d to %02d and is %02d", what, low, high,
                          *value);
    return 0;
}

static int days_of(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const int is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && is_leap ? 29 : days[month - 1];
}

/* YYYY-MM-DD */
static int read_date(struct date_time *text)
{
    int year, month, day;

    if (read_field(text, "the year", 4, 0, 9999, &year) < 0)
        return -1;
    if (!take(text, '-'))
        return fail_date_time(text, "'-' after the year: a date is written YYYY-MM-DD");
    if (read_field(text, "the month", 2, 1, 12, &month) < 0)
        return -1;
    if (!take(text, '-'))
        return fail_date_time(text, "'-' after the month: a date is written YYYY-MM-DD");
    return read_field(text, "the day", 2, 1, days_of(year, month), &day);
}

/* HH:MM:SS[.DIGITS] */
static int read_time(struct date_time *text)
{
    int value;

    if (read_field(text, "the hour", 2, 0, 23, &value) < 0)
        return -1;
    if (!take(text, ':'))
        return fail_date_time(text, "':' after the hour: a time is written HH:MM:SS");
    if (read_field(text, "the minute", 2, 0, 59, &value) < 0)
        return -1;
    if (!take(text, ':'))
        return fail_date_time(text, "':' and the seconds: a time is written HH:MM:SS");
    if (read_field(text, "the second", 2, 0, 60, &value) < 0)
        return -1;
    if (take(text, '.')) {
        if (!is_digit(text, 0))
            return fail_date_time(text, "a digit after the point");
        while (is_digit(text, 0))
            text->p++;
    }
    return 0;
}

/* Z, +HH:MM, -HH:MM. 0 and whether there is one in *HAS_OFFSET, or -1. */
static int read_offset(struct date_time *text, int *has_offset)
{
    int value;

    *has_offset = 1;
    if (take(text, 'Z') || take(text, 'z'))
        return 0;
    if (!take(text, '+') && !take(text, '-')) {
        *has_offset = 0;
        return 0;
    }
    if (read_field(text, "the hour of the offset", 2, 0, 23, &value) < 0)
        return -1;
    if (!take(text, ':'))
        return fail_date_time(text, "':' in the offset: it is written +HH:MM");
    return read_field(text, "the minute of the offset", 2, 0, 59, &value);
}

static int parse_date_time(struct date_time *text, struct toml_value *value)
{
    int has_offset, digits = 0;

    while (is_digit(text, digits))
        digits++;
    if (text->end - text->p > digits && text->p[digits] == ':') {
        value->kind = TOML_LOCAL_TIME;
        return read_time(text);
    }
    value->kind = TOML_LOCAL_DATE;
    if (read_date(text) < 0)
        return -1;
    if (text->p == text->end)
        return 0;
    if (!take(text, 'T') && !take(text, 't') && !take(text, ' '))
        return fail_date_time(text, "'T' and the time");
    if (read_time(text) < 0 || read_offset(text, &has_offset) < 0)
        return -1;
    value->kind = has_offset ? TOML_OFFSET_DATE_TIME : TOML_LOCAL_DATE_TIME;
    return 0;
}

int toml_parse_date_time(struct toml_reader *reader, const char *p, const char *end, struct toml_value *value)
{
    struct date_time text = {reader, p, end};

    if (parse_date_time(&text, value) < 0)
        return -1;
    if (text.p < end)
        return fail_date_time(&text, "the end of the date or time");
    value->text = arena_strndup(reader->file->arena, p, (size_t)(end - p));
    return 0;
}
