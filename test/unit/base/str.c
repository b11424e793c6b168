#include "base/str.h"

#include "../../tap.h"

static struct arena arena;

static void test_adding(void)
{
    struct str str = {.arena = &arena};
    struct str grown = {.arena = &arena};
    int intact = 1;

    TAP_STR(str_text(&str), "");
    TAP_TRUE(str.data == NULL);
    str_add(&str, "");
    TAP_STR(str.data, "");
    str_add(&str, "ab");
    str_add_char(&str, 'c');
    str_addf(&str, "%d", 12);
    str_add_bytes(&str, "xyz", 2);
    TAP_STR(str_text(&str), "abc12xy");
    TAP_INT(str.length, 7);

    for (int i = 0; i < 10000; i++)
        str_add_char(&grown, (char)('a' + i % 26));
    for (int i = 0; i < 10000; i++)
        intact &= grown.data[i] == 'a' + i % 26;
    TAP_TRUE(intact);
    TAP_INT(strlen(grown.data), 10000);
}

/* One addition that exceeds the doubled room. */
static void test_adding_much(void)
{
    struct str str = {.arena = &arena};
    char *much = arena_alloc(&arena, 5001);

    memset(much, 'm', 5000);
    str_add_char(&str, '<');
    str_add(&str, much);
    TAP_INT(str.length, 5001);
    TAP_INT(strlen(str.data), 5001);
    TAP_INT(str.data[5000], 'm');
}

static void test_pad(void)
{
    struct str str = {.arena = &arena};

    str_add(&str, "head\nab");
    str_pad(&str, 5, 4);
    str_add(&str, "c");
    TAP_STR(str_text(&str), "head\nab  c");
    str_pad(&str, 5, 3);
    TAP_STR(str_text(&str), "head\nab  c ");
}

static void test_quoting(void)
{
    static const struct {
        const char *text;
        const char *quoted;
    } rows[] = {
        {"/usr/lib-x/a_b.so+1=2,@%", "/usr/lib-x/a_b.so+1=2,@%"},
        {"", "''"},
        {"a b", "'a b'"},
        {"a\"b", "'a\"b'"},
        {"a$b", "'a$b'"},
        {"a*b", "'a*b'"},
        {"~", "'~'"},
        {"back\\slash", "'back\\slash'"},
        {"it's", "$'it\\'s'"},
        {"it's back\\slash", "$'it\\'s back\\\\slash'"},
        {"a\nb\tc", "$'a\\nb\\tc'"},
        {"\033[2J", "$'\\x1b[2J'"},
        {"\177", "$'\\x7f'"},
        {"M\303\274ller", "M\303\274ller"},
        {"M\303\274ller \360\237\232\243", "'M\303\274ller \360\237\232\243'"},
        {"\302\205", "$'\\xc2\\x85'"},          /* U+0085, which terminals obey */
        {"\302\240", "\302\240"},               /* U+00A0, which they do not */
        {"\377a", "$'\\xffa'"},                 /* no UTF-8 */
        {"a\303", "$'a\\xc3'"},                 /* cut short */
        {"\300\200", "$'\\xc0\\x80'"},          /* overlong */
        {"\355\240\200", "$'\\xed\\xa0\\x80'"}, /* a surrogate */
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap.row = rows[i].text;
        TAP_STR(str_quote(&arena, rows[i].text), rows[i].quoted);
    }
    tap.row = NULL;
}

static void test_quoting_appends(void)
{
    struct str str = {.arena = &arena};

    str_add(&str, "x ");
    str_add_quoted(&str, "a b");
    TAP_STR(str_text(&str), "x 'a b'");
}

static void test_utf8(void)
{
    static const struct {
        const char *bytes;
        int valid;
    } rows[] = {
        {"", 1},
        {"abc\177", 1},
        {"\302\200\337\277", 1},
        {"\340\240\200\355\237\277\356\200\200\357\277\277", 1},
        {"\360\220\200\200\364\217\277\277", 1},
        {"\200", 0},
        {"\301\277", 0},
        {"\340\237\277", 0},
        {"\355\240\200", 0},
        {"\360\217\277\277", 0},
        {"\364\220\200\200", 0},
        {"\365\200\200\200", 0},
        {"\303", 0},
        {"\342\202", 0},
        {"\360\237\232", 0},
        {"\342\202x", 0},
        {"\377", 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t length = strlen(rows[i].bytes);
        char *copy = malloc(length ? length : 1); /* exactly as long: valgrind sees a look past the end */
        if (!copy)
            tap_no_memory();
        memcpy(copy, rows[i].bytes, length);
        tap.row = str_quote(&arena, rows[i].bytes);
        TAP_INT(str_is_utf8(copy, length), rows[i].valid);
        free(copy);
    }
    tap.row = NULL;
    TAP_TRUE(str_is_utf8("a\0b", 3));
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    test_adding();
    test_adding_much();
    test_pad();
    test_quoting();
    test_quoting_appends();
    test_utf8();
    arena_free(&arena);
    return tap_done();
}
