/* coracle run: executes a command in an image. */
#include "commands.h"
#include "launch-options.h"
#include "start.h"

int cmd_run(int argc, char *argv[], char *const environment[], struct arena *arena, struct err *err)
{
    struct launch_options options;
    struct plan plan;

    if (launch_options_read(&options, argc, argv, environment, arena, err) < 0)
        return -1;
    if (options.help)
        return launch_options_help(
            "coracle run [OPTIONS] IMAGE [--] [COMMAND [ARG...]]",
            "Executes COMMAND, or what the image says, in the image IMAGE: a directory, or a\n"
            "SquashFS or SIF file.",
            arena, err);
    if (!options.dry_run && !options.json)
        return start(&options, environment, arena, err);
    if (launch_options_plan(&options, environment, &plan, err) < 0)
        return -1;
    return launch_options_print(&options, &plan, err);
}
