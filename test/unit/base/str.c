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
    str_add_number(&str, 1);
    str_addf(&str, "%d", 2);
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
        {"\302\205", "$'\\xc2\\x85'"},              /* U+0085, which terminals obey */
        {"\302\240", "\302\240"},                   /* U+00A0, which they do not */
        {"a\342\200\256b", "$'a\\xe2\\x80\\xaeb'"}, /* U+202E: what follows runs from right to left */
        {"\327\220", "\327\220"},                   /* a letter that does so by itself */
        {"\377a", "$'\\xffa'"},                     /* no UTF-8 */
        {"a\303", "$'a\\xc3'"},                     /* cut short */
        {"\300\200", "$'\\xc0\\x80'"},              /* overlong */
        {"\355\240\200", "$'\\xed\\xa0\\x80'"},     /* a surrogate */
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap.row = rows[i].text;
        TAP_STR(str_quote(&arena, rows[i].text), rows[i].quoted);
    }
    tap.row = NULL;
}

static void test_control(void)
{
    static const char *const obeyed[] = {
        "\001",         "\037",         "\177",         "\302\200",     "\302\237",     "\330\234",
        "\342\200\216", "\342\200\217", "\342\200\252", "\342\200\256", "\342\201\246", "\342\201\251",
    };
    static const char *const shown[] = {
        " ",
        "~",
        "\302\240",
        "\330\233",
        "\342\200\215",
        "\342\200\220",
        "\342\200\251",
        "\342\200\257",
        "\342\201\245",
        "\342\201\252",
        "\343\200\216",
        "\360\237\232\243",
    };

    for (size_t i = 0; i < sizeof(obeyed) / sizeof(obeyed[0]); i++) {
        tap.row = obeyed[i];
        TAP_TRUE(str_is_control(obeyed[i], strlen(obeyed[i])));
    }
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
        tap.row = shown[i];
        TAP_TRUE(!str_is_control(shown[i], strlen(shown[i])));
    }
    tap.row = NULL;
}

/* COUNT times PIECE between two letters, quoted for a message. */
static const char *quote_many(const char *piece, size_t count)
{
    struct str str = {.arena = &arena};

    str_add(&str, "a");
    for (size_t i = 0; i < count; i++)
        str_add(&str, piece);
    str_add(&str, "z");
    return str_quote(&arena, str_text(&str));
}

/* Names in messages leave room for cause and advice; a plan shows them whole. */
static void test_shortening(void)
{
    struct str whole = {.arena = &arena};
    const char *quoted;

    TAP_INT(strlen(quote_many("x", STR_QUOTE_LIMIT - 2)), STR_QUOTE_LIMIT);
    TAP_TRUE(!strstr(quote_many("x", STR_QUOTE_LIMIT - 2), "..."));
    quoted = quote_many("x", STR_QUOTE_LIMIT - 1);
    TAP_TRUE(strlen(quoted) <= STR_QUOTE_LIMIT && strlen(quoted) > STR_QUOTE_LIMIT - 10);
    TAP_TRUE(quoted[0] == 'a' && strstr(quoted, "xx...xx") && quoted[strlen(quoted) - 1] == 'z');
    quoted = quote_many("\001", 2000);
    TAP_TRUE(strlen(quoted) <= STR_QUOTE_LIMIT && strlen(quoted) > STR_QUOTE_LIMIT / 3);
    TAP_TRUE(strncmp(quoted, "$'a\\x01", 7) == 0 && strstr(quoted, "\\x01...\\x01"));
    quoted = quote_many("\303\274", 2000); /* no half letter: that would be escaped */
    TAP_TRUE(strlen(quoted) <= STR_QUOTE_LIMIT && strncmp(quoted, "a\303\274", 3) == 0);
    quoted = quote_many("\200", 2000); /* no letters at all */
    TAP_TRUE(strlen(quoted) <= STR_QUOTE_LIMIT);
    str_add_quoted(&whole, arena_printf(&arena, "%02000d", 0));
    TAP_INT(whole.length, 2000);
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
    TAP_INT(str_utf8_length("ab", 2), 1);
    TAP_INT(str_utf8_length("\342\202\254x", 4), 3);
    TAP_INT(str_utf8_length("\342\202\254", 2), 0);
    TAP_INT(str_utf8_length("", 0), 0);
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    test_adding();
    test_adding_much();
    test_pad();
    test_quoting();
    test_control();
    test_shortening();
    test_quoting_appends();
    test_utf8();
    arena_free(&arena);
    return tap_done();
}
