/* coracle: finds the command and tells what went wrong. */
#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/opt.h"
#include "base/str.h"
#include "commands.h"
#include "habits.h"
#include "output.h"

static const struct command commands[] = {
    {"run", "execute a command in an image", cmd_run},
    {"shell", "start a shell in an image", cmd_shell},
    {"exec", "execute a command in a container that is running", cmd_exec},
    {"ps", "list the containers that are running on this node", cmd_ps},
    {"explain", "print what run or shell would do, and why", cmd_explain},
    {"pull", "fetch an image from a registry, into the cache or one file", cmd_image},
    {"login", "keep credentials for a registry", cmd_image},
    {"logout", "forget them", cmd_image},
    {"convert", "make an image of one kind into one of another", cmd_image},
    {"images", "list the images in the cache", cmd_image},
    {"inspect", "print what an image says of itself", cmd_image},
    {"rm", "remove images from the cache", cmd_image},
    {"config", "print what is configured and where, or check a file", cmd_config},
    {"doctor", "try what this node offers, and say what helps", cmd_doctor},
};

enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

/* For programs: see opt_help(). */
static int print_table(struct arena *arena, struct err *err)
{
    struct str out = {.arena = arena};

    for (size_t i = 0; i < COMMAND_COUNT; i++)
        str_addf(&out, "command\t%s\t%s\n", commands[i].name, commands[i].help);
    return output_print(&out, err);
}

static int print_help(struct arena *arena, struct err *err)
{
    struct str out = {.arena = arena};

    str_add(&out, "Usage: coracle COMMAND [OPTIONS] ...\n\n"
                  "Runs programs in container images, without any privilege.\n\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        size_t start = out.length;

        str_addf(&out, "  %s", commands[i].name);
        str_pad(&out, start, 12);
        str_addf(&out, "%s\n", commands[i].help);
    }
    str_add(&out, "\n`coracle COMMAND --help`, or `coracle help COMMAND`, lists the options of a command;\n"
                  "`man coracle-COMMAND` explains it. `coracle --version` prints the version.\n");
    return output_print(&out, err);
}

static int print_version(struct arena *arena, struct err *err)
{
    struct str out = {.arena = arena};

    str_add(&out, "coracle " PACKAGE_VERSION "\n");
    return output_print(&out, err);
}

/* "run image -- python3": of a script that names coracle as its interpreter. */
static int is_interpreter_line(const char *word)
{
    const size_t length = strcspn(word, " \t");

    for (size_t i = 0; word[length] && i < COMMAND_COUNT; i++)
        if (strncmp(word, commands[i].name, length) == 0 && !commands[i].name[length])
            return 1;
    return 0;
}

static int unknown_command(const char *word, struct arena *arena, struct err *err)
{
    const char *name = str_quote(arena, word);
    const char *nearest = opt_nearest(word, &commands[0].name, COMMAND_COUNT, sizeof(commands[0]));
    const char *advice = habit_of_command(word);

    if (is_interpreter_line(word))
        return err_set(err, ERR_USAGE,
                       "unknown command %s; a line that begins with #! gives all its words as one: begin it "
                       "with #!/usr/bin/env -S coracle",
                       name);
    if (advice)
        return err_set(err, ERR_USAGE, "unknown command %s; %s", name, advice);
    if (nearest)
        return err_set(err, ERR_USAGE, "unknown command %s; did you mean coracle %s?", name, nearest);
    return err_set(err, ERR_USAGE, "unknown command %s; coracle --help lists the commands", name);
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(name, commands[i].name) == 0)
            return &commands[i];
    return NULL;
}

static int is_help(const char *word)
{
    return strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* coracle help [COMMAND] */
static int help(int argc, char *argv[], char *const environment[], struct arena *arena, struct err *err)
{
    static char option[] = "--help";
    const struct command *command;
    char *line[] = {argc > 2 ? argv[2] : NULL, option, NULL};

    if (argc < 3 || (argc == 3 && is_help(argv[2])))
        return (opt_help_is_table(environment) ? print_table : print_help)(arena, err);
    if (argc > 3)
        return err_set(err, ERR_USAGE, "coracle help takes one command; coracle --help lists them");
    command = find_command(argv[2]);
    return command ? command->run(2, line, environment, arena, err) : unknown_command(argv[2], arena, err);
}

static int run_command(int argc, char *argv[], char *const environment[], struct arena *arena,
                       struct err *err)
{
    const struct command *command;

    if (argc < 2)
        return err_set(err, ERR_USAGE, "no command was given; coracle --help lists the commands");
    if (strcmp(argv[1], "help") == 0)
        return help(argc, argv, environment, arena, err);
    if (is_help(argv[1]))
        return help(2, argv, environment, arena, err);
    if (strcmp(argv[1], "--version") == 0)
        return print_version(arena, err);
    command = find_command(argv[1]);
    return command ? command->run(argc - 1, argv + 1, environment, arena, err)
                   : unknown_command(argv[1], arena, err);
}

/*
 * Common: behind the C library's own variables, which then share a page with .data. A page is a
 * page fault.
 */
struct arena main_arena __attribute__((common));

int main(int argc, char *argv[], char *environment[])
{
    struct err err;
    int status;

    log_name_node(environment);
    arena_init(&main_arena, output_no_memory);
    status = run_command(argc, argv, environment, &main_arena, &err);
    if (status < 0) {
        log_error(&err);
        status = err_exit_status(err.id);
    }
    arena_free(&main_arena);
    return status;
}
