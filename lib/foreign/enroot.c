/*
 * /etc/rc is a shell script. What `enroot import` writes is always the same but for
 * three things:
 *
 *     mkdir -p "WORKDIR" 2> /dev/null
 *     cd "WORKDIR" && unset OLDPWD || exit 1
 *
 *     if [ -s /etc/rc.local ]; then
 *         . /etc/rc.local
 *     fi
 *
 *     if [ $# -gt 0 ]; then
 *         exec ENTRYPOINT "$@"
 *     else
 *         exec ENTRYPOINT CMD
 *     fi
 *
 * Of that they are read, and no shell runs: so --workdir and the current directory
 * count, and an image without a shell will do. Where anything else is in it, or in
 * /etc/rc.local, the image's shell executes it with the command as arguments.
 */
#include <string.h>

#include "foreign/system.h"

enum { WORDS_LIMIT = 4096 };

static int begins_with(const struct foreign_text *line, const char *text)
{
    const size_t length = strlen(text);

    return line->length >= length && memcmp(line->bytes, text, length) == 0;
}

static int ends_with(const struct foreign_text *line, const char *text)
{
    const size_t length = strlen(text);

    return line->length >= length && memcmp(line->bytes + line->length - length, text, length) == 0;
}

static int is(const struct foreign_text *line, const char *text)
{
    return line->length == strlen(text) && begins_with(line, text);
}

/* Without the blanks at its beginning. */
static struct foreign_text trimmed(struct foreign_text line)
{
    while (line.length && (*line.bytes == ' ' || *line.bytes == '\t')) {
        line.bytes++;
        line.length--;
    }
    return line;
}

/* Takes the next line that is neither empty nor a comment. */
static int next_command(struct foreign_text *text, struct foreign_text *line)
{
    while (foreign_next_line(text, line)) {
        *line = trimmed(*line);
        if (line->length && *line->bytes != '#')
            return 1;
    }
    return 0;
}

static const char change_directory[] = "cd \"", or_exit[] = "\" && unset OLDPWD || exit 1";

int foreign_is_enroot_rc(const struct foreign_text *text)
{
    struct foreign_text rest = *text, line;

    while (foreign_next_line(&rest, &line))
        if (begins_with(&line, "# enroot-provenance: ") || ends_with(&line, or_exit))
            return 1;
    return 0;
}

/* What stands between the quotes of the line that changes the directory. 0; -1: more than a path does. */
static int read_workdir(struct foreign *foreign, const struct foreign_text *line, struct arena *arena)
{
    const size_t around = strlen(change_directory) + strlen(or_exit);
    const char *path;

    if (!begins_with(line, change_directory) || !ends_with(line, or_exit) || line->length <= around)
        return -1;
    path = arena_strndup(arena, line->bytes + strlen(change_directory), line->length - around);
    if (strlen(path) != line->length - around || path[strcspn(path, "\"\\$`")])
        return -1;
    if (strcmp(path, "/") != 0)
        foreign->workdir = path;
    return 0;
}

/* A shell's word of 'quoted' parts and \' between them, at *TEXT, which moves behind it. NULL: something
 * else. */
static char *take_word(const char **text, struct arena *arena)
{
    struct str word = {.arena = arena};
    const char *p = *text;

    str_add(&word, "");
    while (*p && *p != ' ') {
        if (p[0] == '\\' && p[1] == '\'') {
            str_add_char(&word, '\'');
            p += 2;
            continue;
        }
        if (*p != '\'' || !strchr(p + 1, '\''))
            return NULL;
        for (p++; *p != '\''; p++)
            str_add_char(&word, *p);
        p++;
    }
    *text = p;
    return word.data;
}

/*
 * The words of LINE, which begins with exec; with TAIL it has to end in that. They
 * end with NULL. NULL: it is no such line.
 */
static char **read_exec(const struct foreign_text *line, const char *tail, struct arena *arena)
{
    const size_t length = line->length - (ends_with(line, tail) ? strlen(tail) : 0);
    char **words = NULL;
    size_t count = 0, room = 0;
    const char *text;

    if (!begins_with(line, "exec ") || !ends_with(line, tail) || length < strlen("exec") ||
        memchr(line->bytes, 0, line->length))
        return NULL;
    text = arena_strndup(arena, line->bytes, length) + strlen("exec");
    for (;;) {
        text += strspn(text, " ");
        words = arena_grow(arena, words, count, &room, sizeof(*words));
        words[count] = NULL;
        if (!*text)
            return words;
        if (count == WORDS_LIMIT || !(words[count++] = take_word(&text, arena)))
            return NULL;
    }
}

/* Fills entry point and command from the two forms of exec. 0; -1: they do not belong together. */
static int split(struct foreign *foreign, char **with_arguments, char **alone)
{
    size_t count = 0;

    for (; with_arguments[count]; count++)
        if (!alone[count] || strcmp(with_arguments[count], alone[count]) != 0)
            return -1;
    foreign->entrypoint = count ? with_arguments : NULL;
    foreign->cmd = alone[count] ? alone + count : NULL;
    return 0;
}

/* Whether the next command of TEXT is EXPECTED. */
static int follows(struct foreign_text *text, const char *expected)
{
    struct foreign_text line;

    return next_command(text, &line) && is(&line, expected);
}

/* Takes from TEXT what runs the command. 0 or -1. */
static int read_commands(struct foreign *foreign, struct foreign_text *text, struct arena *arena)
{
    struct foreign_text line;
    char **with_arguments, **alone;

    with_arguments = next_command(text, &line) ? read_exec(&line, " \"$@\"", arena) : NULL;
    if (!with_arguments || !follows(text, "else"))
        return -1;
    alone = next_command(text, &line) ? read_exec(&line, "", arena) : NULL;
    if (!alone || !follows(text, "fi") || next_command(text, &line))
        return -1;
    return split(foreign, with_arguments, alone);
}

/* Whether there is nothing in /etc/rc.local but comments: TEXT may be of no file. */
static int says_nothing(struct foreign_text text)
{
    struct foreign_text line;

    return !text.bytes || !next_command(&text, &line);
}

/* Reads what Enroot wrote. 0; -1: somebody else wrote some of it. */
static int read_rc(struct foreign *foreign, struct foreign_text text, struct arena *arena)
{
    struct foreign_text line;

    if (!next_command(&text, &line) || !begins_with(&line, "mkdir -p \"") ||
        !ends_with(&line, "\" 2> /dev/null") || !next_command(&text, &line) ||
        read_workdir(foreign, &line, arena) < 0 || !next_command(&text, &line))
        return -1;
    if (is(&line, "if [ -s /etc/rc.local ]; then") &&
        (!follows(&text, ". /etc/rc.local") || !follows(&text, "fi") || !next_command(&text, &line)))
        return -1;
    return is(&line, "if [ $# -gt 0 ]; then") ? read_commands(foreign, &text, arena) : -1;
}

static void run_rc(struct foreign *foreign, struct arena *arena)
{
    char **run = arena_alloc(arena, 3 * sizeof(*run));

    run[0] = arena_strdup(arena, "/bin/sh");
    run[1] = arena_strdup(arena, "/etc/rc");
    foreign->entrypoint = run;
    foreign->cmd = NULL;
    foreign->workdir = NULL; /* it goes there by itself */
}

static int is_name_byte(char c, int is_first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (!is_first && c >= '0' && c <= '9');
}

/* The length of the variable's name in LINE. 0: it sets none, or one of Enroot's own. */
static size_t name_of(const struct foreign_text *line)
{
    size_t length = 0;

    while (length < line->length && is_name_byte(line->bytes[length], length == 0))
        length++;
    if (length == line->length || line->bytes[length] != '=' || begins_with(line, "ENROOT_") ||
        memchr(line->bytes, 0, line->length))
        return 0;
    return length;
}

/* The value of VARIABLE without quotes around it, and blanks behind these. */
static void take_quotes(struct foreign_variable *variable, struct arena *arena)
{
    const char *value = variable->value;
    size_t length = strlen(value);

    while (length && (value[length - 1] == ' ' || value[length - 1] == '\t'))
        length--;
    if (length >= 2 && strchr("\"'", value[0]) && strchr("\"'", value[length - 1]))
        variable->value = arena_strndup(arena, value + 1, length - 2);
}

/* Lines that set nothing are passed over, as Enroot does: values of several lines leave such. */
static int read_environment(struct foreign *foreign, struct foreign_text text, struct arena *arena,
                            struct err *err)
{
    struct foreign_text line;

    while (foreign_next_line(&text, &line)) {
        size_t length;

        line = trimmed(line);
        length = name_of(&line);
        if (!length)
            continue;
        if (foreign_add_variable(foreign, &line, length, arena, err) < 0)
            return -1;
        take_quotes(&foreign->variables[foreign->variable_count - 1], arena);
    }
    return 0;
}

int foreign_read_enroot(struct foreign *foreign, const struct foreign_files *files, struct arena *arena,
                        struct err *err)
{
    foreign->origin = "image /etc/environment";
    foreign->workdir_origin = foreign->run_origin = "image /etc/rc";
    if (!says_nothing(files->file[FILE_RC_LOCAL]) || read_rc(foreign, files->file[FILE_RC], arena) < 0)
        run_rc(foreign, arena);
    return read_environment(foreign, files->file[FILE_ENVIRONMENT], arena, err);
}
