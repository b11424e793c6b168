/* What coracle-image does: fetching and making images needs libraries that a launch must not carry. */
#include "commands.h"
#include "heavy.h"

int cmd_image(int argc, char *argv[], char *const environment[], struct arena *arena, struct err *err)
{
    char **line = arena_alloc(arena, ((size_t)argc + 2) * sizeof(*line));

    line[0] = arena_strdup(arena, "coracle-image");
    for (int i = 0; i < argc; i++)
        line[i + 1] = argv[i];
    return heavy_execute("coracle-image", line, environment, arena, err);
}
