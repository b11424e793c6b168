/* coracle explain: what `run` or `shell` would do, and who asked for it. */
#include <string.h>

#include "commands.h"
#include "launch-options.h"
#include "start.h"

int cmd_explain(int argc, char *argv[], char *const environment[], struct arena *arena, struct err *err)
{
    struct launch_options options;
    int shell = argc > 1 && strcmp(argv[1], "shell") == 0;
    int named = shell || (argc > 1 && strcmp(argv[1], "run") == 0);

    if (launch_options_read(&options, argc - named, argv + named, environment, arena, err) < 0)
        return -1;
    if (options.help)
        return launch_options_help(
            "coracle explain [run|shell] [OPTIONS] IMAGE [--] [COMMAND [ARG...]]",
            "Prints what `coracle run` with the same arguments would do: a line each, with its\n"
            "origin. `coracle run -v` prints the same lines while it does it.",
            arena, err);
    options.request.shell = shell;
    options.request.is_shown = 1;
    return start_explain(&options, environment, err);
}
