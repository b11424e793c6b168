#include "show.h"

/* Places, blanks, comments, newlines, characters that may not be there. */
static const struct good good[] = {
    {"", "{}"},
    {" ", "{}"},
    {"\t", "{}"},
    {"\n", "{}"},
    {"\r\n", "{}"},
    {" \t \r\n\n \n", "{}"},
    {"#", "{}"},
    {"# a comment", "{}"},
    {"# a comment\n", "{}"},
    {"# a comment\r\n# another\r\n", "{}"},
    {"#\tt\303\244b \360\237\232\243\302\200 [x] = \"\n", "{}"},
    {"a=1", "{a=1}"},
    {"a=1#", "{a=1}"},
    {"a = 1 # comment", "{a=1}"},
    {" \ta\t=\t1\t# comment\r\n\tb=2", "{a=1,b=2}"},
    {"a=1\r\nb=2\nc=3", "{a=1,b=2,c=3}"},
    {"a = 'x' # 'y'\n#b = 1\n", "{a=\"x\"}"},
    {"[t]#x\n# y\n", "{t={}}"},
    {"\357\273\277", "{}"},
    {"\357\273\277a=1\n", "{a=1}"},
};

static const struct bad bad[] = {
    {"a=1 b=2", "1:5: expected the end of the line, found 'b'"},
    {"a=1\n\n  b=2 \303\244", "t.toml:3:7: expected the end of the line, found '\303\244'"},
    {"\303\244=1", "1:1: expected a key, found '\303\244'"},
    {"a='\303\244' 1", "1:7: expected the end of the line, found '1'"},
    {"a=1\r", "1:4: expected the end of the line, found the control character U+000D"},
    {"a=1\rb=2", "1:4: expected the end of the line, found the control character U+000D"},
    {"\r", "1:1: expected a key, found the control character U+000D"},
    {"\f", "1:1: expected a key, found the control character U+000C"},
    {"a\v=1",
     "1:2: expected letters, digits, _ and - in a key (one of others needs quotes), found the control"},
    {"a=\v1", "1:3: expected a value, found the control character U+000B"},
    {"a=1\v", "1:4: expected the end of the line, found the control character U+000B"},
    {"a=1\n\302\205", "2:1: expected a key, found a control character"},
    {"\302\240a=1", "1:1: expected a key, found '\302\240'"},
    {"a=\343\200\2001", "1:3: expected a value, found '\343\200\200'"},
    {"# a\001b", "1:4: a comment must not hold the control character U+0001"},
    {"# a\177b", "1:4: a comment must not hold the control character U+007F"},
    {"# a\037", "1:4: a comment must not hold the control character U+001F"},
    {"# a\rb", "1:4: a comment must not hold the control character U+000D"},
    {"# a\r", "1:4: a comment must not hold the control character U+000D"},
    {"a=1 # \f", "1:7: a comment must not hold"},
    {"a=[ # \f\n]", "1:7: a comment must not hold"},
    {"a=[1 # \b\n]", "1:8: a comment must not hold"},
    {"[t] # \b", "1:7: a comment must not hold"},
    {"a=1 /* c */", "1:5: expected the end of the line, found '/'"},
    {"a=1; b=2", "1:4: expected the end of the line, found ';'"},
    {"a=1\nb='\377'", "2:4: this is not UTF-8: byte 0xff"},
    {"# \303", "1:3: this is not UTF-8: byte 0xc3"},
    {"# \300\200", "1:3: this is not UTF-8"},
    {"a='\355\240\200'", "1:4: this is not UTF-8"},
    {"a='''\n\364\220\200\200'''", "2:1: this is not UTF-8"},
    {"# \370\210\200\200\200", "this is not UTF-8"},
    {"\376\377", "1:1: this is not UTF-8: byte 0xfe"},
    {"\357\273a=1", "1:1: this is not UTF-8: byte 0xef"},
    {" \357\273\277a=1", "1:2: expected a key"},
    {"\357\273\277\357\273\277a=1", "1:1: expected a key"},
    {"a=1\n\357\273\277b=2", "2:1: expected a key"},
    {"\357\273\277a", "1:2: expected '=' after the key, found the end of the file"},
};

static void test_zero_bytes(void)
{
    TAP_STR(tree_of("\0", 1), "t.toml:1:1: expected a key, found the control character U+0000");
    TAP_STR(tree_of("#\0", 2), "t.toml:1:2: a comment must not hold the control character U+0000");
    TAP_STR(tree_of("a=\0001", 4), "t.toml:1:3: expected a value, found the control character U+0000");
    TAP_STR(tree_of("a=1\0", 4),
            "t.toml:1:4: expected the end of the line, found the control character U+0000");
    TAP_STR(tree_of("\0a\0=\0", 6), "t.toml:1:1: expected a key, found the control character U+0000");
    TAP_STR(tree_of("a='\0'", 5), "t.toml:1:4: a string must not hold the control character U+0000: write "
                                  "\\u0000 in \"...\"");
}

static void test_size(void)
{
    char *text = malloc(TOML_SIZE_MAX + 1);

    if (!text)
        tap_no_memory();
    memset(text, '\n', TOML_SIZE_MAX + 1);
    TAP_STR(tree_of(text, TOML_SIZE_MAX), "{}");
    TAP_STR(tree_of(text, TOML_SIZE_MAX + 1), "t.toml:1:1: the file has more than 1048576 bytes");
    free(text);
}

/* A name that would move the terminal's cursor does not; a long one leaves room for the cause. */
static void test_name(void)
{
    char name[3000];

    TAP_ERR(toml_parse("a\nb", "=", 1, &arena, ERR_USAGE, &err) ? 0 : -1, err, ERR_USAGE,
            "$'a\\nb':1:1: expected a key, found '='");
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = 0;
    TAP_ERR(toml_parse(name, "=", 1, &arena, ERR_USAGE, &err) ? 0 : -1, err, ERR_USAGE,
            "nn:1:1: expected a key, found '='");
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    TEST_GOOD(good);
    TEST_BAD(bad);
    test_zero_bytes();
    test_size();
    test_name();
    arena_free(&arena);
    return tap_done();
}
