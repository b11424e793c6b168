#include "toml/reader.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A number while it is read: its bytes without underscores, which strtod(3) does not know. */
struct number {
    struct toml_reader *reader;
    const char *p;
    const char *end;
    struct str digits;
};

static int fail_number(struct number *number, const char *expected)
{
    if (number->p == number->end)
        return toml_error(number->reader, number->p, "expected %s, found the end of the number", expected);
    number->reader->p = number->p;
    return toml_expected(number->reader, expected);
}

static int next_is(const struct number *number, const char *either)
{
    return number->p < number->end && memchr(either, *number->p, strlen(either)) != NULL;
}

/* Passes the next byte if it is one of EITHER. */
static int take(struct number *number, const char *either)
{
    if (!next_is(number, either))
        return 0;
    str_add_char(&number->digits, *number->p++);
    return 1;
}

/* One digit or more, of those in ALLOWED, with single underscores between them. */
static int read_digits(struct number *number, const char *allowed)
{
    for (;;) {
        if (!take(number, allowed))
            return fail_number(number, strlen(allowed) == 10 ? "a digit" : "a digit of this base");
        if (next_is(number, "_"))
            number->p++;
        else if (!next_is(number, allowed))
            return 0;
    }
}

/* DIGITS of BASE as an integer of at most LIMIT. */
static int parse_digits(const char *digits, unsigned base, uint64_t limit, uint64_t *value)
{
    static const char known[] = "0123456789abcdef0123456789ABCDEF";

    *value = 0;
    for (; *digits; digits++) {
        unsigned digit = (unsigned)(strchr(known, *digits) - known) % 16;
        if (*value > (limit - digit) / base)
            return -1;
        *value = *value * base + digit;
    }
    return 0;
}

static int fail_range(struct number *number, const char *start)
{
    return toml_error(number->reader, start,
                      "this integer is out of range: from -9223372036854775808 to 9223372036854775807");
}

/* 0xHEX, 0oOCTAL, 0bBINARY: no sign, zeroes in front as one likes. 1 where it is none of these. */
static int parse_based(struct number *number, struct toml_value *value)
{
    static const struct {
        char letter;
        unsigned base;
        const char *digits;
    } bases[] = {{'x', 16, "0123456789abcdefABCDEF"}, {'o', 8, "01234567"}, {'b', 2, "01"}};
    const char *start = number->p;
    uint64_t integer;

    for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
        if (number->end - start < 2 || start[0] != '0' || start[1] != bases[i].letter)
            continue;
        number->p += 2;
        if (read_digits(number, bases[i].digits) < 0)
            return -1;
        if (number->p < number->end)
            return fail_number(number, "a digit of this base");
        if (parse_digits(str_text(&number->digits), bases[i].base, INT64_MAX, &integer) < 0)
            return fail_range(number, start);
        value->kind = TOML_INTEGER;
        value->integer = (int64_t)integer;
        return 0;
    }
    return 1;
}

/* inf and nan, after a sign. 1 where it is neither. */
static int parse_word(const struct number *number, int is_negative, struct toml_value *value)
{
    if (number->end - number->p != 3)
        return 1;
    if (memcmp(number->p, "inf", 3) == 0)
        value->number = is_negative ? -INFINITY : INFINITY;
    else if (memcmp(number->p, "nan", 3) == 0)
        value->number = is_negative ? -NAN : NAN;
    else
        return 1;
    value->kind = TOML_FLOAT;
    return 0;
}

static int set_integer(struct number *number, int is_negative, const char *start, struct toml_value *value)
{
    const uint64_t limit = (uint64_t)INT64_MAX + (is_negative ? 1 : 0);
    const char *digits = str_text(&number->digits);
    uint64_t integer;

    if (parse_digits(digits + (*digits == '-' || *digits == '+'), 10, limit, &integer) < 0)
        return fail_range(number, start);
    value->kind = TOML_INTEGER;
    value->integer = (int64_t)(is_negative ? 0 - integer : integer);
    return 0;
}

/* What is after the digits before the point: .DIGITS, eDIGITS or both. */
static int read_fraction(struct number *number)
{
    static const char decimal[] = "0123456789";

    if (take(number, ".") && read_digits(number, decimal) < 0)
        return -1;
    if (take(number, "eE")) {
        take(number, "+-");
        if (read_digits(number, decimal) < 0)
            return -1;
    }
    return number->p < number->end ? fail_number(number, "a digit or the end of the number") : 0;
}

/* strtod(3) wants the locale's decimal point: no program of ours sets a locale. */
static int set_float(struct number *number, const char *start, struct toml_value *value)
{
    value->kind = TOML_FLOAT;
    value->number = strtod(str_text(&number->digits), NULL);
    return isinf(value->number) ? toml_error(number->reader, start, "this number is too large") : 0;
}

int toml_parse_number(struct toml_reader *reader, const char *p, const char *end, struct toml_value *value)
{
    struct number number = {reader, p, end, {.arena = reader->file->arena}};
    const int is_negative = *p == '-';
    const char *first;
    int result = parse_based(&number, value);

    if (result <= 0)
        return result;
    take(&number, "+-");
    if (parse_word(&number, is_negative, value) == 0)
        return 0;
    first = number.p;
    if (read_digits(&number, "0123456789") < 0)
        return -1;
    if (*first == '0' && number.p - first > 1)
        return toml_error(reader, first, "a number must not begin with 0; an octal one begins with 0o");
    if (number.p == end)
        return set_integer(&number, is_negative, p, value);
    return read_fraction(&number) < 0 ? -1 : set_float(&number, p, value);
}
