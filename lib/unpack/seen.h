/*
 * seen - which inodes of an image were met, and what was noted of each.
 *
 * A hash table in an arena; it grows, and nothing is ever taken out.
 */
#ifndef CORACLE_UNPACK_SEEN_H
#define CORACLE_UNPACK_SEEN_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct seen_slot {
    uint64_t reference;
    uint64_t note; /* what was noted, plus 1; 0: the slot is empty */
};

struct seen {
    struct arena *arena;
    struct seen_slot *slots;
    size_t count, room; /* room: a power of two, or 0 */
};

/* What was noted of the inode REFERENCE. 1 and *NOTE; 0: nothing. */
int seen_get(const struct seen *seen, uint64_t reference, uint32_t *note);

/* Notes NOTE, in place of what was noted before. */
void seen_set(struct seen *seen, uint64_t reference, uint32_t note);

#endif
