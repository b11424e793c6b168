#include "heavy.h"

#include <errno.h>
#include <unistd.h>

#include "host/programs.h"

int heavy_execute(const char *program, char *const line[], char *const environment[], struct arena *arena,
                  struct err *err)
{
    const char *const *programs = programs_find(program, arena);

    errno = ENOENT;
    for (; *programs; programs++)
        execve(*programs, line, environment);
    return err_set(err, ERR_SYSTEM, "%s cannot be executed: %s; was it built? configure says what it lacked",
                   program, err_reason(errno));
}
