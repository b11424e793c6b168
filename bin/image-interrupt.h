/*
 * image-interrupt - signals that end the program while an output is being made.
 *
 * What is not complete is taken away first. A second signal ends the program at once; what
 * that leaves, or a kill, the next one that makes the same output takes away.
 */
#ifndef CORACLE_BIN_IMAGE_INTERRUPT_H
#define CORACLE_BIN_IMAGE_INTERRUPT_H

#include "flatten/flatten.h"

/* A sink that gives to another until a signal has come: then it fails. */
struct interrupt_sink {
    struct flatten_sink sink; /* first: what flatten() is given */
    struct flatten_sink *other;
};

/* From here on signals are only noted: before anything is begun that they must not leave behind. */
void interrupt_begin(void);

/* Makes SINK one before OTHER, which stays the caller's. */
void interrupt_watch(struct interrupt_sink *sink, struct flatten_sink *other);

/* Whether one has come since. */
int interrupt_came(void);

/* From here on a signal removes the file PATH, or nothing where that is NULL, and ends the program. */
void interrupt_remove(const char *path);

/* After everything was taken away, or is complete: a signal that came is obeyed now. */
void interrupt_obey(void);

#endif
