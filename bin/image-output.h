/*
 * image-output - where a flattened image goes: a SquashFS file or a directory.
 *
 * Either grows beside its place, a file without any name where the file system can do that
 * (base/unfinished.h), and gets its own when it is complete: what has the name is whole,
 * whatever happens. Where the program is interrupted what is not complete is removed; what
 * is left by a kill, the next that writes to the same name removes.
 */
#ifndef CORACLE_BIN_IMAGE_OUTPUT_H
#define CORACLE_BIN_IMAGE_OUTPUT_H

#include "base/arena.h"
#include "base/err.h"
#include "flatten/flatten.h"
#include "pack/pack.h"

struct output {
    const char *path;
    int is_directory;
    int replace; /* a file that is there; never a directory */
    struct pack_options options;
};

/*
 * What DESTINATION says: dir:DIRECTORY, sqfs:FILE or FILE. 0, or -1 where something is
 * there that is not to be replaced: before anything is fetched or read.
 */
int output_open(struct output *output, const char *destination, struct arena *arena, struct err *err);

/* A hidden name in the same directory: .NAME and SUFFIX. */
const char *output_beside(const struct output *output, const char *suffix, struct arena *arena);

/* Flattens the layers of REQUEST, whose place for the configuration this fills in. 0 or -1. */
int output_write(const struct output *output, struct flatten_request *request, struct arena *arena,
                 struct err *err);

struct image_source;

/* The same for an image that was found, and fetched. */
int output_write_source(const struct output *output, const struct image_source *source, struct arena *arena,
                        struct err *err);

#endif
