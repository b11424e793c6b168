#include "show.h"

static const char text[] = "s = 'x'\n"
                           "i = 42\n"
                           "f = 1.5\n"
                           "b = true\n"
                           "d = 1979-05-27\n"
                           "l = ['x', 'y']\n"
                           "e = []\n"
                           "m = ['x',\n  1]\n"
                           "'a.b' = 'dots'\n"
                           "[t]\n"
                           "s = 'inner'\n";

static const struct toml_value *root;

static void test_find(void)
{
    const struct toml_value *value = toml_find(root, "s");

    TAP_STR(value ? value->text : NULL, "x");
    TAP_TRUE(toml_find(root, "S") == NULL);
    TAP_TRUE(toml_find(root, "") == NULL);
    TAP_TRUE(toml_find(root, "t.s") == NULL);
    TAP_TRUE(toml_find(toml_find(root, "l"), "") == NULL); /* the values of an array have no keys */
    value = toml_find(root, "a.b");
    TAP_STR(value ? value->text : NULL, "dots");
    value = toml_find(root, "t");
    value = value ? toml_find(value, "s") : NULL;
    TAP_STR(value ? value->text : NULL, "inner");
}

static void test_order(void)
{
    static const char *const keys[] = {"s", "i", "f", "b", "d", "l", "e", "m", "a.b", "t"};
    size_t count = 0;

    for (const struct toml_value *value = root->first; value; value = value->next, count++)
        TAP_STR(value->key, count < 10 ? keys[count] : "no more");
    TAP_INT(count, 10);
    TAP_INT(root->count, 10);
}

static void test_get(void)
{
    const char *string = "default", *const *strings = NULL;
    const struct toml_value *value = NULL;
    int64_t integer = -1;
    double number = -1;
    int boolean = -1;

    TAP_INT(toml_get_string(root, "s", &string, &err), 1);
    TAP_STR(string, "x");
    TAP_INT(toml_get_integer(root, "i", 42, 42, &integer, &err), 1);
    TAP_INT(integer, 42);
    TAP_INT(toml_get_float(root, "f", &number, &err), 1);
    TAP_TRUE(number == 1.5);
    TAP_INT(toml_get_float(root, "i", &number, &err), 1);
    TAP_TRUE(number == 42);
    TAP_INT(toml_get_boolean(root, "b", &boolean, &err), 1);
    TAP_INT(boolean, 1);
    TAP_INT(toml_get_array(root, "m", &value, &err), 1);
    TAP_INT(value ? value->count : 0, 2);
    TAP_INT(toml_get_table(root, "t", &value, &err), 1);
    TAP_INT(value ? value->count : 0, 1);
    TAP_INT(toml_get_strings(root, "l", &strings, &err), 1);
    TAP_TRUE(strings && strcmp(strings[0], "x") == 0 && strcmp(strings[1], "y") == 0 && !strings[2]);
    TAP_INT(toml_get_strings(root, "e", &strings, &err), 1);
    TAP_TRUE(strings && !strings[0]);
}

/* What is not there changes nothing. */
static void test_absent(void)
{
    const char *string = "default", *const *strings = NULL;
    const struct toml_value *value = root;
    int64_t integer = -1;
    double number = -1;
    int boolean = -1;

    TAP_INT(toml_get_string(root, "x", &string, &err), 0);
    TAP_STR(string, "default");
    TAP_INT(toml_get_integer(root, "x", 0, 0, &integer, &err), 0);
    TAP_INT(integer, -1);
    TAP_INT(toml_get_float(root, "x", &number, &err), 0);
    TAP_TRUE(number == -1);
    TAP_INT(toml_get_boolean(root, "x", &boolean, &err), 0);
    TAP_INT(boolean, -1);
    TAP_INT(toml_get_array(root, "x", &value, &err), 0);
    TAP_INT(toml_get_table(root, "x", &value, &err), 0);
    TAP_TRUE(value == root);
    TAP_INT(toml_get_strings(root, "x", &strings, &err), 0);
    TAP_TRUE(strings == NULL);
}

static void test_other_kinds(void)
{
    const char *string = "default", *const *strings = NULL;
    const struct toml_value *value = root;
    int64_t integer = -1;
    double number = -1;
    int boolean = -1;

    TAP_ERR(toml_get_string(root, "i", &string, &err), err, ERR_CONFIG,
            "t.toml:2:5: i: expected a string, found an integer");
    TAP_STR(string, "default");
    TAP_ERR(toml_get_integer(root, "f", 0, 9, &integer, &err), err, ERR_CONFIG,
            "t.toml:3:5: f: expected an integer, found a float");
    TAP_ERR(toml_get_integer(root, "i", 0, 41, &integer, &err), err, ERR_CONFIG,
            "t.toml:2:5: i: expected an integer from 0 to 41, found 42");
    TAP_ERR(toml_get_integer(root, "i", 43, INT64_MAX, &integer, &err), err, ERR_CONFIG,
            "i: expected an integer from 43 to 9223372036854775807, found 42");
    TAP_INT(integer, -1);
    TAP_ERR(toml_get_float(root, "s", &number, &err), err, ERR_CONFIG,
            "t.toml:1:5: s: expected a float, found a string");
    TAP_TRUE(number == -1);
    TAP_ERR(toml_get_boolean(root, "d", &boolean, &err), err, ERR_CONFIG,
            "t.toml:5:5: d: expected a boolean, found a date");
    TAP_INT(boolean, -1);
    TAP_ERR(toml_get_array(root, "t", &value, &err), err, ERR_CONFIG,
            "t.toml:11:2: t: expected an array, found a table");
    TAP_ERR(toml_get_table(root, "l", &value, &err), err, ERR_CONFIG,
            "t.toml:6:5: l: expected a table, found an array");
    TAP_TRUE(value == root);
    TAP_ERR(toml_get_strings(root, "s", &strings, &err), err, ERR_CONFIG,
            "t.toml:1:5: s: expected an array, found a string");
    TAP_ERR(toml_get_strings(root, "m", &strings, &err), err, ERR_CONFIG,
            "t.toml:9:3: m: expected nothing but strings in the array, found an integer");
    TAP_TRUE(strings == NULL);
}

static void test_expect(void)
{
    const struct toml_value *array = toml_find(root, "m");

    if (!array || !array->last) {
        TAP_TRUE(array && array->last);
        return;
    }
    TAP_OK(toml_expect(array, TOML_ARRAY, &err), err);
    TAP_OK(toml_expect(array->last, TOML_INTEGER, &err), err);
    TAP_ERR(toml_expect(array->last, TOML_STRING, &err), err, ERR_CONFIG,
            "t.toml:9:3: expected a string, found an integer");
    TAP_ERR(toml_fail(array, &err, "%d is %s", 1, "odd"), err, ERR_CONFIG, "t.toml:8:5: 1 is odd");
    TAP_ERR(toml_fail_key(array, &err, "unknown key"), err, ERR_CONFIG, "t.toml:8:1: unknown key");
    TAP_ERR(toml_fail(root, &err, "image is missing"), err, ERR_CONFIG, "t.toml:1:1: image is missing");
}

static void test_kind_names(void)
{
    TAP_STR(toml_kind_name(TOML_STRING), "a string");
    TAP_STR(toml_kind_name(TOML_INTEGER), "an integer");
    TAP_STR(toml_kind_name(TOML_FLOAT), "a float");
    TAP_STR(toml_kind_name(TOML_BOOLEAN), "a boolean");
    TAP_STR(toml_kind_name(TOML_OFFSET_DATE_TIME), "a date and time with an offset");
    TAP_STR(toml_kind_name(TOML_LOCAL_DATE_TIME), "a date and time");
    TAP_STR(toml_kind_name(TOML_LOCAL_DATE), "a date");
    TAP_STR(toml_kind_name(TOML_LOCAL_TIME), "a time");
    TAP_STR(toml_kind_name(TOML_ARRAY), "an array");
    TAP_STR(toml_kind_name(TOML_TABLE), "a table");
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    root = read_text(text);
    if (!root) {
        TAP_OK(-1, err);
        return tap_done();
    }
    test_find();
    test_order();
    test_get();
    test_absent();
    test_other_kinds();
    test_expect();
    test_kind_names();
    arena_free(&arena);
    return tap_done();
}
