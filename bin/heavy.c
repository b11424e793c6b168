#include "heavy.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "host/programs.h"
#include "output.h"

#define LINKER "LD_"
#define ASIDE "CORACLE_ASIDE_"

static int begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/*
 * ENVIRONMENT with the linker's variables set aside, and those whose names say that they are: what
 * a caller has called so gets its own name back, and no other.
 */
static char *const *set_aside(char *const environment[], struct arena *arena)
{
    size_t count = 0;
    char **aside;

    while (environment[count])
        count++;
    aside = arena_alloc(arena, (count + 1) * sizeof(*aside));
    for (size_t i = 0; i < count; i++)
        aside[i] = begins(environment[i], LINKER) || begins(environment[i], ASIDE)
                       ? arena_join(arena, ASIDE, environment[i], NULL)
                       : environment[i];
    aside[count] = NULL;
    return aside;
}

/* Undoes set_aside(), in place. */
static void restore(char *environment[])
{
    for (; *environment; environment++)
        if (begins(*environment, ASIDE LINKER) || begins(*environment, ASIDE ASIDE))
            *environment += strlen(ASIDE);
}

int heavy_execute(const char *program, char *const line[], char *const environment[], struct arena *arena,
                  struct err *err)
{
    const char *const *programs = programs_find(program, arena);
    const char *place;

    environment = set_aside(environment, arena);
    errno = ENOENT;
    for (; *programs; programs++)
        execve(*programs, line, environment);
    place = programs_place(errno);
    return err_set(err, ERR_SYSTEM, "%s cannot be started: %s%s%s", program, err_reason(errno), place,
                   *place ? "; configure says what it left out" : "");
}

int heavy_main(int argc, char *argv[],
               int (*run)(int argc, char *argv[], struct arena *arena, struct err *err))
{
    struct arena arena;
    struct err err;
    int status;

    restore(environ);
    log_name_node(environ);
    arena_init(&arena, output_no_memory);
    status = run(argc - 1, argv + 1, &arena, &err);
    if (status < 0) {
        log_error(&err);
        status = err_exit_status(err.id);
    }
    arena_free(&arena);
    return status;
}
