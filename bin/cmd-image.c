/* coracle convert, pull: of a program with libraries that a launch does not need. */
#include <errno.h>
#include <unistd.h>

#include "commands.h"
#include "host/programs.h"

int cmd_image(int argc, char *argv[], char *const environment[], struct arena *arena, struct err *err)
{
    char **line = arena_alloc(arena, ((size_t)argc + 2) * sizeof(*line));
    const char *const *programs = programs_find("coracle-image", arena);

    line[0] = arena_strdup(arena, "coracle-image");
    for (int i = 0; i < argc; i++)
        line[i + 1] = argv[i];
    errno = ENOENT;
    for (; *programs; programs++)
        execve(*programs, line, environment);
    return err_set(err, ERR_SYSTEM,
                   "coracle %s is done by coracle-image, which cannot be executed: %s; was it "
                   "built? configure says what it lacked",
                   argv[0], err_reason(errno));
}
