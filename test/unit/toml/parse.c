#include "show.h"

/* Keys and headers; what they may define is in table.c. */
static const struct good good[] = {
    {"key=1", "{key=1}"},
    {"Key_-9=1", "{Key_-9=1}"},
    {"-=1", "{-=1}"},
    {"_=1", "{_=1}"},
    {"1234=1", "{1234=1}"},
    {"01=1", "{01=1}"},
    {"-1=1", "{-1=1}"},
    {"3.14=1", "{3={14=1}}"},
    {"1e5=1", "{1e5=1}"},
    {"true=false", "{true=false}"},
    {"inf=nan\nnan=inf", "{inf=fnan,nan=finf}"},
    {"\"a.b\"=1", "{a.b=1}"},
    {"\"\303\244\"=1", "{\303\244=1}"},
    {"'a \"b\"'=1", "{a \"b\"=1}"},
    {"\" \"=1", "{ =1}"},
    {"\"#\"=1", "{#=1}"},
    {"a.b=1", "{a={b=1}}"},
    {"a . b\t.\tc = 1", "{a={b={c=1}}}"},
    {"a.\"b.c\".'d'=1", "{a={b.c={d=1}}}"},
    {"\"\".''=1", "{={=1}}"},
    {"a.1.2=3", "{a={1={2=3}}}"},
    {"[a]", "{a={}}"},
    {"[ a ]", "{a={}}"},
    {"\t[\ta\t]\t", "{a={}}"},
    {"[a]\n[b]", "{a={},b={}}"},
    {"[a]\r\nb=1\r\n", "{a={b=1}}"},
    {"[a.b]", "{a={b={}}}"},
    {"[ a . b . c ]", "{a={b={c={}}}}"},
    {"[a.\"b.c\".'d']\ne=1", "{a={b.c={d={e=1}}}}"},
    {"['']\n''=1", "{={=1}}"},
    {"[\"\303\244\"]", "{\303\244={}}"},
    {"[1.2]", "{1={2={}}}"},
    {"[true]", "{true={}}"},
    {"[\"]\"]", "{]={}}"},
    {"[[a]]", "{a=[{}]}"},
    {"[[ a ]]", "{a=[{}]}"},
    {"[[a]]\n[[a]]", "{a=[{},{}]}"},
    {"[[a]]#x\nb=1\n[[a]]\nb=2", "{a=[{b=1},{b=2}]}"},
    {"[[a.b]]\nc=1", "{a={b=[{c=1}]}}"},
    {"[['']]", "{=[{}]}"},
    {"a=1\n[b]\nc=2\n[d]\n", "{a=1,b={c=2},d={}}"},
    {"image = \"debian\"\n\nmounts = [\n  \"/scratch:/scratch\", # all nodes\n]\n\n[env]\nX = \"1\"\n",
     "{image=\"debian\",mounts=[\"/scratch:/scratch\"],env={X=\"1\"}}"},
};

static const struct bad bad[] = {
    {"a", "1:2: expected '=' after the key, found the end of the file"},
    {"a\n=1", "1:2: expected '=' after the key, found the end of the line"},
    {"a b=1", "1:3: expected '=' after the key, found 'b'"},
    {"a:1", "1:2: expected letters, digits, _ and - in a key (one of others needs quotes), found ':'"},
    {"k\303\244se=1",
     "1:2: expected letters, digits, _ and - in a key (one of others needs quotes), found '\303"},
    {"a$=1", "1:2: expected letters, digits, _ and - in a key"},
    {"a/b=1", "1:2: expected letters, digits, _ and - in a key"},
    {"a\"b\"=1", "1:2: expected letters, digits, _ and - in a key"},
    {"\"a\"b=1", "1:4: expected '=' after the key, found 'b'"},
    {"\"a\"\"b\"=1", "1:4: expected '=' after the key, found '\"'"},
    {"=1", "1:1: expected a key, found '='"},
    {" =1", "1:2: expected a key, found '='"},
    {".a=1", "1:1: expected a key, found '.'"},
    {"a.=1", "1:3: expected a key, found '='"},
    {"a..b=1", "1:3: expected a key, found '.'"},
    {"a.\nb=1", "1:3: expected a key, found the end of the line"},
    {"a.", "1:3: expected a key, found the end of the file"},
    {"a.b", "1:4: expected '=' after the key, found the end of the file"},
    {"+1=1", "1:1: expected a key, found '+'"},
    {"{a=1}", "1:1: expected a key, found '{'"},
    {"]", "1:1: expected a key, found ']'"},
    {"\"x\"", "1:4: expected '=' after the key, found the end of the file"},
    {"[", "1:2: expected a key, found the end of the file"},
    {"[]", "1:2: expected a key, found ']'"},
    {"[ ]", "1:3: expected a key, found ']'"},
    {"[a", "1:3: expected ']' after the key, found the end of the file"},
    {"[a\n]", "1:3: expected ']' after the key, found the end of the line"},
    {"[\na]", "1:2: expected a key, found the end of the line"},
    {"[a b]", "1:4: expected ']' after the key, found 'b'"},
    {"[a]]", "1:4: expected the end of the line, found ']'"},
    {"[a] b=1", "1:5: expected the end of the line, found 'b'"},
    {"[a][b]", "1:4: expected the end of the line, found '['"},
    {"[a.]", "1:4: expected a key, found ']'"},
    {"[.a]", "1:2: expected a key, found '.'"},
    {"[a..b]", "1:4: expected a key, found '.'"},
    {"[.]", "1:2: expected a key, found '.'"},
    {"[a=1]", "1:3: expected ']' after the key, found '='"},
    {"[a#b]", "1:3: expected ']' after the key, found '#'"},
    {"[a!]", "1:3: expected letters, digits, _ and - in a key"},
    {"[\303\244]", "1:2: expected a key, found '\303\244'"},
    {"[a[b]]", "1:3: expected letters, digits, _ and - in a key"},
    {"[a]b]", "1:4: expected the end of the line, found 'b'"},
    {"[\"a]", "1:2: this string does not end in its line"},
    {"[{a}]", "1:2: expected a key, found '{'"},
    {"[[", "1:3: expected a key, found the end of the file"},
    {"[[]]", "1:3: expected a key, found ']'"},
    {"[[a]", "1:5: expected ']]' after the key, found the end of the file"},
    {"[[a]\n]", "1:5: expected ']]' after the key, found the end of the line"},
    {"[[a] ]", "1:5: expected ']]' after the key, found ' '"},
    {"[ [a]]", "1:3: expected a key, found '['"},
    {"[[a", "1:4: expected ']]' after the key, found the end of the file"},
    {"[[a]]]", "1:6: expected the end of the line, found ']'"},
    {"[[[a]]]", "1:3: expected a key, found '['"},
    {"[[a.]]", "1:5: expected a key, found ']'"},
};

/* Every cut of a text is read or refused at a place that it has. */
static void test_cuts(void)
{
    static const char text[] =
        "# c\r\na.'b' = [1, 0x1_f, 1.5e-3,\n{c = true, d.e=\"x\"}, 1979-05-27 07:32:00.5Z]\n"
        "[t.\"u\"]\nv = -inf\n[[w.x]]\ny = '''\n''' # z\n";
    int read = 0;

    for (size_t length = 0; length < sizeof(text); length++) {
        if (read_bytes(text, length))
            read++;
        else
            TAP_TRUE(strncmp(err.text, "t.toml:", 7) == 0 && err.text[7] >= '1' && err.text[7] <= '8');
    }
    TAP_TRUE(read > 10);
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
