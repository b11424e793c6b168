/*
 * image-fetch - the layers of an image come while those that are here already are read.
 *
 * The top one comes first, as lib/flatten wants it first.
 */
#ifndef CORACLE_BIN_IMAGE_FETCH_H
#define CORACLE_BIN_IMAGE_FETCH_H

#include "image-progress.h"
#include "registry/registry.h"

struct image_fetch;

/*
 * Begins to fetch COUNT layers (digest, size and name are set; the lowest first) into DIRECTORY.
 * PROGRESS knows the first of them by index 1. All that is given must stay until image_fetch_end(). NULL:
 * no memory.
 */
struct image_fetch *image_fetch_start(struct registry *registry, const struct registry_blob *layers,
                                      size_t count, int directory, struct progress *progress,
                                      struct err *err);

/* Waits for layer INDEX: 0 and *FD, which stays the fetch's; -1: one cannot be had, or a signal came. */
int image_fetch_wait(struct image_fetch *fetch, size_t index, int *fd, struct err *err);

/* Gives up what has not come, and closes what has. NULL is fine. */
void image_fetch_end(struct image_fetch *fetch);

#endif
