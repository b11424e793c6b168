#include "unpack/seen.h"

#include "../../tap.h"

enum { MANY = 100000 };

static struct arena arena;

/* References as an image has them, and such as would all meet in a simple table. */
static uint64_t reference_of(uint32_t i)
{
    return i % 2 ? (uint64_t)i << 16 | i % 8192 : (uint64_t)i << 32;
}

int main(void)
{
    struct seen seen = {.arena = &arena};
    uint32_t note = 7;
    int wrong = 0;

    arena_init(&arena, tap_no_memory);
    TAP_INT(seen_get(&seen, 0, &note), 0);
    for (uint32_t i = 0; i < MANY; i++) {
        wrong += seen_get(&seen, reference_of(i), &note);
        seen_set(&seen, reference_of(i), i);
    }
    TAP_INT(wrong, 0);
    TAP_INT(seen.count, MANY);
    for (uint32_t i = 0; i < MANY; i++)
        wrong += !seen_get(&seen, reference_of(i), &note) || note != i;
    TAP_INT(wrong, 0);
    TAP_INT(seen_get(&seen, 12345, &note), 0);
    seen_set(&seen, reference_of(3), UINT32_MAX);
    TAP_INT(seen.count, MANY);
    TAP_TRUE(seen_get(&seen, reference_of(3), &note) && note == UINT32_MAX);
    TAP_TRUE(seen_get(&seen, reference_of(0), &note) && note == 0);
    arena_free(&arena);
    return tap_done();
}
