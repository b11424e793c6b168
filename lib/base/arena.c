#include "base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arena_chunk {
    struct arena_chunk *next;
    _Alignas(16) char data[];
};

enum { CHUNK_SIZE = 64 * 1024, ALIGNMENT = 16 };

#ifndef __has_feature
#define __has_feature(feature) 0 /* clang's way to ask what gcc tells by a macro */
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
enum { ONE_CHUNK_EACH = 1 };
#else
enum { ONE_CHUNK_EACH = 0 };
#endif

void arena_init(struct arena *arena, void (*exhausted)(void) __attribute__((noreturn)))
{
    arena->exhausted = exhausted;
    arena->chunks = NULL;
    arena->used = 0;
    arena->size = 0;
}

/* A new chunk with room for SIZE bytes becomes the newest. calloc() gives zeroes. */
static void *new_chunk(struct arena *arena, size_t size, size_t room)
{
    struct arena_chunk *chunk = NULL;

    if (room <= SIZE_MAX / 2)
        chunk = calloc(1, sizeof(*chunk) + room);
    if (!chunk)
        arena->exhausted();
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    arena->size = room;
    arena->used = size;
    return chunk->data;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size_t rounded = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    char *start = arena->chunks ? arena->chunks->data : arena->first;
    size_t limit = arena->chunks ? arena->size : sizeof(arena->first);

    if (rounded < size)
        arena->exhausted();
    if (ONE_CHUNK_EACH)
        return new_chunk(arena, size, size);
    if (rounded > limit - arena->used)
        return new_chunk(arena, rounded, rounded > CHUNK_SIZE ? rounded : CHUNK_SIZE);

    start += arena->used;
    arena->used += rounded;
    /* A chunk is zero already; first[] may lie on a stack. */
    return arena->chunks ? start : memset(start, 0, size);
}

char *arena_strndup(struct arena *arena, const char *text, size_t length)
{
    char *copy = arena_alloc(arena, length + 1);

    if (length)
        memcpy(copy, text, length);
    return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
    return arena_strndup(arena, text, strlen(text));
}

char *arena_join(struct arena *arena, ...)
{
    va_list args, again;
    size_t length = 0;
    char *text, *end;

    va_start(args, arena);
    va_copy(again, args);
    for (const char *part = va_arg(args, const char *); part; part = va_arg(args, const char *))
        length += strlen(part);
    va_end(args);

    end = text = arena_alloc(arena, length + 1);
    for (const char *part = va_arg(again, const char *); part; part = va_arg(again, const char *)) {
        size_t n = strlen(part);
        memcpy(end, part, n);
        end += n;
    }
    va_end(again);
    return text;
}

char *arena_vprintf(struct arena *arena, const char *format, va_list args)
{
    va_list again;
    int length;
    char *text;

    va_copy(again, args);
    length = vsnprintf(NULL, 0, format, args);
    text = arena_alloc(arena, (size_t)(length < 0 ? 0 : length) + 1);
    if (length > 0)
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = arena_vprintf(arena, format, args);
    va_end(args);
    return text;
}

void *arena_grow(struct arena *arena, void *items, size_t count, size_t *room, size_t size)
{
    void *grown;

    if (count < *room)
        return items;
    *room = *room ? *room * 2 : 8;
    if (*room > SIZE_MAX / 2 / size)
        arena->exhausted();
    grown = arena_alloc(arena, *room * size);
    if (count)
        memcpy(grown, items, count * size);
    return grown;
}

void arena_free(struct arena *arena)
{
    while (arena->chunks) {
        struct arena_chunk *chunk = arena->chunks;
        arena->chunks = chunk->next;
        free(chunk);
    }
    arena->used = 0;
    arena->size = 0;
}
