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

/* Whether one has come since; the same as an error: 0, or -1 with ERR_OUTPUT. */
int interrupt_came(void);
int interrupt_check(struct err *err);

/* After everything was taken away, or is complete: a signal that came is obeyed now. */
void interrupt_obey(void);

#endif
