#include "launch-mistakes.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "habits.h"
#include "plan/scope.h"

static const char prefix[] = "CORACLE_";

/* Those that are no option's. What begins like the last two is our own. */
static const char *const variables[] = {"CORACLE_CONFIG", "CORACLE_SITE_CONFIG", "CORACLE_LOG",
                                        "CORACLE_HELP",   "CORACLE_LINGER",      "CORACLE_HELD",
                                        "CORACLE_SET_",   "CORACLE_ASIDE_"};

static const char only_run[] = "it is for coracle run, which makes a container of an image; exec enters one";

enum { VARIABLES = sizeof(variables) / sizeof(variables[0]), LONGEST = 40 };

/* Whether the option that ADVICE begins with, if it does, is one of TABLE: exec has a few only. */
static int can_follow(const char *advice, const struct opt_row *table, size_t count)
{
    static const char begin[] = "write ";

    if (strncmp(advice, begin, sizeof(begin) - 1) != 0)
        return 1;
    advice += sizeof(begin) - 1;
    for (size_t i = 0; i < count; i++) {
        const size_t length = strlen(table[i].name);

        if (strncmp(advice, table[i].name, length) == 0 && advice[length] != '-')
            return 1;
    }
    return 0;
}

/* Of NAME that the COUNT rows of TABLE lack: what others call it, or that run has it; NULL: neither. */
static const char *advise(const char *name, const struct opt_row *table, size_t count)
{
    const char *advice = habit_of_option(name);
    size_t run_count;
    const struct opt_row *run = launch_options_rows(&run_count);

    if (advice && can_follow(advice, table, count))
        return advice;
    for (size_t i = 0; i < run_count; i++)
        if (strcmp(run[i].name, name) == 0 || (run[i].letter && name[1] == run[i].letter && !name[2]))
            return only_run;
    return advice && can_follow(advice, run, run_count) ? only_run : NULL;
}

void launch_mistakes_in_options(const struct opt_row *table, size_t count, int argc, char *const argv[],
                                struct err *err)
{
    struct opt_end end;
    char name[LONGEST] = "-";
    const char *advice;

    opt_end(table, count, argc, argv, &end);
    if (!end.unknown)
        return;
    if (end.letter)
        name[1] = end.letter;
    else
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(end.unknown, "="), end.unknown);
    advice = advise(name, table, count);
    if (advice)
        err_set(err, err->id, "unknown option %s; %s", name, advice);
}

static int is_file(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* Where an image may be missing as the option before took it. */
static const char *took(const struct opt_end *end, struct arena *arena)
{
    return arena_printf(arena, "; %s took %s as its value", end->word, str_quote(arena, end->value));
}

const char *launch_mistakes_no_image(const struct opt_row *table, size_t count, int argc, char *const argv[],
                                     struct arena *arena)
{
    struct opt_end end;

    opt_end(table, count, argc, argv, &end);
    return end.is_apart ? took(&end, arena) : "";
}

/* "-v /tmp:/x image", as docker has it: the place of the image is taken by a bind. */
static int is_volume(const struct opt_end *end, const char *image)
{
    return strncmp(end->word, "--", 2) != 0 && end->word[strlen(end->word) - 1] == 'v' && strstr(image, ":/");
}

/* Whether IMAGE is what was meant as the value of the option before it: then the image is the command. */
static int is_value(const struct opt_end *end, const struct request *request, const struct err *err)
{
    if (end->row->kind != OPT_OPTIONAL_VALUE || end->value || end->is_marked)
        return 0;
    return err->id == ERR_COMMAND_NOT_FOUND || err->id == ERR_COMMAND_NOT_EXECUTABLE
               ? *request->command && is_file(*request->command) && access(*request->command, X_OK) < 0
               : err->id == ERR_IMAGE_MISSING || err->id == ERR_IMAGE_UNKNOWN || err->id == ERR_IMAGE_EMPTY;
}

static const char *find(const struct launch_options *options, const struct err *err)
{
    const char *image = options->line[options->image_index];
    struct arena *arena = options->arena;
    struct opt_end end;
    size_t count;
    const struct opt_row *table = launch_options_rows(&count);

    opt_end(table, count, options->image_index + 1, options->line, &end);
    if (!end.row)
        return "";
    if (is_value(&end, &options->request, err))
        return arena_printf(arena, "; a value of %s is written with =: %s=%s", end.word, end.row->name,
                            str_quote(arena, image));
    if (err->id != ERR_IMAGE_MISSING && err->id != ERR_USAGE)
        return "";
    if (is_volume(&end, image))
        return arena_printf(arena, "; -v is --verbose, and a bind is --bind %s", str_quote(arena, image));
    if (end.is_apart && (end.is_marked || is_file(end.value)))
        return took(&end, arena);
    return "";
}

void launch_mistakes_at_image(const struct launch_options *options, struct err *err)
{
    const size_t length = strlen(err->text);

    snprintf(err->text + length, sizeof(err->text) - length, "%s", find(options, err));
}

static int is_known(const char *name, const struct opt_row *rows, size_t count)
{
    for (size_t i = 0; i < VARIABLES; i++) {
        const size_t length = strlen(variables[i]);

        if (strncmp(name, variables[i], length) == 0 && (!name[length] || variables[i][length - 1] == '_'))
            return 1;
    }
    for (size_t i = 0; i < count; i++)
        if (rows[i].variable && strcmp(name, rows[i].variable) == 0)
            return 1;
    return 0;
}

/* What NAME, a variable that begins like ours, was meant to be; NULL: it is ours, or another program's. */
static const char *meant(const char *name)
{
    size_t count;
    const struct opt_row *rows = launch_options_rows(&count);
    const char *near;

    if (strlen(name) < sizeof(prefix) + 2 || is_known(name, rows, count))
        return NULL;
    near = opt_near_miss(name, &rows->variable, count, sizeof(*rows));
    return near ? near : opt_near_miss(name, variables, VARIABLES, sizeof(*variables));
}

static void warn_of_variables(char *const environment[], struct arena *arena)
{
    for (; *environment; environment++) {
        const char *name, *near;

        if (strncmp(*environment, prefix, sizeof(prefix) - 1) != 0)
            continue;
        name = arena_strndup(arena, *environment, strcspn(*environment, "="));
        near = meant(name);
        if (!near)
            continue;
        log_warning("the variable %s means nothing to coracle; did you mean %s?", str_quote(arena, name),
                    near);
        return;
    }
}

void launch_mistakes_warn(const struct launch_options *options)
{
    const struct request *request = &options->request;
    const char *near;

    warn_of_variables(options->facts.environment, options->arena);
    if (request->share != SHARE_NAMED || request->share_key[strcspn(request->share_key, "0123456789")])
        return;
    near = opt_near_miss(request->share_key, scope_words, SHARE_NAMED, sizeof(*scope_words));
    if (near)
        log_warning("%s: %s is taken as a key; did you mean %s?", request->share_origin,
                    str_quote(options->arena, request->share_key), near);
}
