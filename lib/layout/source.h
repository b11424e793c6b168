/*
 * source - files of a layout by name, in a directory or in a tar archive.
 *
 * NAME is relative, PART[/PART...], and of this room's making where the source is a
 * directory: "index.json", "blobs/sha256/HEX". There it is opened part by part, and a
 * symbolic link is not followed, on any kernel: nothing outside of the directory is reached.
 * In an archive names are looked up as tar.h says.
 */
#ifndef CORACLE_LAYOUT_SOURCE_H
#define CORACLE_LAYOUT_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "layout/tar.h"

struct source {
    int is_archive;
    int fd; /* of the directory or archive */
    struct tar tar;
    int *fds; /* of files in the directory that source_find() found */
    size_t fd_count, fd_room;
    struct arena *arena;
    struct err *err;
};

struct extent {
    int fd; /* the source's */
    uint64_t offset, size;
};

/* 0, or -1 and an error; source_close() either way. */
int source_open(struct source *source, const char *path, int is_archive, struct arena *arena,
                struct err *err);

/* The same of an archive that is open for reading; FD is the source's from here on. */
int source_open_archive(struct source *source, int fd, struct arena *arena, struct err *err);

void source_close(struct source *source);

/* Where the file NAME is. 1; 0 where it is not there; -1 and an error. */
int source_find(struct source *source, const char *name, struct extent *extent);

/* The same, and its bytes, which belong to the arena; LIMIT is their greatest number. */
int source_read(struct source *source, const char *name, size_t limit, const char **bytes, size_t *length);

#endif
