#include "base/json.h"

#include "../../tap.h"

static struct arena arena;

static void test_document(void)
{
    struct str out = {.arena = &arena};
    struct json_writer w = {.out = &out};

    json_object(&w, NULL);
    json_text(&w, "source", "/a b");
    json_number(&w, "size", UINT64_MAX);
    json_bool(&w, "yes", 2);
    json_bool(&w, "no", 0);
    json_null(&w, "nothing");
    json_array(&w, "list");
    json_text(&w, NULL, "one");
    json_object(&w, NULL);
    json_end(&w, '}');
    json_array(&w, NULL);
    json_number(&w, NULL, 0);
    json_end(&w, ']');
    json_end(&w, ']');
    json_array(&w, "empty");
    json_end(&w, ']');
    json_end(&w, '}');
    TAP_STR(str_text(&out), "{\n"
                            "  \"source\": \"/a b\",\n"
                            "  \"size\": 18446744073709551615,\n"
                            "  \"yes\": true,\n"
                            "  \"no\": false,\n"
                            "  \"nothing\": null,\n"
                            "  \"list\": [\n"
                            "    \"one\",\n"
                            "    {},\n"
                            "    [\n"
                            "      0\n"
                            "    ]\n"
                            "  ],\n"
                            "  \"empty\": []\n"
                            "}\n");
    TAP_INT(w.depth, 0);
}

static const char *written(const char *text)
{
    struct str out = {.arena = &arena};
    struct json_writer w = {.out = &out};

    json_text(&w, NULL, text);
    return str_text(&out);
}

static void test_escapes(void)
{
    TAP_STR(written(""), "\"\"");
    TAP_STR(written("a\"b\\c/"), "\"a\\\"b\\\\c/\"");
    TAP_STR(written("\n\t\001\037\177"), "\"\\u000a\\u0009\\u0001\\u001f\\u007f\"");
    TAP_STR(written("\303\274\342\202\254\360\237\232\243"), "\"\303\274\342\202\254\360\237\232\243\"");
}

static const char *written_member(const char *text)
{
    struct str out = {.arena = &arena};
    struct json_writer w = {.out = &out};

    json_object(&w, NULL);
    json_text(&w, "p", text);
    json_end(&w, '}');
    return str_text(&out);
}

/* Bytes that are not UTF-8 come out replaced, and whole in Base64 of each length modulo 3. */
static void test_broken_utf8(void)
{
    TAP_STR(written_member("\377"), "{\n  \"p\": \"\357\277\275\",\n  \"p_base64\": \"/w==\"\n}\n");
    TAP_STR(written_member("a\377"), "{\n  \"p\": \"a\357\277\275\",\n  \"p_base64\": \"Yf8=\"\n}\n");
    TAP_STR(written_member("ab\377"), "{\n  \"p\": \"ab\357\277\275\",\n  \"p_base64\": \"YWL/\"\n}\n");
    TAP_STR(written_member("abc\377"), "{\n  \"p\": \"abc\357\277\275\",\n  \"p_base64\": \"YWJj/w==\"\n}\n");
    TAP_STR(written_member("\342\202\""),
            "{\n  \"p\": \"\357\277\275\357\277\275\\\"\",\n  \"p_base64\": \"4oIi\"\n}\n");
    TAP_STR(written_member("\303"), "{\n  \"p\": \"\357\277\275\",\n  \"p_base64\": \"ww==\"\n}\n");
    TAP_STR(written("\377"), "{\n  \"text\": \"\357\277\275\",\n  \"text_base64\": \"/w==\"\n}\n");
}

/* Names may come from a file that somebody else wrote. */
static void test_names(void)
{
    struct str out = {.arena = &arena};
    struct json_writer w = {.out = &out};

    json_object(&w, NULL);
    json_number(&w, "a\"b\n", 1);
    json_raw(&w, "e", "-1.50e3", 7);
    json_text(&w, "\\", "\377");
    json_end(&w, '}');
    TAP_STR(str_text(&out), "{\n  \"a\\\"b\\u000a\": 1,\n  \"e\": -1.50e3,\n  \"\\\\\": \"\357\277\275\",\n"
                            "  \"\\\\_base64\": \"/w==\"\n}\n");
}

static void test_compact(void)
{
    struct str out = {.arena = &arena};
    struct json_writer w = {.out = &out, .is_compact = 1};

    for (int i = 0; i < 2; i++) {
        json_object(&w, NULL);
        json_text(&w, "a", "x\ny");
        json_array(&w, "b");
        json_number(&w, NULL, 1);
        json_number(&w, NULL, 2);
        json_end(&w, ']');
        json_object(&w, "c");
        json_end(&w, '}');
        json_end(&w, '}');
    }
    TAP_STR(str_text(&out), "{\"a\":\"x\\u000ay\",\"b\":[1,2],\"c\":{}}\n"
                            "{\"a\":\"x\\u000ay\",\"b\":[1,2],\"c\":{}}\n");
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    test_document();
    test_escapes();
    test_broken_utf8();
    test_names();
    test_compact();
    arena_free(&arena);
    return tap_done();
}
