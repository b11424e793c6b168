#include "registry/json-tree.h"

#include "../../tap.h"

static struct arena arena;
static struct err err;

static struct json_value *read(const char *text)
{
    return json_read(text, strlen(text), &arena, ERR_CREDENTIALS, &err);
}

static const char *written(const struct json_value *value)
{
    struct str out = {.arena = &arena};

    json_tree_write(&out, value);
    return str_text(&out);
}

static void test_write(void)
{
    const char *text =
        "{\n\t\"a\": [\n\t\t1e5,\n\t\t-0.50,\n\t\ttrue,\n\t\tfalse,\n\t\tnull\n\t],\n\t\"b\\\"\\\\\\u0001\": "
        "{},"
        "\n\t\"\303\244\": [],\n\t\"c\": \"\\u007f/\\n\"\n}\n";
    const char *shown = written(read(text));

    TAP_STR(shown,
            "{\n  \"a\": "
            "[\n    1e5,\n    -0.50,\n    true,\n    false,\n    null\n  ],\n  \"b\\\"\\\\\\u0001\": {},"
            "\n  \"\303\244\": [],\n  \"c\": \"\\u007f/\\u000a\"\n}\n");
    TAP_STR(written(read(shown)), shown);
}

static void test_change(void)
{
    struct json_value *object = read("{\"a\": 1, \"b\": 2, \"c\": 3}");

    json_tree_set(object, "b", json_tree_new(JSON_STRING, "x", &arena), &arena);
    json_tree_set(object, "d", json_tree_new(JSON_OBJECT, NULL, &arena), &arena);
    TAP_STR(written(object), "{\n  \"a\": 1,\n  \"b\": \"x\",\n  \"c\": 3,\n  \"d\": {}\n}\n");
    TAP_INT(object->count, 4);
    TAP_INT(json_tree_remove(object, "a"), 1);
    TAP_INT(json_tree_remove(object, "d"), 1);
    TAP_INT(json_tree_remove(object, "d"), 0);
    TAP_STR(written(object), "{\n  \"b\": \"x\",\n  \"c\": 3\n}\n");
    TAP_INT(object->count, 2);
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    test_write();
    test_change();
    arena_free(&arena);
    return tap_done();
}
