/*
 * heavy - the programs that need libraries which a launch must not carry. The light one
 * becomes them.
 */
#ifndef CORACLE_BIN_HEAVY_H
#define CORACLE_BIN_HEAVY_H

#include "base/arena.h"
#include "base/err.h"

/* Executes PROGRAM of ours with LINE, which ends with NULL. Returns only where that fails: -1. */
int heavy_execute(const char *program, char *const line[], char *const environment[], struct arena *arena,
                  struct err *err);

#endif
