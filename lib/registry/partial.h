/*
 * partial - the file that a blob grows in, and the one that it becomes. For the files of
 * this room; registry.h says what is promised.
 */
#ifndef CORACLE_REGISTRY_PARTIAL_H
#define CORACLE_REGISTRY_PARTIAL_H

#include <limits.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct partial {
    int directory;
    const char *name;        /* of the whole blob */
    char file[NAME_MAX + 1]; /* of the part */
    int fd;                  /* -1: not open */
    uint64_t size;           /* what is there */
    int is_private;          /* a random name: removed where the blob does not become whole */
};

/* Whether NAME can be a blob's: no path, and room for what is added to it. */
int partial_is_name(const char *name);

/*
 * Opens the part of NAME in DIRECTORY, made where it is missing. One that is a link, has
 * another owner or a second name, or is locked, is not touched: it gets a private name.
 * 0 or -1.
 */
int partial_open(struct partial *partial, int directory, const char *name, struct arena *arena,
                 struct err *err);

/* Adds bytes, or makes it empty. 0, or -1 and ERR. */
int partial_add(struct partial *partial, const void *bytes, size_t length, struct arena *arena,
                struct err *err);
int partial_empty(struct partial *partial, struct arena *arena, struct err *err);

/*
 * Gives it its whole name; the descriptor is the caller's from now on. Where the part has lost its name
 * another node was faster, which saw no lock of ours: the bytes are there all the same. -1: ERR says why not.
 */
int partial_finish(struct partial *partial, struct arena *arena, struct err *err);

/* Closes it; it is removed where REMOVE, or where its name is private. Nothing where it is not open. */
void partial_close(struct partial *partial, int remove);

#endif
