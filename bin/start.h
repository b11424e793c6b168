/*
 * start - from options to the command: what run and shell do.
 */
#ifndef CORACLE_BIN_START_H
#define CORACLE_BIN_START_H

#include "launch-options.h"

/*
 * Finds the launches that OPTIONS let this one meet, takes the way that this gives,
 * and becomes the command. Returns only where it failed: -1.
 */
int start(struct launch_options *options, char *const environment[], struct arena *arena, struct err *err);

#endif
