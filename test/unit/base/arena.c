#include "base/arena.h"

#include <setjmp.h>
#include <stdint.h>

#include "../../tap.h"

static struct arena arena;
static jmp_buf out_of_memory;

static void __attribute__((noreturn)) jump(void)
{
    longjmp(out_of_memory, 1);
}

static int all_zero(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (bytes[i])
            return 0;
    return 1;
}

/* Allocates and fills blocks of growing size; whether each was zero, aligned and is intact at the end. */
static void test_many_blocks(void)
{
    enum { BLOCKS = 400 };
    unsigned char *blocks[BLOCKS];
    int zero = 1, aligned = 1, intact = 1;

    memset(arena.first, 0xA5, sizeof(arena.first));
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = arena_alloc(&arena, i * 7);
        zero &= all_zero((char *)blocks[i], i * 7);
        aligned &= (uintptr_t)blocks[i] % _Alignof(max_align_t) == 0;
        memset(blocks[i], (int)(i & 0xFF), i * 7);
    }
    for (size_t i = 0; i < BLOCKS; i++)
        for (size_t j = 0; j < i * 7; j++)
            intact &= blocks[i][j] == (i & 0xFF);
    TAP_TRUE(zero);
    TAP_TRUE(aligned);
    TAP_TRUE(intact);
    arena_free(&arena);
}

static void test_sizes_at_the_edges(void)
{
    size_t sizes[] = {sizeof(arena.first), 1, 64 * 1024, 64 * 1024 + 1, 1024 * 1024, 0, 16};
    int zero = 1;

    memset(arena.first, 0xA5, sizeof(arena.first));
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        char *block = arena_alloc(&arena, sizes[i]);
        zero &= all_zero(block, sizes[i]);
        memset(block, 0x5A, sizes[i]);
    }
    TAP_TRUE(zero);
    arena_free(&arena);
}

static void test_strings(void)
{
    char text[] = "abc";
    char *copy = arena_strdup(&arena, text);

    text[0] = 'x';
    TAP_STR(copy, "abc");
    TAP_STR(arena_strdup(&arena, ""), "");
    TAP_STR(arena_strndup(&arena, "abc", 2), "ab");
    TAP_STR(arena_strndup(&arena, "abc", 0), "");
    TAP_STR(arena_join(&arena, "a", "", "bc", NULL), "abc");
    TAP_STR(arena_join(&arena, NULL), "");
    TAP_STR(arena_printf(&arena, "%s=%d", "n", -3), "n=-3");
    TAP_STR(arena_printf(&arena, "%s", ""), "");
    TAP_INT(strlen(arena_printf(&arena, "%20000d", 1)), 20000);
    arena_free(&arena);
}

static void test_grow(void)
{
    size_t room = 0, count = 0;
    int *numbers = NULL;
    int intact = 1;

    for (; count < 1000; count++) {
        numbers = arena_grow(&arena, numbers, count, &room, sizeof(*numbers));
        numbers[count] = (int)count;
    }
    for (size_t i = 0; i < count; i++)
        intact &= numbers[i] == (int)i;
    TAP_TRUE(intact);
    TAP_TRUE(room >= count);
    TAP_TRUE(arena_grow(&arena, numbers, 3, &room, sizeof(*numbers)) == numbers);
    arena_free(&arena);
}

/* Whether an allocation of SIZE bytes ends in `exhausted`. */
static int is_refused(size_t size)
{
    if (setjmp(out_of_memory))
        return 1;
    memset(arena_alloc(&arena, size), 1, 1);
    return 0;
}

static void test_no_memory(void)
{
    volatile size_t all = SIZE_MAX;

    arena_init(&arena, jump);
    TAP_TRUE(is_refused(all));
    TAP_TRUE(is_refused(all - 15));
    TAP_TRUE(is_refused(all / 2 + 1));
    TAP_STR(arena_strdup(&arena, "still works"), "still works");
    arena_free(&arena);
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    test_many_blocks();
    test_sizes_at_the_edges();
    test_strings();
    test_grow();
    test_no_memory();
    return tap_done();
}
