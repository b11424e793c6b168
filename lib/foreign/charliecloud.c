/*
 * /ch/environment, as ch-run --set-env reads it: a NAME=VALUE per line, empty lines
 * skipped, no comments, single quotes around a whole value taken off. Where ch-run
 * stops at a line that is none, it is left out here, with a warning.
 */
#include <string.h>

#include "foreign/system.h"
#include "oci/json-reader.h"

static const char environment_name[] = "/ch/environment", metadata_name[] = "/ch/metadata.json";
static const char metadata_origin[] = "image /ch/metadata.json";

/* The length of the name in LINE; 0 where it is no NAME=VALUE. */
static size_t name_of(const struct foreign_text *line)
{
    const char *equals = memchr(line->bytes, '=', line->length);

    return !equals || memchr(line->bytes, 0, line->length) ? 0 : (size_t)(equals - line->bytes);
}

/* The value of VARIABLE without the single quotes around it. */
static void take_quotes(struct foreign_variable *variable, struct arena *arena)
{
    const size_t length = strlen(variable->value);

    if (length >= 2 && variable->value[0] == '\'' && variable->value[length - 1] == '\'')
        variable->value = arena_strndup(arena, variable->value + 1, length - 2);
}

static void warn_of_lines(struct foreign *foreign, size_t number, const struct foreign_text *line,
                          size_t count, struct arena *arena)
{
    struct str more = {.arena = arena};

    if (count > 1)
        str_addf(&more, ", and %zu more", count - 1);
    foreign->warning =
        arena_printf(arena, "%s, line %zu: %s is not NAME=VALUE and is left out%s", environment_name, number,
                     str_quote(arena, arena_strndup(arena, line->bytes, line->length)), str_text(&more));
}

static int read_environment(struct foreign *foreign, struct foreign_text text, struct arena *arena,
                            struct err *err)
{
    struct foreign_text line, first = {0};
    size_t number = 0, first_number = 0, bad = 0;

    while (foreign_next_line(&text, &line)) {
        const size_t length = name_of(&line);

        number++;
        if (!line.length)
            continue;
        if (!length) {
            first = bad ? first : line;
            first_number = bad++ ? first_number : number;
            continue;
        }
        if (foreign_add_variable(foreign, &line, length, arena, err) < 0)
            return -1;
        take_quotes(&foreign->variables[foreign->variable_count - 1], arena);
    }
    if (bad)
        warn_of_lines(foreign, first_number, &first, bad, arena);
    return 0;
}

struct words {
    char **list; /* they end with NULL; NULL: none */
    size_t count, room;
    struct arena *arena;
};

static void add_word(struct words *words, const char *word)
{
    words->list = arena_grow(words->arena, words->list, words->count, &words->room, sizeof(*words->list));
    words->list[words->count++] = arena_strdup(words->arena, word);
    words->list = arena_grow(words->arena, words->list, words->count, &words->room, sizeof(*words->list));
    words->list[words->count] = NULL;
}

/* Adds LIST, an array of strings. Anything else, and what holds something else, counts as empty. */
static void add_words(struct words *words, const struct json_value *list)
{
    if (!list || list->kind != JSON_ARRAY)
        return;
    for (const struct json_value *value = list->first; value; value = value->next)
        if (value->kind != JSON_STRING)
            return;
    for (const struct json_value *value = list->first; value; value = value->next)
        add_word(words, value->text);
}

/* Adds VALUE as ENTRYPOINT and CMD are written: a list, or a line for the SHELL of TOP. */
static void add_command(struct words *words, const struct json_value *value, const struct json_value *top)
{
    const size_t before = words->count;

    if (!value || value->kind != JSON_STRING) {
        add_words(words, value);
        return;
    }
    add_words(words, json_member(top, "shell"));
    if (words->count == before) {
        add_word(words, "/bin/sh");
        add_word(words, "-c");
    }
    add_word(words, value->text);
}

/*
 * What runs without a command, which ch-image 0.45 keeps (0.38 does not): all of it as a CMD, since
 * ch-run puts no ENTRYPOINT before a command. One that is a line for a shell takes no arguments.
 */
static void read_command(struct foreign *foreign, const struct json_value *top, struct arena *arena)
{
    const struct json_value *entrypoint = json_member(top, "entrypoint");
    struct words words = {.arena = arena};

    add_command(&words, entrypoint, top);
    if (!entrypoint || entrypoint->kind != JSON_STRING)
        add_command(&words, json_member(top, "cmd"), top);
    foreign->cmd = words.list;
    foreign->run_origin = words.list ? metadata_origin : NULL;
}

/* What to run and where to start: the environment is in a file of its own. */
static void read_metadata(struct foreign *foreign, const struct foreign_text *text, struct arena *arena)
{
    struct err err = {0};
    const struct json_value *top = json_read(text->bytes, text->length, arena, ERR_IMAGE_CONFIG, &err);
    const struct json_value *cwd;

    if (!top && !foreign->warning)
        foreign->warning = arena_printf(arena, "%s is left out: %s", metadata_name, err.text);
    if (!top || top->kind != JSON_OBJECT)
        return;
    read_command(foreign, top, arena);
    cwd = json_member(top, "cwd");
    if (cwd && cwd->kind == JSON_STRING && *cwd->text && strcmp(cwd->text, "/") != 0)
        foreign->workdir = cwd->text;
}

int foreign_read_charliecloud(struct foreign *foreign, const struct foreign_files *files, struct arena *arena,
                              struct err *err)
{
    foreign->origin = "image /ch/environment";
    foreign->workdir_origin = metadata_origin;
    if (files->file[FILE_ENVIRONMENT].bytes &&
        read_environment(foreign, files->file[FILE_ENVIRONMENT], arena, err) < 0)
        return -1;
    if (files->file[FILE_METADATA].bytes)
        read_metadata(foreign, &files->file[FILE_METADATA], arena);
    return 0;
}
