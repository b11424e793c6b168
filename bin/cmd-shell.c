/* coracle shell: the user's shell in an image, or the best that it has. */
#include "commands.h"
#include "launch-options.h"
#include "start.h"

int cmd_shell(int argc, char *argv[], char *const environment[], struct arena *arena, struct err *err)
{
    struct launch_options options;

    if (launch_options_read(&options, argc, argv, environment, arena, err) < 0)
        return -1;
    if (options.help)
        return launch_options_help(
            "coracle shell [OPTIONS] IMAGE [--] [ARG...]",
            "Starts $SHELL, or the best shell that the image has, with the arguments ARG:\n"
            "-c TEXT, or the file of a script. A command is executed by coracle run.",
            arena, err);
    options.request.shell = 1;
    return options.dry_run || options.json ? start_explain(&options, environment, err)
                                           : start(&options, argc, argv, environment, err);
}
