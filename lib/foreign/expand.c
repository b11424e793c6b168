#include <string.h>

#include "base/env.h"
#include "foreign/foreign.h"

static int is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* The length of the name of a variable at TEXT. */
static size_t name_length(const char *text)
{
    size_t length = 0;

    while (is_letter(text[length]) || (length && text[length] >= '0' && text[length] <= '9'))
        length++;
    return length;
}

static const char *expand_items(const char *value, size_t limit, char *const environment[],
                                struct arena *arena)
{
    struct str out = {.arena = arena};
    int count = 0;

    for (;; value++) {
        const size_t length = strcspn(value, ":");
        const char *item = arena_strndup(arena, value, length);

        if (item[0] == '$' && item[1]) {
            item = env_find(environment, item + 1);
            item = item && *item ? item : NULL;
        }
        if (item && count++)
            str_add_char(&out, ':');
        if (item)
            str_add(&out, item);
        value += length;
        if (!*value || out.length > limit)
            return str_text(&out);
    }
}

static const char *expand_braces(const char *value, size_t limit, char *const environment[],
                                 struct arena *arena)
{
    struct str out = {.arena = arena};

    while (*value && out.length <= limit) {
        const size_t length = value[0] == '$' && value[1] == '{' ? name_length(value + 2) : 0;

        if (length && value[2 + length] == '}') {
            const char *found = env_find(environment, arena_strndup(arena, value + 2, length));

            str_add(&out, found ? found : "");
            value += length + 3;
        } else {
            str_add_char(&out, *value++);
        }
    }
    return str_text(&out);
}

const char *foreign_expand(const struct foreign *foreign, const char *value, size_t limit,
                           char *const environment[], struct arena *arena)
{
    const char *expanded = value;

    if (strchr(value, '$') && foreign->system == FOREIGN_CHARLIECLOUD)
        expanded = expand_items(value, limit, environment, arena);
    else if (strchr(value, '$'))
        expanded = expand_braces(value, limit, environment, arena);
    return strlen(expanded) > limit ? value : expanded;
}
