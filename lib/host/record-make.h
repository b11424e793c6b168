/*
 * record-make - runs coracle-record, which asks the name service.
 */
#ifndef CORACLE_HOST_RECORD_MAKE_H
#define CORACLE_HOST_RECORD_MAKE_H

#include "base/arena.h"
#include "base/err.h"
#include "host/record-file.h"

/*
 * Runs the first of PROGRAMS that exists, with ENVIRONMENT less the variables
 * of the dynamic linker, and parses what it prints. It gets standard error and
 * no other descriptor of the caller. When this returns nothing of it is left:
 * no process, no descriptor, no SIGCHLD, whatever the caller does with SIGCHLD.
 *
 * 0 and *FILE, whose strings belong to ARENA. 1 where no program is there, it cannot be
 * started, or it fails: the caller can do without. -1 where the system gives no pipe or
 * process. Both with ERR_LIMIT where something has run out (files, processes, memory), else
 * with ERR_RECORD.
 */
int record_make(const char *const programs[], char *const environment[], struct record_file *file,
                struct arena *arena, struct err *err);

#endif
