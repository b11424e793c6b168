#include "unpack/seen.h"

enum { FIRST_ROOM = 256 };

/* The slot of REFERENCE, or the empty one where it belongs. At most half of them are in use. */
static struct seen_slot *find(const struct seen *seen, uint64_t reference)
{
    size_t at = (size_t)((reference * 0x9e3779b97f4a7c15u) >> 32) & (seen->room - 1);

    while (seen->slots[at].note && seen->slots[at].reference != reference)
        at = (at + 1) & (seen->room - 1);
    return &seen->slots[at];
}

int seen_get(const struct seen *seen, uint64_t reference, uint32_t *note)
{
    const struct seen_slot *slot = seen->room ? find(seen, reference) : NULL;

    if (!slot || !slot->note)
        return 0;
    *note = (uint32_t)(slot->note - 1);
    return 1;
}

static void grow(struct seen *seen)
{
    struct seen larger = {.arena = seen->arena, .room = seen->room ? seen->room * 2 : FIRST_ROOM};

    larger.slots = arena_alloc(seen->arena, larger.room * sizeof(*larger.slots));
    for (size_t i = 0; i < seen->room; i++)
        if (seen->slots[i].note)
            *find(&larger, seen->slots[i].reference) = seen->slots[i];
    larger.count = seen->count;
    *seen = larger;
}

void seen_set(struct seen *seen, uint64_t reference, uint32_t note)
{
    struct seen_slot *slot;

    if (seen->count >= seen->room / 2)
        grow(seen);
    slot = find(seen, reference);
    seen->count += !slot->note;
    *slot = (struct seen_slot){reference, (uint64_t)note + 1};
}
