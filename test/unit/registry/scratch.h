/*
 * scratch - a folder for a test's files, which goes away with it.
 */
#ifndef CORACLE_TEST_REGISTRY_SCRATCH_H
#define CORACLE_TEST_REGISTRY_SCRATCH_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/remove.h"

static char scratch[64];
static struct arena arena;

static inline void scratch_make(void)
{
    snprintf(scratch, sizeof(scratch), "/tmp/coracle-unit.XXXXXX");
    if (!mkdtemp(scratch)) {
        puts("Bail out! no folder in /tmp");
        exit(EXIT_FAILURE);
    }
}

static inline void scratch_remove(void)
{
    int parent = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    remove_tree(parent, path_basename(scratch));
    close(parent);
}

/* The path of NAME there. */
static inline char *scratch_path(const char *name)
{
    return arena_join(&arena, scratch, "/", name, NULL);
}

/* Writes TEXT to NAME, with MODE. Its path. */
static inline char *scratch_write(const char *name, const char *text, mode_t mode)
{
    char *path = scratch_path(name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

    fd_write_all(fd, text, strlen(text));
    close(fd);
    return path;
}

/* What is in the file PATH; NULL: it is not there. */
static inline const char *scratch_read(const char *path)
{
    size_t length;

    return fd_read_file(AT_FDCWD, path, 0, 1 << 20, &arena, &length);
}

#endif
