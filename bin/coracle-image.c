/*
 * coracle-image - fetches and makes images.
 *
 * The light program executes it for these commands: they need libraries (libcurl,
 * libarchive, libsquashfs) that a launch must not carry.
 */
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "heavy.h"
#include "host/machine.h"
#include "image-commands.h"
#include "oci/platform.h"
#include "output.h"

static const struct {
    const char *name;
    int (*run)(int argc, char *argv[], char *const environment[], struct arena *arena, struct err *err);
} commands[] = {
    {"convert", cmd_convert}, {"images", cmd_images}, {"inspect", cmd_inspect},
    {"launch", cmd_launch},   {"pull", cmd_pull},     {"rm", cmd_rm},
#ifdef HAVE_REGISTRY
    {"login", cmd_login},     {"logout", cmd_logout},
#endif
};

int images_help(const char *usage, const char *text, const struct opt_row *rows, size_t count,
                struct arena *arena, struct err *err)
{
    struct str out = {.arena = arena};

    str_addf(&out, "Usage: %s\n\n%s\n\n", usage, text);
    opt_help(rows, count, &out);
    return output_print(&out, err);
}

int images_operands(const char *usage, const struct opt_row *rows, size_t count, int argc, char *const argv[],
                    int index, void *target, struct err *err)
{
    if (strcmp(argv[index - 1], "--") == 0)
        return 0;
    for (int i = index; i < argc; i++) {
        if (argv[i][0] != '-' || !argv[i][1])
            continue;
        /* What is wrong with it comes first: a password was shown to all. */
        if (opt_parse(rows, count, argc - i + 1, argv + i - 1, target, err) < 0)
            return -1;
        return err_set(err, ERR_USAGE, "options go before what they are for, and %.60s stands behind it: %s",
                       argv[i], usage);
    }
    return 0;
}

struct oci_platform images_host_platform(struct arena *arena)
{
    struct host_machine machine;

    host_machine_find(&machine);
    return oci_platform_of_machine(arena_strdup(arena, machine.name), machine.level, arena);
}

static int run(int argc, char *argv[], struct arena *arena, struct err *err)
{
    for (size_t i = 0; argc > 0 && i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(argv[0], commands[i].name) == 0)
            return commands[i].run(argc, argv, environ, arena, err);
    return err_set(err, ERR_USAGE,
                   "this build of coracle-image has no command %s; what configure found says why",
                   argc > 0 ? str_quote(arena, argv[0]) : "without a name");
}

int main(int argc, char *argv[])
{
    return heavy_main(argc, argv, run);
}
