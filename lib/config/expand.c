#include "config/expand.h"

#include <string.h>

#include "base/env.h"
#include "base/str.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"

/*
 * The length of the name that TEXT, behind a dollar, begins with: in *NAME; *LENGTH is that of
 * all that stands for the variable. 0 where there is none.
 */
static size_t find_name(const char *text, const char **name, size_t *length)
{
    const int braces = *text == '{';
    size_t count;

    *name = text + braces;
    if (!**name || !strchr(LETTERS, **name))
        return 0;
    count = strspn(*name, LETTERS "0123456789");
    if (braces && (*name)[count] != '}')
        return 0;
    *length = count + 2 * (size_t)braces;
    return count;
}

const char *config_expand_mistake(const char *text)
{
    const char *name;
    size_t length;

    while ((text = strchr(text, '$'))) {
        text++;
        if (*text == '$')
            text++;
        else if (find_name(text, &name, &length))
            text += length;
        else
            return "a dollar begins the name of a variable, $NAME or ${NAME}; write $$ for a dollar";
    }
    return NULL;
}

const char *config_expand(const char *text, char *const environment[], const char *escape,
                          const char **missing, struct arena *arena)
{
    struct str out = {.arena = arena};

    while (*text) {
        const char *name, *value;
        size_t length, count = 0;

        if (text[0] != '$' || !(count = find_name(text + 1, &name, &length))) {
            text += text[0] == '$' && text[1] == '$';
            str_add_char(&out, *text++);
            continue;
        }
        name = arena_strndup(arena, name, count);
        value = env_find(environment, name);
        if (!value) {
            *missing = name;
            return NULL;
        }
        for (; *value; value++) {
            if (strchr(escape, *value))
                str_add_char(&out, '\\');
            str_add_char(&out, *value);
        }
        text += 1 + length;
    }
    return str_text(&out);
}

/* Behind the first SEPARATOR in TEXT that no backslash takes literally; NULL: there is none. */
static const char *behind(const char *text, char separator)
{
    for (; *text; text++) {
        if (text[0] == '\\' && text[1])
            text++;
        else if (*text == separator)
            return text + 1;
    }
    return NULL;
}

int config_bind_is_optional(const char *spec)
{
    static const char word[] = "optional";
    const char *options = behind(spec, ':');

    options = options ? behind(options, ':') : NULL;
    for (; options; options = behind(options, ',')) {
        const char end = options[strcspn(options, ",")];

        if (strncmp(options, word, sizeof(word) - 1) == 0 && options[sizeof(word) - 1] == end)
            return 1;
    }
    return 0;
}
