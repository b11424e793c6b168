#include "oci/json-reader.h"

#include <string.h>

#include "base/str.h"

struct reader {
    const char *start;
    const char *p; /* the next byte */
    const char *end;
    struct arena *arena;
    enum err_id id;
    struct err *err;
    int depth;
    int values;
};

static int fail(struct reader *reader, const char *at, const char *cause)
{
    size_t line = 1, column = 1;

    for (const char *p = reader->start; p < at; p++) {
        if (*p == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)*p & 0xC0) != 0x80) {
            column++;
        }
    }
    return err_set(reader->err, reader->id, "line %zu, column %zu: %s", line, column, cause);
}

static int fail_expected(struct reader *reader, const char *expected)
{
    const char *found = "the end";

    if (reader->p < reader->end) {
        unsigned char c = (unsigned char)*reader->p;
        found = arena_printf(reader->arena, c > 0x20 && c < 0x7F ? "'%c'" : "byte 0x%02x", c);
    }
    return fail(reader, reader->p, arena_printf(reader->arena, "expected %s, found %s", expected, found));
}

static int fail_above(struct reader *reader, int limit, const char *things)
{
    return fail(reader, reader->p, arena_printf(reader->arena, "more than %d %s", limit, things));
}

static void skip_blanks(struct reader *reader)
{
    while (reader->p < reader->end && memchr(" \n\t\r", *reader->p, 4))
        reader->p++;
}

/* Skips blanks, and takes the byte C if it is the next one. */
static int take(struct reader *reader, char c)
{
    skip_blanks(reader);
    if (reader->p == reader->end || *reader->p != c)
        return 0;
    reader->p++;
    return 1;
}

static int check_utf8(struct reader *reader)
{
    const char *p = reader->start;
    size_t n = 1;

    if (str_is_utf8(p, (size_t)(reader->end - p)))
        return 0;
    /* Character by character up to the one that is broken. */
    while (n <= 4 && n <= (size_t)(reader->end - p)) {
        if (str_is_utf8(p, n)) {
            p += n;
            n = 1;
        } else {
            n++;
        }
    }
    return fail(reader, p, "this is not UTF-8");
}

static int parse_hex4(const char *p, unsigned *code)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";

    *code = 0;
    for (int i = 0; i < 4; i++) {
        const char *digit = memchr(digits, p[i], sizeof(digits) - 1);
        if (!digit)
            return -1;
        *code = *code << 4 | (unsigned)((digit - digits) % 16);
    }
    return 0;
}

static char *add_utf8(char *out, unsigned code)
{
    if (code < 0x80) {
        *out++ = (char)code;
        return out;
    }
    if (code < 0x800) {
        *out++ = (char)(0xC0 | code >> 6);
    } else {
        if (code < 0x10000) {
            *out++ = (char)(0xE0 | code >> 12);
        } else {
            *out++ = (char)(0xF0 | code >> 18);
            *out++ = (char)(0x80 | (code >> 12 & 0x3F));
        }
        *out++ = (char)(0x80 | (code >> 6 & 0x3F));
    }
    *out++ = (char)(0x80 | (code & 0x3F));
    return out;
}

/*
 * Decodes \uXXXX, or two that make a surrogate pair. The string's closing quote
 * is known to come, and is no hexadecimal digit: no look ahead passes the end.
 */
static int read_unicode_escape(struct reader *reader, char **out)
{
    const char *p = reader->p;
    unsigned code, low;

    if (parse_hex4(p + 2, &code) < 0)
        return fail(reader, p, "\\u needs four hexadecimal digits");
    if (code == 0)
        return fail(reader, p, "\\u0000 is refused: text cannot hold a zero byte here");
    reader->p += 6;
    if (code >= 0xD800 && code <= 0xDFFF) {
        if (code > 0xDBFF || p[6] != '\\' || p[7] != 'u' || parse_hex4(p + 8, &low) < 0 || low < 0xDC00 ||
            low > 0xDFFF)
            return fail(reader, p, "half of a surrogate pair");
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        reader->p += 6;
    }
    *out = add_utf8(*out, code);
    return 0;
}

static int read_escape(struct reader *reader, char **out)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    const char *letter;

    if (reader->p[1] == 'u')
        return read_unicode_escape(reader, out);
    letter = memchr(letters, reader->p[1], sizeof(letters) - 1);
    if (!letter)
        return fail(reader, reader->p, "a backslash must be followed by one of \" \\ / b f n r t u");
    *(*out)++ = meanings[letter - letters];
    reader->p += 2;
    return 0;
}

/* The quote that ends the string in which P stands, or END where there is none. */
static const char *find_closing_quote(const char *p, const char *end)
{
    while (p < end && *p != '"')
        p += *p == '\\' && p + 1 < end ? 2 : 1;
    return p;
}

static int read_string(struct reader *reader, char **text)
{
    const char *open = reader->p - 1;
    const char *close = find_closing_quote(reader->p, reader->end);
    char *out;

    if (close == reader->end)
        return fail(reader, open, "this string does not end");
    /* No escape decodes to more bytes than it takes. */
    out = *text = arena_alloc(reader->arena, (size_t)(close - reader->p) + 1);
    while (reader->p < close) {
        if (*reader->p == '\\') {
            if (read_escape(reader, &out) < 0)
                return -1;
        } else if ((unsigned char)*reader->p < 0x20) {
            return fail(reader, reader->p, "a control character in a string must be written as an escape");
        } else {
            *out++ = *reader->p++;
        }
    }
    reader->p = close + 1;
    return 0;
}

/* Takes one digit or more. */
static int read_digits(struct reader *reader)
{
    const char *start = reader->p;

    while (reader->p < reader->end && *reader->p >= '0' && *reader->p <= '9')
        reader->p++;
    return reader->p > start ? 0 : fail_expected(reader, "a digit");
}

static int next_is(const struct reader *reader, const char *either)
{
    return reader->p < reader->end && memchr(either, *reader->p, strlen(either)) != NULL;
}

static int read_number(struct reader *reader, struct json_value *value)
{
    const char *start = reader->p;

    value->kind = JSON_NUMBER;
    reader->p += next_is(reader, "-");
    if (next_is(reader, "0"))
        reader->p++; /* nothing but 0 begins with 0 */
    else if (read_digits(reader) < 0)
        return -1;
    if (next_is(reader, ".")) {
        reader->p++;
        if (read_digits(reader) < 0)
            return -1;
    }
    if (next_is(reader, "eE")) {
        reader->p++;
        reader->p += next_is(reader, "+-");
        if (read_digits(reader) < 0)
            return -1;
    }
    value->text = arena_strndup(reader->arena, start, (size_t)(reader->p - start));
    return 0;
}

static int read_word(struct reader *reader, struct json_value *value)
{
    static const struct {
        const char *word;
        enum json_kind kind;
        int boolean;
    } words[] = {{"null", JSON_NULL, 0}, {"true", JSON_BOOL, 1}, {"false", JSON_BOOL, 0}};
    size_t left = (size_t)(reader->end - reader->p);

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t n = strlen(words[i].word);
        if (n <= left && memcmp(reader->p, words[i].word, n) == 0) {
            value->kind = words[i].kind;
            value->boolean = words[i].boolean;
            reader->p += n;
            return 0;
        }
    }
    return fail_expected(reader, "a value");
}

static int read_value(struct reader *reader, struct json_value *value);

static int enter(struct reader *reader)
{
    if (reader->depth == JSON_DEPTH_MAX)
        return fail_above(reader, JSON_DEPTH_MAX, "arrays and objects inside each other");
    reader->depth++;
    return 0;
}

static int read_array(struct reader *reader, struct json_value *array)
{
    struct json_value **tail = &array->first;

    array->kind = JSON_ARRAY;
    if (enter(reader) < 0)
        return -1;
    if (!take(reader, ']')) {
        do {
            *tail = arena_alloc(reader->arena, sizeof(**tail));
            if (read_value(reader, *tail) < 0)
                return -1;
            tail = &(*tail)->next;
            array->count++;
        } while (take(reader, ','));
        if (!take(reader, ']'))
            return fail_expected(reader, "',' or ']'");
    }
    reader->depth--;
    return 0;
}

/*
 * Whether OBJECT has MEMBER's name already. Thousands of long names that differ
 * at their ends would take seconds to compare; FNV-1a hashes tell them apart.
 */
static int is_repeated(const struct json_value *object, struct json_value *member)
{
    member->name_hash = 2166136261U;
    for (const char *p = member->name; *p; p++)
        member->name_hash = (member->name_hash ^ (unsigned char)*p) * 16777619U;
    for (const struct json_value *other = object->first; other; other = other->next)
        if (other->name_hash == member->name_hash && strcmp(other->name, member->name) == 0)
            return 1;
    return 0;
}

/* Reads `"NAME":` of the member that will be OBJECT's next. */
static int read_name(struct reader *reader, const struct json_value *object, struct json_value *member)
{
    const char *start;

    if (!take(reader, '"'))
        return fail_expected(reader, "a member's name in double quotes");
    start = reader->p - 1;
    if (read_string(reader, &member->name) < 0)
        return -1;
    if (is_repeated(object, member))
        return fail(reader, start,
                    arena_printf(reader->arena, "the object has the member %s twice",
                                 str_quote(reader->arena, member->name)));
    if (object->count == JSON_MEMBERS_MAX)
        return fail_above(reader, JSON_MEMBERS_MAX, "members in an object");
    return take(reader, ':') ? 0 : fail_expected(reader, "':'");
}

static int read_object(struct reader *reader, struct json_value *object)
{
    struct json_value **tail = &object->first;

    object->kind = JSON_OBJECT;
    if (enter(reader) < 0)
        return -1;
    if (!take(reader, '}')) {
        do {
            struct json_value *member = arena_alloc(reader->arena, sizeof(*member));
            if (read_name(reader, object, member) < 0 || read_value(reader, member) < 0)
                return -1;
            *tail = member;
            tail = &member->next;
            object->count++;
        } while (take(reader, ','));
        if (!take(reader, '}'))
            return fail_expected(reader, "',' or '}'");
    }
    reader->depth--;
    return 0;
}

static int read_value(struct reader *reader, struct json_value *value)
{
    if (reader->values++ == JSON_VALUES_MAX)
        return fail_above(reader, JSON_VALUES_MAX, "values");
    if (take(reader, '{'))
        return read_object(reader, value);
    if (take(reader, '['))
        return read_array(reader, value);
    if (take(reader, '"')) {
        value->kind = JSON_STRING;
        return read_string(reader, &value->text);
    }
    if (next_is(reader, "-0123456789"))
        return read_number(reader, value);
    return read_word(reader, value);
}

struct json_value *json_read(const char *bytes, size_t length, struct arena *arena, enum err_id id,
                             struct err *err)
{
    struct reader reader = {
        .start = bytes, .p = bytes, .end = bytes + length, .arena = arena, .id = id, .err = err};
    struct json_value *value = arena_alloc(arena, sizeof(*value));

    if (check_utf8(&reader) < 0 || read_value(&reader, value) < 0)
        return NULL;
    skip_blanks(&reader);
    if (reader.p < reader.end) {
        fail_expected(&reader, "the end");
        return NULL;
    }
    return value;
}

const struct json_value *json_member(const struct json_value *object, const char *name)
{
    for (const struct json_value *member = object->first; member; member = member->next)
        if (strcmp(member->name, name) == 0)
            return member;
    return NULL;
}

const char *json_kind_name(enum json_kind kind)
{
    static const char *const names[] = {
        [JSON_NULL] = "null",       [JSON_BOOL] = "a boolean", [JSON_NUMBER] = "a number",
        [JSON_STRING] = "a string", [JSON_ARRAY] = "an array", [JSON_OBJECT] = "an object",
    };

    return names[kind];
}
