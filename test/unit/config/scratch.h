/*
 * scratch - files for tests of configuration.
 */
#ifndef CORACLE_TEST_CONFIG_SCRATCH_H
#define CORACLE_TEST_CONFIG_SCRATCH_H

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../tap.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/remove.h"

static struct arena arena;
static char scratch[] = "/tmp/coracle-unit-XXXXXX";

static inline const char *in(const char *name)
{
    return arena_join(&arena, scratch, "/", name, NULL);
}

static inline void make_scratch(void)
{
    arena_init(&arena, tap_no_memory);
    umask(022);
    TAP_TRUE(mkdtemp(scratch));
}

static inline void make_directory(const char *name)
{
    TAP_INT(mkdir(in(name), 0755), 0);
}

static inline void make_file(const char *name, const char *text)
{
    FD_CLEANUP int fd = open(in(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    TAP_TRUE(fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0);
}

static inline void remove_scratch(void)
{
    FD_CLEANUP int parent = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    TAP_INT(remove_tree(parent, path_basename(scratch)), 0);
    arena_free(&arena);
}

#endif
