/* coracle shell: the user's shell in an image, or the best that it has. */
#include "commands.h"
#include "launch-options.h"
#include "start.h"

int cmd_shell(int argc, char *argv[], char *const environment[], struct arena *arena, struct err *err)
{
    struct launch_options options;
    struct plan plan;

    if (launch_options_read(&options, argc, argv, environment, arena, err) < 0)
        return -1;
    if (options.help)
        return launch_options_help(
            "coracle shell [OPTIONS] IMAGE [--] [ARG...]",
            "Starts $SHELL, or the best shell that the image has, with the arguments ARG.", arena, err);
    options.request.shell = 1;
    if (!options.dry_run && !options.json)
        return start(&options, environment, arena, err);
    if (launch_options_plan(&options, environment, &plan, err) < 0)
        return -1;
    return launch_options_print(&options, &plan, err);
}
