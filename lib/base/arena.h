/*
 * arena - memory that is given back all at once.
 *
 * A launch makes a few dozen small strings and arrays that all live until the
 * exec. They come from an arena: nothing is freed one by one, so nothing can
 * be freed twice or forgotten. The first bytes come from a buffer inside the
 * struct, which for most launches means no system call for memory at all.
 *
 * Every pointer that an arena function returns belongs to the arena and lives
 * until arena_free(). No function here returns NULL: when the system has no
 * memory left, `exhausted` is called, which must not return.
 *
 * Under AddressSanitizer each allocation is a malloc() of its own, so that an
 * overrun is seen.
 */
#ifndef CORACLE_BASE_ARENA_H
#define CORACLE_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena_chunk;

struct arena {
    void (*exhausted)(void) __attribute__((noreturn)); /* set by the owner */
    struct arena_chunk *chunks;                        /* newest first */
    size_t used;                                       /* bytes of first[] or of the newest chunk */
    size_t size;                                       /* size of the newest chunk; 0: first[] is in use */
    _Alignas(16) char first[32768];
};

/* Prepares an arena. Touches none of first[], so an unused arena costs no page. */
void arena_init(struct arena *arena, void (*exhausted)(void) __attribute__((noreturn)));

/* SIZE bytes, all zero, aligned for any type. SIZE may be 0. */
void *arena_alloc(struct arena *arena, size_t size) __attribute__((malloc, alloc_size(2), returns_nonnull));

/* A copy of TEXT, or of its first LENGTH bytes with a zero byte added. */
char *arena_strdup(struct arena *arena, const char *text);
char *arena_strndup(struct arena *arena, const char *text, size_t length);

/* The strings of a list that ends with NULL, put together. */
char *arena_join(struct arena *arena, ...) __attribute__((sentinel));

/* printf() into the arena. */
char *arena_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *arena, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/*
 * Makes room for one more element. ITEMS has COUNT elements of SIZE bytes and
 * room for *ROOM; the return value is the array to use from now on. The old one
 * stays where it is until arena_free().
 */
void *arena_grow(struct arena *arena, void *items, size_t count, size_t *room, size_t size);

/* Gives everything back. The arena may be used again. */
void arena_free(struct arena *arena);

#endif
