/*
 * /ch/environment, as ch-run --set-env reads it: a NAME=VALUE per line, empty lines
 * skipped, no comments, single quotes around a whole value taken off. Where ch-run
 * stops at a line that is none, it is left out here, with a warning.
 */
#include <string.h>

#include "foreign/system.h"
#include "oci/json-reader.h"

static const char environment_name[] = "/ch/environment", metadata_name[] = "/ch/metadata.json";

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

/* Only where to start: the environment is in a file of its own, and ch-image keeps no CMD. */
static void read_metadata(struct foreign *foreign, const struct foreign_text *text, struct arena *arena)
{
    struct err err = {0};
    const struct json_value *top = json_read(text->bytes, text->length, arena, ERR_IMAGE_CONFIG, &err);
    const struct json_value *cwd = top && top->kind == JSON_OBJECT ? json_member(top, "cwd") : NULL;

    if (!top && !foreign->warning)
        foreign->warning = arena_printf(arena, "%s is left out: %s", metadata_name, err.text);
    if (cwd && cwd->kind == JSON_STRING && *cwd->text && strcmp(cwd->text, "/") != 0)
        foreign->workdir = cwd->text;
}

int foreign_read_charliecloud(struct foreign *foreign, const struct foreign_files *files, struct arena *arena,
                              struct err *err)
{
    foreign->origin = "image /ch/environment";
    foreign->workdir_origin = "image /ch/metadata.json";
    if (files->file[FILE_ENVIRONMENT].bytes &&
        read_environment(foreign, files->file[FILE_ENVIRONMENT], arena, err) < 0)
        return -1;
    if (files->file[FILE_METADATA].bytes)
        read_metadata(foreign, &files->file[FILE_METADATA], arena);
    return 0;
}
