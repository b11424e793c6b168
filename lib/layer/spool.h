/*
 * spool - an archive that cannot be read in place, laid down in a file that can.
 *
 * Manifest, configuration and layers of an archive stand in no order, so they are looked up;
 * what a pipe gives or a compressor made can only be read from its beginning to its end.
 */
#ifndef CORACLE_LAYER_SPOOL_H
#define CORACLE_LAYER_SPOOL_H

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

/* Whether a file that begins with the LENGTH bytes HEAD is compressed as spool_open() undoes it. */
int spool_undoes(const void *head, size_t length);

/* Whether PATH is one to lay down: "-", which is standard input, or a file that is compressed. */
int spool_needed(const char *path);

/*
 * The tar that PATH gives, in a file without a name in DIRECTORY. A descriptor for reading, which is
 * the caller's; -1: PATH cannot be opened, is no tar or is damaged (as layer.h says), or DIRECTORY takes
 * no such file (ERR_OUTPUT).
 */
int spool_open(const char *path, const char *directory, struct arena *arena, struct err *err);

#endif
