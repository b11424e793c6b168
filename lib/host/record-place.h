/*
 * record-place - where records are kept, and reading one there.
 */
#ifndef CORACLE_HOST_RECORD_PLACE_H
#define CORACLE_HOST_RECORD_PLACE_H

#include <sys/stat.h>

#include "base/arena.h"
#include "host/record-facts.h"
#include "host/record-file.h"

/* $XDG_RUNTIME_DIR, /tmp, /dev/shm, and in each coracle-UID */
enum { RECORD_PLACES = 3 };

/*
 * The directory of rank RANK (0 is the first choice) for user UID, or NULL
 * where this rank has none: ENVIRONMENT has no usable XDG_RUNTIME_DIR. Asks
 * nobody whether it exists.
 */
const char *record_place(int rank, char *const environment[], uint32_t uid, struct arena *arena);

/* Whether a directory with this STATUS belongs to UID alone. */
int record_place_is_safe(const struct stat *status, uint32_t uid);

/*
 * Reads the record kept in PLACE. Four system calls where there is one. 0 and
 * *FILE, whose strings belong to ARENA; 1 where the record is damaged or does not
 * hold by FACTS: it is to be made anew there; -1 where there is none or PLACE is
 * not safe: it may be in the next place.
 */
int record_place_read(const char *place, const struct record_facts *facts, struct record_file *file,
                      struct arena *arena);

#endif
