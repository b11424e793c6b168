/* Whether our other programs are there, and of this build. */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "doctor/probe.h"
#include "host/programs.h"

/* A program of more is none of ours: static ones with a sanitizer have some ten. */
enum { PROGRAM_LIMIT = 512 * 1024 * 1024 };

/* What bin/build-mark.sh puts before the version. */
static const char prefix[] = "coracle build mark ";

const char *const *doctor_find_coracle(struct arena *arena)
{
    const char *const *programs = programs_find("coracle", arena);

    return *programs && access(*programs, X_OK) == 0 ? programs : programs_find("../../bin/coracle", arena);
}

/* Fills BUILD with what the SIZE bytes of a program say behind PREFIX, if that can be printed. */
static void read_mark(const char *bytes, size_t size, char build[DOCTOR_BUILD])
{
    const char *end = bytes + size, *mark = memmem(bytes, size, prefix, sizeof(prefix) - 1);
    size_t length = 0;

    if (!mark)
        return;
    for (mark += sizeof(prefix) - 1; mark + length < end && length < DOCTOR_BUILD; length++)
        if (mark[length] < ' ' || mark[length] > '~')
            break;
    if (mark + length < end && length < DOCTOR_BUILD && !mark[length])
        memcpy(build, mark, length);
}

static void read_program(int fd, char build[DOCTOR_BUILD])
{
    struct stat st;
    void *bytes;

    if (fstat(fd, &st) < 0 || st.st_size <= 0 || st.st_size > PROGRAM_LIMIT)
        return;
    bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED)
        return;
    read_mark(bytes, (size_t)st.st_size, build);
    munmap(bytes, (size_t)st.st_size);
}

static void look(struct doctor_program *program, const char *build, const char *const *files)
{
    for (; *files && !program->is_there; files++) {
        FD_CLEANUP int fd = open(*files, O_RDONLY | O_CLOEXEC);

        if (fd < 0 && access(*files, X_OK) < 0)
            continue;
        program->is_there = 1;
        if (fd >= 0)
            read_program(fd, program->build);
        /* One that may only be executed keeps its secret. */
        program->is_same = fd < 0 || strcmp(program->build, build) == 0;
    }
}

void probe_programs(struct doctor_facts *facts, const char *mark, struct arena *arena)
{
    static const char *const names[DOCTOR_PROGRAMS] = {"coracle",        "coracle-record", "coracle-fuse",
                                                       "coracle-broker", "coracle-image",  "coracle-config"};

    read_mark(mark, strlen(mark) + 1, facts->build);
    for (size_t i = 0; i < DOCTOR_PROGRAMS; i++) {
        struct doctor_program *program = &facts->programs[i];

        program->name = names[i];
        look(program, facts->build, i == 0 ? doctor_find_coracle(arena) : programs_find(names[i], arena));
    }
}
