/* The server's malloc(), under other names: this program keeps its own. */
#include <stdlib.h>

#include "../../tap.h"

/* Called as from another file: what the compiler knows of malloc() is not to be mixed in. */
#define AS_IF_ELSEWHERE __attribute__((noinline))
void *server_malloc(size_t size) AS_IF_ELSEWHERE;
void *server_calloc(size_t count, size_t size) AS_IF_ELSEWHERE;
void *server_realloc(void *memory, size_t size) AS_IF_ELSEWHERE;
void server_free(void *memory) AS_IF_ELSEWHERE;

#define malloc server_malloc
#define calloc server_calloc
#define realloc server_realloc
#define free server_free
#include "fuse/memory.c"
#undef malloc
#undef calloc
#undef realloc
#undef free

enum { PLACES = 500, ROUNDS = 20000, LARGE = 3 * 1024 * 1024 };

static int is_aligned(const void *memory)
{
    return (uintptr_t)memory % _Alignof(max_align_t) == 0;
}

static void test_alignment(void)
{
    int wrong = 0;

    for (size_t size = 0; size < 5000; size++)
        wrong += !is_aligned(server_malloc(size));
    for (size_t size = 5000; size < LARGE; size += size / 7)
        wrong += !is_aligned(server_malloc(size));
    TAP_INT(wrong, 0);
}

/* What a class holds is at least what was asked for, and never much more. */
static void test_classes(void)
{
    size_t last = 0, classes = 0;
    int wrong = 0;

    for (size_t size = 0; size < LARGE; size++) {
        size_t room, class = class_of(size, &room);

        wrong += room < size || room != room_of(class) || class < last || class >= CLASSES;
        wrong += size > 256 && room > size + size / 4 + 1;
        classes += class != last;
        last = class;
    }
    TAP_INT(wrong, 0);
    TAP_TRUE(classes > 20);
}

static void test_reuse(void)
{
    static const size_t sizes[] = {1, 40, 100, 4096, 8192, 131072, 1048576, LARGE};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        char *first = server_malloc(sizes[i]), *second = server_malloc(sizes[i]);

        TAP_TRUE(first && second && first != second);
        memset(first, 1, sizes[i]);
        memset(second, 2, sizes[i]);
        server_free(first);
        TAP_TRUE(server_malloc(sizes[i]) == first);
        server_free(second);
        server_free(first);
        TAP_TRUE(server_malloc(sizes[i]) == first);
        TAP_TRUE(server_malloc(sizes[i]) == second);
        server_free(first);
        server_free(second);
    }
    server_free(NULL);
}

static void test_calloc(void)
{
    static const char zeros[8192];
    char *memory = server_malloc(8192);

    memset(memory, 0x5a, 8192);
    server_free(memory);
    TAP_TRUE(server_calloc(1024, 8) == memory);
    TAP_TRUE(memcmp(memory, zeros, 8192) == 0);
    server_free(memory);
    errno = 0;
    TAP_TRUE(!server_calloc(SIZE_MAX / 2, 3));
    TAP_INT(errno, ENOMEM);
    errno = 0;
    TAP_TRUE(!server_calloc(3, SIZE_MAX / 2));
    TAP_INT(errno, ENOMEM);
    memory = server_calloc(0, 8);
    TAP_TRUE(memory);
    server_free(memory);
    memory = server_calloc(8, 0);
    TAP_TRUE(memory);
    server_free(memory);
}

static int is_filled(const unsigned char *memory, size_t size, int value)
{
    for (size_t i = 0; memory && i < size; i++)
        if (memory[i] != value)
            return 0;
    return memory != NULL;
}

static void test_realloc(void)
{
    unsigned char *memory = server_realloc(NULL, 1);
    int wrong = 0, value = 0;

    for (size_t size = 1; memory && size < LARGE; size += size / 3 + 1) {
        memset(memory, ++value % 251, size);
        memory = server_realloc(memory, size + size / 3 + 1);
        wrong += !is_aligned(memory) || !is_filled(memory, size, value % 251);
    }
    TAP_TRUE(value > 20);
    TAP_INT(wrong, 0);
    TAP_TRUE(server_realloc(memory, 10) == memory); /* stays where it is */
    errno = 0;
    TAP_TRUE(!server_realloc(memory, SIZE_MAX));
    TAP_INT(errno, ENOMEM);
    TAP_TRUE(is_filled(memory, 10, value % 251)); /* and is still there */
    server_free(memory);
}

/* More than there can be: of all sizes up to the largest number. */
static void test_too_much(void)
{
    for (unsigned log = 47; log < 64; log++) {
        tap.row = "2 to the power";
        errno = 0;
        TAP_TRUE(!server_malloc((size_t)1 << log));
        TAP_INT(errno, ENOMEM);
    }
    tap.row = NULL;
    TAP_TRUE(!server_malloc(SIZE_MAX));
    TAP_TRUE(!server_malloc(PTRDIFF_MAX));
    TAP_TRUE(!server_malloc(PTRDIFF_MAX / 2));
}

static struct {
    unsigned char *memory;
    size_t size;
    unsigned char mark;
} places[PLACES];

static int is_whole(size_t place)
{
    for (size_t i = 0; i < places[place].size; i++)
        if (places[place].memory[i] != places[place].mark)
            return 0;
    return 1;
}

/* Whatever comes and goes, no piece lies in another. */
static void test_many(void)
{
    uint32_t state = 1;
    int wrong = 0;

    for (int round = 0; round < ROUNDS; round++) {
        size_t place, size;

        state = state * 1664525 + 1013904223;
        place = (state >> 8) % PLACES;
        size = (state >> 16) % (round % 50 ? 700 : 70000);
        wrong += !is_whole(place);
        if (state >> 31) {
            places[place].memory = server_realloc(places[place].memory, size);
        } else {
            server_free(places[place].memory);
            places[place].memory = server_malloc(size);
        }
        places[place].size = size;
        places[place].mark = (unsigned char)round;
        memset(places[place].memory, places[place].mark, size);
    }
    for (size_t i = 0; i < PLACES; i++)
        wrong += !is_whole(i);
    TAP_INT(wrong, 0);
}

int main(void)
{
    test_alignment();
    test_classes();
    test_reuse();
    test_calloc();
    test_realloc();
    test_too_much();
    test_many();
    return tap_done();
}
