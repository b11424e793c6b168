#include "show.h"

/* Booleans, arrays, inline tables. */
static const struct good good[] = {
    {"a=true", "{a=true}"},
    {"a=false", "{a=false}"},
    {"a=[]", "{a=[]}"},
    {"a=[ ]", "{a=[]}"},
    {"a=[\n]", "{a=[]}"},
    {"a=[ # x\n # y\n\n]", "{a=[]}"},
    {"a=[1]", "{a=[1]}"},
    {"a=[1,2]", "{a=[1,2]}"},
    {"a=[1,2,]", "{a=[1,2]}"},
    {"a=[ 1 , 2 , ]", "{a=[1,2]}"},
    {"a=[\n1\n,\n2\n,\n]\nb=1", "{a=[1,2],b=1}"},
    {"a=[\r\n\t1, # one\r\n\t2 # two\r\n\t# three\r\n]", "{a=[1,2]}"},
    {"a=[1, 1.5, \"x\", true, 07:32:00, [], {}]", "{a=[1,f1.5,\"x\",true,time(07:32:00),[],{}]}"},
    {"a=[[1,2],['x'],[[]]]", "{a=[[1,2],[\"x\"],[[]]]}"},
    {"a=[{b=1},{b=2}]", "{a=[{b=1},{b=2}]}"},
    {"a=['],', \"#\", '''\n]''']", "{a=[\"],\",\"#\",\"]\"]}"},
    {"a={}", "{a={}}"},
    {"a={ }", "{a={}}"},
    {"a={\t}", "{a={}}"},
    {"a={b=1}", "{a={b=1}}"},
    {"a={b=1,c='x'}", "{a={b=1,c=\"x\"}}"},
    {"a = { b = 1 , \"c d\" = 2 } # x", "{a={b=1,c d=2}}"},
    {"a={b={c={}}}", "{a={b={c={}}}}"},
    {"a={b.c=1,b.d=2,e=3}", "{a={b={c=1,d=2},e=3}}"},
    {"a={b.c.d=1,b.c.e=2,b.f=3}", "{a={b={c={d=1,e=2},f=3}}}"},
    {"a={ b . c = 1 }", "{a={b={c=1}}}"},
    {"a.b={c.d=1}", "{a={b={c={d=1}}}}"},
    {"a={b=[\n1,\n2 # x\n]}", "{a={b=[1,2]}}"},
    {"a={b='''\nx\n'''}", "{a={b=\"x\n\"}}"},
    {"a={b=true,c=inf,d=[{e=1}]}", "{a={b=true,c=finf,d=[{e=1}]}}"},
    {"a={''=1}", "{a={=1}}"},
    {"[t]\na={b=1}\nc=2", "{t={a={b=1},c=2}}"},
};

static const struct bad bad[] = {
    {"a=", "1:3: expected a value, found the end of the file"},
    {"a=\n1", "1:3: expected a value, found the end of the line"},
    {"a=\r\n1", "1:3: expected a value, found the end of the line"},
    {"a= # 1", "1:4: expected a value, found '#'"},
    {"a==1", "1:3: expected a value, found '='"},
    {"a=]", "1:3: expected a value, found ']'"},
    {"a=x", "1:3: x is no value: text needs quotes, \"...\"; booleans are true and false"},
    {"a=True", "1:3: True is no value"},
    {"a=FALSE", "1:3: FALSE is no value"},
    {"a=tru", "1:3: tru is no value"},
    {"a=truee", "1:3: truee is no value"},
    {"a=yes", "1:3: yes is no value"},
    {"a=null", "1:3: null is no value"},
    {"a=/scratch", "1:3: expected a value, found '/'"},
    {"a=$HOME", "1:3: expected a value, found '$'"},
    {"a=true false", "1:8: expected the end of the line, found 'f'"},
    {"a=true1", "1:3: true1 is no value"},
    {"a=[", "1:4: expected a value or ']', found the end of the file"},
    {"a=[\n", "2:1: expected a value or ']', found the end of the file"},
    {"a=[1", "1:5: expected ',' or ']' in the array, found the end of the file"},
    {"a=[1\n\n", "3:1: expected ',' or ']' in the array, found the end of the file"},
    {"a=[1,", "1:6: expected a value or ']', found the end of the file"},
    {"a=[,]", "1:4: expected a value or ']', found ','"},
    {"a=[,1]", "1:4: expected a value or ']', found ','"},
    {"a=[1,,2]", "1:6: expected a value or ']', found ','"},
    {"a=[1,2,,]", "1:8: expected a value or ']', found ','"},
    {"a=[1 2]", "1:6: expected ',' or ']' in the array, found '2'"},
    {"a=[1\n2]", "2:1: expected ',' or ']' in the array, found '2'"},
    {"a=['x' 'y']", "1:8: expected ',' or ']' in the array, found '''"},
    {"a=[1}", "1:5: expected ',' or ']' in the array, found '}'"},
    {"a=[x]", "1:4: x is no value"},
    {"a=[1, b=2]", "1:7: b is no value"},
    {"a=[1]]", "1:6: expected the end of the line, found ']'"},
    {"a=[1] 2", "1:7: expected the end of the line, found '2'"},
    {"a=[[1]", "1:7: expected ',' or ']' in the array, found the end of the file"},
    {"a=[1 # ]\n", "2:1: expected ',' or ']' in the array, found the end of the file"},
    {"a={", "1:4: expected a key or '}', found the end of the file"},
    {"a={\n}", "1:4: an inline table must end in its line: expected a key or '}'"},
    {"a={\r\n}", "1:4: an inline table must end in its line: expected a key or '}'"},
    {"a={ # x\n}", "1:5: an inline table must end in its line: expected a key or '}'"},
    {"a={b=1", "1:7: expected ',' or '}' in the inline table, found the end of the file"},
    {"a={b=1\n}", "1:7: an inline table must end in its line: expected ',' or '}'"},
    {"a={b=1 # x\n}", "1:8: an inline table must end in its line: expected ',' or '}'"},
    {"a={b=1,\nc=2}", "1:8: an inline table must end in its line: expected a key or '}'"},
    {"a={b=1,}", "1:8: no comma may stand before the '}' of an inline table"},
    {"a={b=1, }", "1:9: no comma may stand before the '}' of an inline table"},
    {"a={,}", "1:4: expected a key, found ','"},
    {"a={,b=1}", "1:4: expected a key, found ','"},
    {"a={b=1,,c=2}", "1:8: expected a key, found ','"},
    {"a={b=1 c=2}", "1:8: expected ',' or '}' in the inline table, found 'c'"},
    {"a={b=1]", "1:7: expected ',' or '}' in the inline table, found ']'"},
    {"a={b}", "1:5: expected '=' after the key, found '}'"},
    {"a={b=}", "1:6: expected a value, found '}'"},
    {"a={1}", "1:5: expected '=' after the key, found '}'"},
    {"a={[b]=1}", "1:4: expected a key, found '['"},
    {"a={b.=1}", "1:6: expected a key, found '='"},
    {"a={b=\n1}", "1:6: expected a value, found the end of the line"},
    {"a={b=1}}", "1:8: expected the end of the line, found '}'"},
    {"a={b=1} c=2", "1:9: expected the end of the line, found 'c'"},
    {"a={b={c=1}", "1:11: expected ',' or '}' in the inline table, found the end of the file"},
};

static const char *repeated(const char *before, const char *middle, int times, const char *after)
{
    struct str text = {.arena = &arena};

    str_add(&text, before);
    for (int i = 0; i < times; i++)
        str_add(&text, middle);
    str_add(&text, after);
    return str_text(&text);
}

/* The text's own table is the first of TOML_DEPTH_MAX. */
static void test_depth(void)
{
    const int most = TOML_DEPTH_MAX - 1;

    TAP_TRUE(read_text(repeated("a=", "[", most, repeated("", "]", most, ""))) != NULL);
    TAP_ERR(read_text(repeated("a=", "[", most + 1, "")) ? 0 : -1, err, ERR_CONFIG,
            "1:66: more than 64 arrays and tables inside each other");
    TAP_TRUE(read_text(repeated("a=", "{a=", most, repeated("1", "}", most, ""))) != NULL);
    TAP_ERR(read_text(repeated("a=", "{a=", most + 1, "")) ? 0 : -1, err, ERR_CONFIG,
            "more than 64 arrays and tables inside each other");
    TAP_TRUE(read_text(repeated("", "a.", most, "a=1")) != NULL);
    TAP_ERR(read_text(repeated("", "a.", most + 1, "a=1")) ? 0 : -1, err, ERR_CONFIG, "1:127: more than 64");
    TAP_TRUE(read_text(repeated("[", "a.", most - 1, "a]")) != NULL);
    TAP_ERR(read_text(repeated("[", "a.", most, "a]")) ? 0 : -1, err, ERR_CONFIG, "1:128: more than 64");
    /* An array of tables is two of them. */
    TAP_TRUE(read_text(repeated("[[", "a.", most - 2, "a]]")) != NULL);
    TAP_ERR(read_text(repeated("[[", "a.", most - 1, "a]]")) ? 0 : -1, err, ERR_CONFIG, "more than 64");
    /* What a header, dotted keys and values make together. */
    TAP_TRUE(read_text(repeated("[a.a]\na.a=", "[", most - 3, repeated("", "]", most - 3, ""))) != NULL);
    TAP_ERR(read_text(repeated("[a.a]\na.a=", "[", most - 2, "")) ? 0 : -1, err, ERR_CONFIG, "more than 64");
    /* Side by side is not deep. */
    TAP_TRUE(read_text(repeated("a=[", "[],", TOML_DEPTH_MAX + 1, "]")) != NULL);
    TAP_TRUE(read_text(repeated("a=[", "{a={}},", TOML_DEPTH_MAX + 1, "]")) != NULL);
}

static void test_values(void)
{
    const struct toml_value *root = read_text(repeated("a=[", "1,", TOML_VALUES_MAX - 1, "]"));

    TAP_INT(root ? root->first->count : 0, TOML_VALUES_MAX - 1);
    TAP_ERR(read_text(repeated("a=[", "1,", TOML_VALUES_MAX, "]")) ? 0 : -1, err, ERR_CONFIG,
            "the file has more than 16384 values");
    TAP_TRUE(read_text(repeated("", "[[a]]\n", TOML_VALUES_MAX - 1, "")) != NULL);
    TAP_ERR(read_text(repeated("", "[[a]]\n", TOML_VALUES_MAX, "")) ? 0 : -1, err, ERR_CONFIG,
            "t.toml:16384:6: the file has more than 16384 values");
}

/* Where values begin. */
static void test_places(void)
{
    const struct toml_value *root, *a, *t;

    root = read_text("a.b = [ '\303\244', 2,\n\t{c = true} ]\n[t]\n  \"\303\244\" =\t1\n");
    if (!root) {
        TAP_OK(-1, err);
        return;
    }
    a = root->first;
    t = a->next;
    TAP_INT(root->at.line * 100 + root->at.column, 101);
    TAP_INT(a->key_at.line * 100 + a->key_at.column, 101);
    TAP_INT(a->first->key_at.line * 100 + a->first->key_at.column, 103);
    TAP_INT(a->first->at.line * 100 + a->first->at.column, 107);
    TAP_INT(a->first->first->at.column, 9);
    TAP_INT(a->first->first->key_at.column, 9);
    TAP_INT(a->first->first->next->at.column, 14);
    TAP_INT(a->first->last->at.line * 100 + a->first->last->at.column, 202);
    TAP_INT(a->first->last->first->key_at.column, 3);
    TAP_INT(a->first->last->first->at.column, 7);
    TAP_INT(t->at.line * 100 + t->at.column, 302);
    TAP_INT(t->first->key_at.line * 100 + t->first->key_at.column, 403);
    TAP_INT(t->first->at.line * 100 + t->first->at.column, 409);
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    TEST_GOOD(good);
    TEST_BAD(bad);
    test_depth();
    test_values();
    test_places();
    arena_free(&arena);
    return tap_done();
}
