/*
 * start - from options to the command, or to what is printed of it: what run, shell and
 * explain do.
 */
#ifndef CORACLE_BIN_START_H
#define CORACLE_BIN_START_H

#include "launch-options.h"

/*
 * Finds the image of OPTIONS, which were read from ARGV, and the launches that this one may
 * meet, takes the way that this gives, and becomes the command. Returns only where it failed:
 * -1.
 */
int start(struct launch_options *options, int argc, char *argv[], char *const environment[], struct err *err);

/* Prints the plan for OPTIONS instead. An image that is not here yet is not brought here. 0 or -1. */
int start_explain(struct launch_options *options, char *const environment[], struct err *err);

#endif
