/* coracle run: executes a command in an image. */
#include "commands.h"
#include "launch-options.h"
#include "start.h"

int cmd_run(int argc, char *argv[], char *const environment[], struct arena *arena, struct err *err)
{
    struct launch_options options;

    if (launch_options_read(&options, argc, argv, environment, arena, err) < 0)
        return -1;
    if (options.help)
        return launch_options_help(
            "coracle run [OPTIONS] IMAGE [--] [COMMAND [ARG...]]",
            "Executes COMMAND, or what the image says, in the image IMAGE: a directory, a\n"
            "SquashFS or SIF file, or a name in a registry, an archive or a layout\n"
            "(docker.io/debian:12, docker-archive:FILE, oci:DIRECTORY), which is brought into\n"
            "the cache once.",
            arena, err);
    return options.dry_run || options.json ? start_explain(&options, environment, err)
                                           : start(&options, argc, argv, environment, err);
}
