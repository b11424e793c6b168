/*
 * output - what a command prints, as opposed to what it logs.
 */
#ifndef CORACLE_BIN_OUTPUT_H
#define CORACLE_BIN_OUTPUT_H

#include "base/err.h"
#include "base/str.h"

/* TEXT on standard output. 0, or -1 where it cannot be written. */
int output_print(const struct str *text, struct err *err);

/* For arena_init(): says that there is no memory, and ends the program. */
void output_no_memory(void) __attribute__((noreturn));

#endif
