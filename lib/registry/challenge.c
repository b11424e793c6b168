#include "registry/challenge.h"

#include <string.h>

struct reader {
    const char *p, *end;
    struct arena *arena;
    struct challenge *current; /* the one that parameters belong to */
    int broken;                /* it is left out */
};

static int is_token(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

static void skip(struct reader *reader, const char *these)
{
    while (reader->p < reader->end && *reader->p && strchr(these, *reader->p))
        reader->p++;
}

static char *take_token(struct reader *reader)
{
    const char *start = reader->p;

    while (reader->p < reader->end && is_token(*reader->p))
        reader->p++;
    return reader->p > start ? arena_strndup(reader->arena, start, (size_t)(reader->p - start)) : NULL;
}

static void lower(char *text)
{
    for (; *text; text++)
        if (*text >= 'A' && *text <= 'Z')
            *text = (char)(*text - 'A' + 'a');
}

/* What stands between quotes, unescaped; NULL where the closing one is missing. */
static char *take_quoted(struct reader *reader)
{
    const char *start = reader->p + 1, *p = start;
    char *text, *out;

    while (p < reader->end && *p != '"')
        p += *p == '\\' && p + 1 < reader->end ? 2 : 1;
    reader->p = p < reader->end ? p + 1 : p;
    if (p >= reader->end)
        return NULL;
    text = out = arena_alloc(reader->arena, (size_t)(p - start) + 1);
    for (const char *from = start; from < p; from++) {
        from += *from == '\\';
        *out++ = *from;
    }
    return text;
}

static int has_control(const char *start, const char *end)
{
    for (; start < end; start++)
        if ((unsigned char)*start < 0x20 || *start == 0x7F)
            return 1;
    return 0;
}

/* The value behind "=", or NULL where it is none. */
static char *take_value(struct reader *reader)
{
    const char *start;
    char *value;

    skip(reader, " \t");
    start = reader->p;
    if (start < reader->end && *start == '"')
        value = take_quoted(reader);
    else
        value = take_token(reader);
    return value && !has_control(start, reader->p) ? value : NULL;
}

static void set_parameter(struct reader *reader, char *name, char *value)
{
    struct challenge *challenge = reader->current;
    const struct {
        const char *name;
        const char **place;
    } known[] = {{"realm", &challenge->realm},
                 {"service", &challenge->service},
                 {"scope", &challenge->scope},
                 {"error", &challenge->error}};

    lower(name);
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(known[i].name, name) != 0)
            continue;
        if (!value || *known[i].place)
            reader->broken = 1;
        *known[i].place = value;
    }
}

/* Passes over a token68 behind a scheme: it is followed by a comma or the end, after any "=". */
static void skip_token68(struct reader *reader)
{
    const char *p = reader->p;

    while (p < reader->end && (is_token(*p) || *p == '/'))
        p++;
    while (p < reader->end && *p == '=')
        p++;
    while (p < reader->end && (*p == ' ' || *p == '\t'))
        p++;
    if (p == reader->end || *p == ',')
        reader->p = p;
}

/* Adds the current challenge to the list that ends at TAIL, unless it is broken. */
static struct challenge **finish(struct reader *reader, struct challenge **tail)
{
    struct challenge *challenge = reader->current;

    reader->current = NULL;
    if (!challenge || reader->broken)
        return tail;
    *tail = challenge;
    return &challenge->next;
}

static void begin(struct reader *reader, char *scheme)
{
    reader->current = arena_alloc(reader->arena, sizeof(*reader->current));
    reader->broken = 0;
    lower(scheme);
    reader->current->scheme = scheme;
    skip_token68(reader);
}

struct challenge *challenge_parse(const char *text, size_t length, struct arena *arena)
{
    struct reader reader = {.p = text, .end = text + length, .arena = arena};
    struct challenge *list = NULL, **tail = &list;
    int count = 0;

    for (;;) {
        char *token;
        skip(&reader, " \t,");
        if (reader.p == reader.end)
            break;
        token = take_token(&reader);
        skip(&reader, " \t");
        if (token && reader.current && reader.p < reader.end && *reader.p == '=') {
            reader.p++;
            set_parameter(&reader, token, take_value(&reader));
        } else if (token) {
            tail = finish(&reader, tail);
            if (count++ == CHALLENGE_MAX)
                break;
            begin(&reader, token);
            continue; /* its first parameter has no comma before it */
        }
        while (reader.p < reader.end && *reader.p != ',')
            reader.p++;
    }
    finish(&reader, tail);
    return list;
}

const struct challenge *challenge_find(const struct challenge *list, const char *scheme)
{
    while (list && strcmp(list->scheme, scheme) != 0)
        list = list->next;
    return list;
}
