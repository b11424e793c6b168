/*
 * malloc() for a server: memory that was given back is kept for the next of the
 * same size.
 *
 * Each block that is decoded takes two buffers and a decoder's state. The C
 * library asks the kernel for each of that size anew and every page of it is a
 * page fault: more time than decoding takes. Here they are used again. Sizes are
 * rounded up to four steps for each power of two; one thread.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { SMALLEST_LOG = 6, STEPS = 4, CLASSES = 64 * STEPS, REGION = 1024 * 1024 };

/* In front of every piece of memory; 16 bytes, which keeps it aligned. */
struct piece {
    struct piece *next; /* while it is free */
    size_t class;
};

static struct piece *free_pieces[CLASSES];
static char *region;
static size_t region_left;

/* The class of SIZE bytes, and *ROOM, what its pieces hold. */
static size_t class_of(size_t size, size_t *room)
{
    unsigned log = SMALLEST_LOG;
    size_t step;

    if (size <= 1u << SMALLEST_LOG) {
        *room = 1u << SMALLEST_LOG;
        return 0;
    }
    while (log < 47 && size > (size_t)2 << log)
        log++;
    step = ((size_t)1 << log) / STEPS;
    *room = (size + step - 1) / step * step;
    return (log - SMALLEST_LOG) * STEPS + (*room - ((size_t)1 << log)) / step;
}

/* Memory that the kernel has not given before. */
static struct piece *fresh(size_t bytes)
{
    char *piece;

    if (bytes > REGION / 4) {
        void *mapped = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        return mapped == MAP_FAILED ? NULL : mapped;
    }
    if (bytes > region_left) {
        void *mapped = mmap(NULL, REGION, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (mapped == MAP_FAILED)
            return NULL;
        region = mapped;
        region_left = REGION;
    }
    piece = region;
    region += bytes;
    region_left -= bytes;
    return (struct piece *)(void *)piece;
}

/* Under another name than malloc(), of which the compiler would make calls of calloc() in calloc(). */
static void *allocate(size_t size)
{
    size_t room, class;
    struct piece *piece;

    if (size > (size_t)1 << 47) {
        errno = ENOMEM;
        return NULL;
    }
    class = class_of(size, &room);
    piece = free_pieces[class];
    if (piece) {
        free_pieces[class] = piece->next;
        return piece + 1;
    }
    piece = fresh(sizeof(*piece) + room);
    if (!piece) {
        errno = ENOMEM;
        return NULL;
    }
    piece->class = class;
    return piece + 1;
}

void *malloc(size_t size)
{
    return allocate(size);
}

void free(void *memory)
{
    struct piece *piece;

    if (!memory)
        return;
    piece = (struct piece *)memory - 1;
    piece->next = free_pieces[piece->class];
    free_pieces[piece->class] = piece;
}

void *calloc(size_t count, size_t size)
{
    size_t bytes;
    void *memory;

    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    memory = allocate(bytes);
    return memory ? memset(memory, 0, bytes) : NULL;
}

/* How many bytes a piece of CLASS holds. */
static size_t room_of(size_t class)
{
    size_t base = (size_t)1 << (class / STEPS + SMALLEST_LOG);

    return base + base / STEPS * (class % STEPS);
}

void *realloc(void *memory, size_t size)
{
    size_t room;
    void *moved;

    if (!memory)
        return allocate(size);
    room = room_of(((struct piece *)memory - 1)->class);
    if (size <= room)
        return memory;
    moved = allocate(size);
    if (moved) {
        memcpy(moved, memory, room);
        free(memory);
    }
    return moved;
}
