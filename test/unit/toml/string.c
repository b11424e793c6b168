#include "show.h"

static const struct good good[] = {
    {"a=\"\"", "{a=\"\"}"},
    {"a=''", "{a=\"\"}"},
    {"a=\"\"\"\"\"\"", "{a=\"\"}"},
    {"a=''''''", "{a=\"\"}"},
    {"a=\"b c\"", "{a=\"b c\"}"},
    {"a=\"\tb\t\"", "{a=\"\tb\t\"}"},
    {"a=\"# [x]\" # y", "{a=\"# [x]\"}"},
    {"a=\"'\"", "{a=\"'\"}"},
    {"a='\"'", "{a=\"\"\"}"},
    {"a=\"\303\274\360\237\232\243\302\200\"", "{a=\"\303\274\360\237\232\243\302\200\"}"},
    {"a='\303\274\360\237\232\243\302\200'", "{a=\"\303\274\360\237\232\243\302\200\"}"},
    /* Escapes. */
    {"a=\"\\b\\t\\n\\f\\r\\\"\\\\\"", "{a=\"\b\t\n\f\r\"\\\"}"},
    {"a=\"\\\\u0041\"", "{a=\"\\u0041\"}"},
    {"a=\"x\\\\\"", "{a=\"x\\\"}"},
    {"a=\"\\u0041\\u00fC\\u20aC\\uFFFF\"", "{a=\"A\303\274\342\202\254\357\277\277\"}"},
    {"a=\"\\U00000041\\U000000e9\\U0001F6A3\\U0010ffff\"",
     "{a=\"A\303\251\360\237\232\243\364\217\277\277\"}"},
    {"a=\"\\u0001\\u007f\\u0080\\u07ff\\u0800\\ud7ff\\ue000\\U00010000\"",
     "{a=\"\001\177\302\200\337\277\340\240\200\355\237\277\356\200\200\360\220\200\200\"}"},
    {"a=\"\\u00e9\\u0301x\"", "{a=\"\303\251\314\201x\"}"},
    /* None in literal strings. */
    {"a='\\n\\u0041\\'", "{a=\"\\n\\u0041\\\"}"},
    {"a='''\\n\\\\'''", "{a=\"\\n\\\\\"}"},
    {"a='''b\\\n c'''", "{a=\"b\\\n c\"}"},
    {"a='C:\\Users\\nodejs'", "{a=\"C:\\Users\\nodejs\"}"},
    /* More lines. */
    {"a=\"\"\"\nb\nc\"\"\"", "{a=\"b\nc\"}"},
    {"a=\"\"\"\r\nb\r\nc\"\"\"", "{a=\"b\nc\"}"},
    {"a='''\nb\nc'''", "{a=\"b\nc\"}"},
    {"a='''\r\nb\r\nc'''", "{a=\"b\nc\"}"},
    {"a=\"\"\"\n\nb\"\"\"", "{a=\"\nb\"}"},
    {"a='''\n\nb\n\n'''", "{a=\"\nb\n\n\"}"},
    {"a=\"\"\"b\n\tc\"\"\"\nd=1", "{a=\"b\n\tc\",d=1}"},
    {"a=\"\"\"b\\n\\u0041\"\"\"", "{a=\"b\nA\"}"},
    /* A backslash at the end of a line. */
    {"a=\"\"\"b \\\n   c\"\"\"", "{a=\"b c\"}"},
    {"a=\"\"\"\\\n   c\\\n   \"\"\"", "{a=\"c\"}"},
    {"a=\"\"\"b\\  \t\n\n \t\n  c\"\"\"", "{a=\"bc\"}"},
    {"a=\"\"\"b\\\r\n\r\n  c\"\"\"", "{a=\"bc\"}"},
    {"a=\"\"\"b\\ \r\n c\"\"\"", "{a=\"bc\"}"},
    {"a=\"\"\"\n  b \\\\\n  c\"\"\"", "{a=\"  b \\\n  c\"}"},
    {"a=\"\"\"b\\\n\"\"\"", "{a=\"b\"}"},
    {"a=\"\"\"\\\n\\\n b\"\"\"", "{a=\"b\"}"},
    /* Quotes: one or two anywhere, also before the three that end it. */
    {"a=\"\"\"b \"c\" \"\"d\"\" e\"\"\"", "{a=\"b \"c\" \"\"d\"\" e\"}"},
    {"a=\"\"\"\"b\"\"\"\"", "{a=\"\"b\"\"}"},
    {"a=\"\"\"\"\"b\"\"\"\"\"", "{a=\"\"\"b\"\"\"}"},
    {"a='''''b'''''", "{a=\"''b''\"}"},
    {"a=''''b''''", "{a=\"'b'\"}"},
    {"a=\"\"\"\"\"\"\"\"", "{a=\"\"\"\"}"},
    {"a=''''''''", "{a=\"''\"}"},
    {"a=\"\"\"b\\\"\"\"\"", "{a=\"b\"\"}"},
    {"a=\"\"\"b\\\"\"\"\\\"c\"\"\"", "{a=\"b\"\"\"\"c\"}"},
    {"a='''b\"\"\"c'''", "{a=\"b\"\"\"c\"}"},
    {"a=\"\"\"'''\"\"\"", "{a=\"'''\"}"},
    {"a=\"\"\"b\"\n\"c\"\"\"", "{a=\"b\"\n\"c\"}"},
    /* Keys. */
    {"\"a\\u0062\"=1", "{ab=1}"},
    {"'a\\u0062'=1", "{a\\u0062=1}"},
    {"\"\"=1", "{=1}"},
    {"''=1", "{=1}"},
};

static const struct bad bad[] = {
    {"a=\"", "1:3: this string does not end in its line: expected a closing \""},
    {"a='", "1:3: this string does not end in its line: expected a closing '"},
    {"a=\"b\nc\"", "1:3: this string does not end in its line"},
    {"a=\"b\r\nc\"", "1:3: this string does not end in its line"},
    {"a='b\nc'", "1:3: this string does not end in its line"},
    {"a=\"b'", "1:3: this string does not end in its line"},
    {"a='b\"", "1:3: this string does not end in its line"},
    {"a=\"b\\\"", "1:3: this string does not end in its line"},
    {"a=\"b\\", "1:5: a backslash must be followed by one of b t n f r"},
    {"a=\"\"\"b\\", "1:7: a backslash must be followed by one of b t n f r"},
    {"a=\"b\\\nc\"", "1:5: a backslash must be followed by one of b t n f r"},
    {"a=\"\"\"", "1:3: this string does not end: expected \"\"\""},
    {"a='''", "1:3: this string does not end: expected '''"},
    {"a=\"\"\"\"\"", "1:3: this string does not end: expected \"\"\""},
    {"a=''''b''", "1:3: this string does not end: expected '''"},
    {"a=\"\"\"b\"\n", "1:3: this string does not end: expected \"\"\""},
    {"a=\"\"\"b\\\n", "1:3: this string does not end: expected \"\"\""},
    {"a=\"\"\"b\\\"\"\"", "1:3: this string does not end: expected \"\"\""},
    {"a=\"\"\"b'''", "1:3: this string does not end: expected \"\"\""},
    {"a=\"\"\"b\"\"\"\"\"\"", "1:12: expected the end of the line, found '\"'"},
    {"a='''b''''''", "1:12: expected the end of the line, found '''"},
    {"a=\"\"\"\"\"\"\"\"\"", "1:11: expected the end of the line, found '\"'"},
    {"a=\"\"\"b\"\"\" c\"\"\"", "1:11: expected the end of the line, found 'c'"},
    {"a=\"b\" \"c\"", "1:7: expected the end of the line, found '\"'"},
    {"a=\"b\"\"c\"", "1:6: expected the end of the line, found '\"'"},
    {"a='b''c'", "1:6: expected the end of the line, found '''"},
    {"a=\"b\"c", "1:6: expected the end of the line, found 'c'"},
    /* Escapes: those of later versions and other languages too. */
    {"a=\"\\a\"", "1:4: a backslash must be followed by one of b t n f r \" \\ u U"},
    {"a=\"\\e\"", "1:4: a backslash must be followed by"},
    {"a=\"\\x41\"", "1:4: a backslash must be followed by"},
    {"a=\"\\0\"", "1:4: a backslash must be followed by"},
    {"a=\"\\'\"", "1:4: a backslash must be followed by"},
    {"a=\"\\/\"", "1:4: a backslash must be followed by"},
    {"a=\"\\ \"", "1:4: a backslash must be followed by"},
    {"a=\"C:\\Users\"", "1:6: \\U needs 8 hexadecimal digits"},
    {"a=\"\\N\"", "1:4: a backslash must be followed by"},
    {"a=\"\"\"\nb\\ c\"\"\"", "2:2: a backslash must be followed by"},
    {"a=\"\"\"b\\  \"\"\"", "1:7: a backslash must be followed by"},
    {"a=\"\\u\"", "1:4: \\u needs 4 hexadecimal digits"},
    {"a=\"\\u12\"", "1:4: \\u needs 4 hexadecimal digits"},
    {"a=\"\\u12", "1:4: \\u needs 4 hexadecimal digits"},
    {"a=\"\\u12G4\"", "1:4: \\u needs 4 hexadecimal digits"},
    {"a=\"\\u+041\"", "1:4: \\u needs 4 hexadecimal digits"},
    {"a=\"\\U0000004\"", "1:4: \\U needs 8 hexadecimal digits"},
    {"a=\"\\U0000004", "1:4: \\U needs 8 hexadecimal digits"},
    {"a=\"\\u0000\"", "1:4: \\u with the value 0 is refused"},
    {"a=\"\\U00000000\"", "1:4: \\U with the value 0 is refused"},
    {"a=\"\\ud800\"", "1:4: U+D800 is not a character; write one beyond U+FFFF as \\U"},
    {"a=\"\\udfff\"", "1:4: U+DFFF is not a character"},
    {"a=\"\\ud83d\\udea3\"", "1:4: U+D83D is not a character"},
    {"a=\"\\U0000d800\"", "1:4: U+D800 is not a character"},
    {"a=\"\\U00110000\"", "1:4: U+110000 is not a character; the last one is U+10FFFF"},
    {"a=\"\\UFFFFFFFF\"", "1:4: U+FFFFFFFF is not a character"},
    {"a=\"\"\"\n\\ud800\"\"\"", "2:1: U+D800 is not a character"},
    /* Control characters. */
    {"a=\"b\001\"", "1:5: a string must not hold the control character U+0001: write \\u0001"},
    {"a=\"\010\"", "1:4: a string must not hold the control character U+0008"},
    {"a=\"\037\"", "1:4: a string must not hold the control character U+001F"},
    {"a=\"\177\"", "1:4: a string must not hold the control character U+007F"},
    {"a=\"\r\"", "1:4: a string must not hold the control character U+000D"},
    {"a='\001'", "1:4: a string must not hold the control character U+0001"},
    {"a='\177'", "1:4: a string must not hold the control character U+007F"},
    {"a='\r'", "1:4: a string must not hold the control character U+000D"},
    {"a=\"\"\"\n\001\"\"\"", "2:1: a string must not hold the control character U+0001"},
    {"a=\"\"\"\r\"\"\"", "1:6: a string must not hold the control character U+000D"},
    {"a=\"\"\"b\rc\"\"\"", "1:7: a string must not hold the control character U+000D"},
    {"a='''\n\177'''", "2:1: a string must not hold the control character U+007F"},
    {"a='''\r'''", "1:6: a string must not hold the control character U+000D"},
    {"a='''\037'''", "1:6: a string must not hold the control character U+001F"},
    /* Keys. */
    {"\"a\nb\"=1", "1:1: this string does not end in its line"},
    {"\"a=1", "1:1: this string does not end in its line"},
    {"'a=1", "1:1: this string does not end in its line"},
    {"\"\"\"a\"\"\"=1", "1:1: a key must not be a string of more lines"},
    {"'''a'''=1", "1:1: a key must not be a string of more lines"},
    {"[\"\"\"a\"\"\"]", "1:2: a key must not be a string of more lines"},
    {"a={'''b'''=1}", "1:4: a key must not be a string of more lines"},
    {"\"\\u0000\"=1", "1:2: \\u with the value 0 is refused"},
    {"\"\\ud800\"=1", "1:2: U+D800 is not a character"},
    {"\"\\x\"=1", "1:2: a backslash must be followed by"},
    {"\"\001\"=1", "1:2: a string must not hold the control character U+0001"},
};

/* Every cut of a text that uses everything ends before it has been read, or is read. */
static void test_cuts(void)
{
    static const char text[] =
        "a=\"\\u0041\\U0001F6A3\"\nb=\"\"\"\r\nx\\ \r\n y\\\"\"\"\"\"\"\nc='''\n'x''''\n";

    for (size_t length = 0; length < sizeof(text); length++)
        if (!read_bytes(text, length))
            TAP_TRUE(strncmp(err.text, "t.toml:", 7) == 0);
    TAP_STR(tree_of(text, sizeof(text) - 1), "{a=\"A\360\237\232\243\",b=\"xy\"\"\"\",c=\"'x'\"}");
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    TEST_GOOD(good);
    TEST_BAD(bad);
    test_cuts();
    arena_free(&arena);
    return tap_done();
}
