/* image-write - an image becomes an OCI layout, or an archive of one or of docker. */
#ifndef CORACLE_BIN_IMAGE_WRITE_H
#define CORACLE_BIN_IMAGE_WRITE_H

#include "image-output-options.h"
#include "image-source.h"
#include "layout/write.h"

struct image_writing {
    struct reference destination;
    struct layout_writer *writer;
};

/*
 * Whether DESTINATION is written as one of these: 1, and what is there was looked at; 0; -1.
 * WRITING must stay where it is.
 */
int image_write_open(struct image_writing *writing, const char *destination,
                     const struct output_options *options, struct arena *arena, struct err *err);

/* Writes SOURCE, which was fetched. 0 or -1. */
int image_write(struct image_writing *writing, const struct image_source *source,
                const struct output_options *options, struct err *err);

void image_write_close(struct image_writing *writing);

#endif
