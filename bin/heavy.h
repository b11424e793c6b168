/*
 * heavy - the programs that need libraries which a launch must not carry. The light one
 * becomes them.
 */
#ifndef CORACLE_BIN_HEAVY_H
#define CORACLE_BIN_HEAVY_H

#include "base/arena.h"
#include "base/err.h"

/*
 * Executes PROGRAM of ours with LINE, which ends with NULL. Returns only where that fails: -1.
 * The variables of the dynamic linker, LD_*, have other names meanwhile (ld.so(8)): libraries that
 * a job's modules put before the system's are not for ours.
 */
int heavy_execute(const char *program, char *const line[], char *const environment[], struct arena *arena,
                  struct err *err);

/*
 * The main() of such a program: the environment becomes what heavy_execute() was given, in the same
 * order. RUN gets its arguments, from the name of the command on, and returns the exit status, or -1
 * and an error, which is printed.
 */
int heavy_main(int argc, char *argv[],
               int (*run)(int argc, char *argv[], struct arena *arena, struct err *err));

#endif
