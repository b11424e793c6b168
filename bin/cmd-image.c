/*
 * What coracle-image, coracle-config and coracle-doctor do: it needs libraries that a launch must
 * not carry.
 */
#include "commands.h"
#include "heavy.h"

/* Becomes PROGRAM, with ARGV as its arguments. */
static int become(const char *program, int argc, char *argv[], char *const environment[], struct arena *arena,
                  struct err *err)
{
    char **line = arena_alloc(arena, ((size_t)argc + 2) * sizeof(*line));

    line[0] = arena_strdup(arena, program);
    for (int i = 0; i < argc; i++)
        line[i + 1] = argv[i];
    return heavy_execute(program, line, environment, arena, err);
}

int cmd_image(int argc, char *argv[], char *const environment[], struct arena *arena, struct err *err)
{
    return become("coracle-image", argc, argv, environment, arena, err);
}

int cmd_config(int argc, char *argv[], char *const environment[], struct arena *arena, struct err *err)
{
    return become("coracle-config", argc, argv, environment, arena, err);
}

int cmd_doctor(int argc, char *argv[], char *const environment[], struct arena *arena, struct err *err)
{
    return become("coracle-doctor", argc, argv, environment, arena, err);
}
