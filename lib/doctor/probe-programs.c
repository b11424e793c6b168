/* Whether our other programs are there, and of this version. */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/build-mark.h"
#include "base/fd.h"
#include "doctor/probe.h"
#include "host/programs.h"

/* A program of more is none of ours: static ones with a sanitizer have some ten. */
enum { PROGRAM_LIMIT = 512 * 1024 * 1024 };

const char *const *doctor_find_coracle(struct arena *arena)
{
    const char *const *programs = programs_find("coracle", arena);

    return *programs && access(*programs, X_OK) == 0 ? programs : programs_find("../../bin/coracle", arena);
}

static int has_mark(int fd)
{
    struct stat st;
    void *bytes;
    int is_same;

    if (fstat(fd, &st) < 0 || st.st_size <= 0 || st.st_size > PROGRAM_LIMIT)
        return 0;
    bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED)
        return 0;
    is_same = memmem(bytes, (size_t)st.st_size, BUILD_MARK, sizeof(BUILD_MARK) - 1) != NULL;
    munmap(bytes, (size_t)st.st_size);
    return is_same;
}

static void look(struct doctor_program *program, const char *const *files)
{
    for (; *files && !program->is_there; files++) {
        FD_CLEANUP int fd = open(*files, O_RDONLY | O_CLOEXEC);

        if (fd < 0 && access(*files, X_OK) < 0)
            continue;
        program->is_there = 1;
        program->is_same = fd < 0 || has_mark(fd); /* one that may only be executed keeps its secret */
    }
}

void probe_programs(struct doctor_facts *facts, struct arena *arena)
{
    static const char *const names[DOCTOR_PROGRAMS] = {"coracle", "coracle-record", "coracle-fuse",
                                                       "coracle-broker", "coracle-image"};

    for (size_t i = 0; i < DOCTOR_PROGRAMS; i++) {
        struct doctor_program *program = &facts->programs[i];

        program->name = names[i];
        look(program, i == 0 ? doctor_find_coracle(arena) : programs_find(names[i], arena));
    }
}
