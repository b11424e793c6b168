#include "oci/json-write.h"

#include "base/json.h"

#include "../../tap.h"

static struct arena arena;

static const char *again(const char *text)
{
    struct str out = {.arena = &arena};
    static struct err err;
    const struct json_value *value = json_read(text, strlen(text), &arena, ERR_IMAGE_CONFIG, &err);

    if (value)
        json_write(&out, value);
    return value ? str_text(&out) : err.text;
}

static void test_values(void)
{
    static const char *const same[] = {
        "null",
        "true",
        "false",
        "-1.50e+7",
        "\"\"",
        "[]",
        "{}",
        "[1,[2,[]],{\"a\":{\"b\":null}}]",
        "{\"z\":1,\"a\":\"\\\"\\\\\\u0001\\u007f\xC3\xA9\",\"\\\"n\\u000a\":[{}]}",
    };

    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        tap.row = same[i];
        TAP_STR(again(same[i]), same[i]);
    }
    tap.row = NULL;
    TAP_STR(again(" { \"a\" : [ 1 , \"\\u00e9\\/\" ] } "), "{\"a\":[1,\"\xC3\xA9/\"]}");
}

static void test_text(void)
{
    struct str out = {.arena = &arena};

    json_add_string(&out, "a\xFF\xC3\"\n");
    TAP_STR(str_text(&out), "\"a\xEF\xBF\xBD\xEF\xBF\xBD\\\"\\u000a\"");
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    test_values();
    test_text();
    arena_free(&arena);
    return tap_done();
}
