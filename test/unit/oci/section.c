#include "oci/section.h"

#include "../../tap.h"

static struct arena arena;
static struct err err;

static const char text[] =
    "{\"text\":\"x\",\"empty\":\"\",\"null\":null,\"number\":12,\"huge\":9223372036854775808,"
    "\"array\":[{\"a\":\"b\"},7],\"object\":{\"inner\":{\"deep\":\"y\"}}}";

static void test_members(const struct section *top)
{
    const char *string = "unchanged";
    const struct json_value *array;
    struct section inner, deep;
    uint64_t size = 0;

    TAP_OK(section_string(top, "text", &string), err);
    TAP_STR(string, "x");
    TAP_OK(section_string(top, "null", &string), err);
    TAP_STR(string, NULL);
    TAP_OK(section_need_size(top, "number", &size), err);
    TAP_INT(size, 12);
    TAP_OK(section_need_array(top, "array", &array), err);
    TAP_OK(section_item(top, "array", 0, array->first, &inner), err);
    TAP_ERR(section_need_string(&inner, "c", &string), err, ERR_CONFIG, "array[0].c is missing");
    TAP_OK(section_need_object(top, "object", &inner), err);
    TAP_OK(section_object(&inner, "inner", &deep), err);
    TAP_STR(section_name(&deep, "deep"), "object.inner.deep");
    TAP_OK(section_object(top, "absent", &inner), err);
    TAP_TRUE(inner.object == NULL);
    TAP_TRUE(section_find(top, "null") == NULL && section_find(top, "text") != NULL);
}

static void test_bad(const struct section *top)
{
    const struct json_value *array;
    struct section inner;
    const char *string;
    uint64_t size;

    TAP_ERR(section_string(top, "number", &string), err, ERR_CONFIG,
            "number must be a string and is a number");
    TAP_ERR(section_need_string(top, "empty", &string), err, ERR_CONFIG, "empty is missing");
    TAP_ERR(section_need_string(top, "null", &string), err, ERR_CONFIG, "null is missing");
    TAP_ERR(section_need_size(top, "absent", &size), err, ERR_CONFIG, "absent is missing");
    TAP_ERR(section_need_size(top, "text", &size), err, ERR_CONFIG, "text must be a number and is a string");
    TAP_ERR(section_need_size(top, "huge", &size), err, ERR_CONFIG,
            "huge must be a number of bytes and is 92");
    TAP_ERR(section_array(top, "object", &array), err, ERR_CONFIG,
            "object must be an array and is an object");
    TAP_ERR(section_need_array(top, "null", &array), err, ERR_CONFIG, "null is missing");
    TAP_ERR(section_object(top, "array", &inner), err, ERR_CONFIG, "array must be an object and is an array");
    TAP_ERR(section_need_object(top, "absent", &inner), err, ERR_CONFIG, "absent is missing");
    if (section_array(top, "array", &array) == 0)
        TAP_ERR(section_item(top, "array", 1, array->first->next, &inner), err, ERR_CONFIG,
                "array[1] must be an object and is a number");
}

int main(void)
{
    struct section top = {NULL, "", &arena, ERR_CONFIG, &err};

    arena_init(&arena, tap_no_memory);
    top.object = json_read(text, strlen(text), &arena, ERR_CONFIG, &err);
    TAP_TRUE(top.object != NULL);
    if (top.object) {
        test_members(&top);
        test_bad(&top);
    }
    arena_free(&arena);
    return tap_done();
}
