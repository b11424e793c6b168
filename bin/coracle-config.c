/*
 * coracle-config - prints the configuration, or checks it; `coracle config` executes it.
 */
#include <string.h>
#include <unistd.h>

#include "base/opt.h"
#include "config-print.h"
#include "config/config.h"
#include "config/sources.h"
#include "heavy.h"
#include "launch-options.h"
#include "launch-settings.h"
#include "output.h"

struct options {
    int json;
    int help;
};

static OPT_FLAG_SETTER(set_json, struct options, json);
static OPT_FLAG_SETTER(set_help, struct options, help);

static const struct opt_row rows[] = {
    {"--json", 0, OPT_FLAG, NULL, NULL, OPT_SINGLE, "print it as JSON", set_json},
    {"--help", 'h', OPT_FLAG, NULL, NULL, OPT_SINGLE, "print this text", set_help},
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

static int print_help(struct arena *arena, struct err *err)
{
    struct str out = {.arena = arena};

    str_add(&out, "Usage: coracle config [--json]\n       coracle config check [FILE]\n\n"
                  "Prints which configuration files there are and what they and CORACLE_* variables\n"
                  "set, each with its origin. `check` says whether FILE, or all of them, could be used:\n"
                  "the exit status is 0, or 125 and the first mistake with its line.\n\n");
    opt_help(rows, ROW_COUNT, &out);
    return output_print(&out, err);
}

/* Whether the options of a launch would take what CONFIG says. 0 or -1. */
static int check_settings(const struct config *config, struct arena *arena, struct err *err)
{
    struct record_setting *settings = arena_alloc(arena, config->setting_count * sizeof(*settings));
    struct launch_options target = {.arena = arena};
    size_t count;
    const struct opt_row *launch_rows = launch_options_rows(&count);

    for (size_t i = 0; i < config->setting_count; i++) {
        const struct config_setting *setting = &config->settings[i];
        settings[i] = (struct record_setting){setting->name, setting->value, setting->origin};
    }
    request_init(&target.request, arena);
    return launch_settings_check(launch_rows, count, settings, config->setting_count, environ, &target, arena,
                                 err);
}

static int check_one(const char *path, struct arena *arena, struct err *err)
{
    struct str out = {.arena = arena};
    struct config config;

    if (config_read_file(&config, path, arena, err) < 0 || check_settings(&config, arena, err) < 0)
        return -1;
    str_addf(&out, "%s: ok\n", str_quote(arena, path));
    return output_print(&out, err);
}

static int check_all(struct arena *arena, struct err *err)
{
    struct str out = {.arena = arena};
    struct config_sources sources;
    struct config config;

    if (config_read(&config, &sources, environ, arena, err) < 0 || check_settings(&config, arena, err) < 0)
        return -1;
    for (size_t i = 0; i < sources.file_count; i++)
        str_addf(&out, "%s: %s\n", str_quote(arena, sources.files[i].path),
                 sources.files[i].exists ? "ok" : "absent");
    return output_print(&out, err);
}

static int print(const struct options *options, struct arena *arena, struct err *err)
{
    struct str out = {.arena = arena};
    struct config_sources sources;
    struct config config;

    if (config_read(&config, &sources, environ, arena, err) < 0)
        return -1;
    (options->json ? config_print_json : config_print)(&config, &sources, environ, &out);
    return output_print(&out, err);
}

/* ARGV is that of coracle, from the name of the command on. */
static int run(int argc, char *argv[], struct arena *arena, struct err *err)
{
    struct options options = {0};
    const int index = opt_parse(rows, ROW_COUNT, argc, argv, &options, err);
    const int operands = argc - index;

    if (index < 0)
        return -1;
    if (options.help)
        return print_help(arena, err);
    if (!operands)
        return print(&options, arena, err);
    if (strcmp(argv[index], "check") != 0 || operands > 2)
        return err_set(err, ERR_USAGE, "coracle config takes nothing, or check and one FILE, not %s",
                       str_quote(arena, argv[argc - 1]));
    if (options.json)
        return err_set(err, ERR_USAGE, "--json is of coracle config alone");
    return operands == 2 ? check_one(argv[index + 1], arena, err) : check_all(arena, err);
}

int main(int argc, char *argv[])
{
    return heavy_main(argc, argv, run);
}
