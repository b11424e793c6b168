#include "oci/json-reader.h"

#include "base/str.h"
#include "../../tap.h"

static struct arena arena;
static struct err err;

/* Reads a copy that is exactly as long as the text: valgrind and ASan see a look past the end. */
static struct json_value *read_bytes(const char *bytes, size_t length)
{
    char *copy = malloc(length ? length : 1);
    struct json_value *value;

    if (!copy)
        tap_no_memory();
    memcpy(copy, bytes, length);
    value = json_read(copy, length, &arena, ERR_IMAGE_CONFIG, &err);
    free(copy);
    return value;
}

static struct json_value *read_text(const char *text)
{
    return read_bytes(text, strlen(text));
}

/* The tree in one line with every kind visible: {a:[n1,n1.5,"x",true,null]}. */
static void show(struct str *out, const struct json_value *value)
{
    if (value->name)
        str_addf(out, "%s:", value->name);
    switch (value->kind) {
    case JSON_NULL:
        str_add(out, "null");
        break;
    case JSON_BOOL:
        str_add(out, value->boolean ? "true" : "false");
        break;
    case JSON_NUMBER:
        str_addf(out, "n%s", value->text);
        break;
    case JSON_STRING:
        str_addf(out, "\"%s\"", value->text);
        break;
    case JSON_ARRAY:
    case JSON_OBJECT:
        str_addf(out, "%c%zu ", value->kind == JSON_ARRAY ? '[' : '{', value->count);
        for (const struct json_value *item = value->first; item; item = item->next) {
            show(out, item);
            str_add(out, item->next ? "," : "");
        }
        str_add_char(out, value->kind == JSON_ARRAY ? ']' : '}');
        break;
    }
}

static const struct {
    const char *text;
    const char *tree;
} good[] = {
    {"null", "null"},
    {"true", "true"},
    {"false", "false"},
    {" \t\r\n null \t\r\n ", "null"},
    {"0", "n0"},
    {"-0", "n-0"},
    {"42", "n42"},
    {"-42", "n-42"},
    {"9223372036854775807", "n9223372036854775807"},
    {"9223372036854775808", "n9223372036854775808"},
    {"-9223372036854775808", "n-9223372036854775808"},
    {"-9223372036854775809", "n-9223372036854775809"},
    {"0.5", "n0.5"},
    {"-0.0", "n-0.0"},
    {"1e5", "n1e5"},
    {"1E+05", "n1E+05"},
    {"1.25e-300", "n1.25e-300"},
    {"\"\"", "\"\""},
    {"\"a b\"", "\"a b\""},
    {"\"\\\"\\\\\\/\"", "\"\"\\/\""},
    {"\"\\b\\f\\n\\r\\t\"", "\"\b\f\n\r\t\""},
    {"\"\\u0041\\u00fC\\u20ac\"", "\"A\303\274\342\202\254\""},
    {"\"\\ud83d\\udea3\"", "\"\360\237\232\243\""},
    {"\"\\uD800\\uDC00\\uDBFF\\uDFFF\"", "\"\360\220\200\200\364\217\277\277\""},
    {"\"\\uFFFF\\u0001\\u07ff\\u0800\"", "\"\357\277\277\001\337\277\340\240\200\""},
    {"\"\303\274\360\237\232\243\177\"", "\"\303\274\360\237\232\243\177\""},
    {"[]", "[0 ]"},
    {"[ ]", "[0 ]"},
    {"[1,\"x\",null]", "[3 n1,\"x\",null]"},
    {"[[[]],[]]", "[2 [1 [0 ]],[0 ]]"},
    {"{}", "{0 }"},
    {"{ \"a\" : 1 , \"b\" : { \"a\" : 2 } }", "{2 a:n1,b:{1 a:n2}}"},
    {"{\"\":1,\"\\u0061\":[true]}", "{2 :n1,a:[1 true]}"},
};

static void test_good(void)
{
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct str tree = {.arena = &arena};
        const struct json_value *value = read_text(good[i].text);

        tap.row = good[i].text;
        if (value)
            show(&tree, value);
        TAP_STR(value ? str_text(&tree) : err.text, good[i].tree);
    }
    tap.row = NULL;
}

static const struct {
    const char *text;
    const char *error;
} bad[] = {
    {"", "line 1, column 1: expected a value, found the end"},
    {"  \n ", "line 2, column 2: expected a value, found the end"},
    {"nul", "line 1, column 1: expected a value, found 'n'"},
    {"True", "line 1, column 1: expected a value, found 'T'"},
    {"truex", "line 1, column 5: expected the end, found 'x'"},
    {"null null", "line 1, column 6: expected the end, found 'n'"},
    {"{}\n}", "line 2, column 1: expected the end, found '}'"},
    {"NaN", "expected a value"},
    {"-Infinity", "column 2: expected a digit, found 'I'"},
    {"-", "column 2: expected a digit, found the end"},
    {"+1", "expected a value, found '+'"},
    {"01", "column 2: expected the end, found '1'"},
    {"-01", "column 3: expected the end"},
    {".5", "expected a value, found '.'"},
    {"1.", "column 3: expected a digit, found the end"},
    {"1.e5", "column 3: expected a digit, found 'e'"},
    {"1e", "column 3: expected a digit"},
    {"1e+", "column 4: expected a digit"},
    {"0x10", "column 2: expected the end, found 'x'"},
    {"'a'", "expected a value, found '''"},
    {"/* c */ 1", "expected a value, found '/'"},
    {"\"abc", "column 1: this string does not end"},
    {"\"abc\\", "column 1: this string does not end"},
    {"\"abc\\\"", "column 1: this string does not end"},
    {"[\"a\nb\"]", "line 1, column 4: a control character in a string"},
    {"\"\t\"", "column 2: a control character"},
    {"\"\037\"", "column 2: a control character"},
    {"\"\\x41\"", "column 2: a backslash must be followed by"},
    {"\"\\u12\"", "column 2: \\u needs four hexadecimal digits"},
    {"\"\\u12g4\"", "column 2: \\u needs four hexadecimal digits"},
    {"\"\\u\"", "\\u needs four hexadecimal digits"},
    {"\"ab\\u0000\"", "column 4: \\u0000 is refused"},
    {"\"\\ud83d\"", "column 2: half of a surrogate pair"},
    {"\"\\ud83dx\"", "half of a surrogate pair"},
    {"\"\\ud83d\\n\"", "half of a surrogate pair"},
    {"\"\\ud83d\\u0041\"", "half of a surrogate pair"},
    {"\"\\ud83d\\ud83d\"", "half of a surrogate pair"},
    {"\"\\ud83d\\ue000\"", "half of a surrogate pair"},
    {"\"\\ud83d\\ude\"", "half of a surrogate pair"},
    {"\"\\udea3\\ud83d\"", "half of a surrogate pair"},
    {"\"\303\274\377\"", "line 1, column 3: this is not UTF-8"},
    {"[\n\"\303\"]", "line 2, column 2: this is not UTF-8"},
    {"\"\355\240\275\"", "this is not UTF-8"},
    {"\"\300\200\"", "this is not UTF-8"},
    {"\357\273\277{}", "column 1: expected a value, found byte 0xef"},
    {"[\302\2401]", "column 2: expected a value, found byte 0xc2"},
    {"[\v1]", "column 2: expected a value, found byte 0x0b"},
    {"[", "column 2: expected a value, found the end"},
    {"[1", "column 3: expected ',' or ']', found the end"},
    {"[1,]", "column 4: expected a value, found ']'"},
    {"[,1]", "column 2: expected a value, found ','"},
    {"[1 2]", "column 4: expected ',' or ']', found '2'"},
    {"[1}", "column 3: expected ',' or ']', found '}'"},
    {"{", "expected a member's name in double quotes, found the end"},
    {"{\"a\"", "expected ':', found the end"},
    {"{\"a\":", "expected a value, found the end"},
    {"{\"a\":1", "expected ',' or '}', found the end"},
    {"{\"a\":1,}", "column 8: expected a member's name in double quotes, found '}'"},
    {"{a:1}", "column 2: expected a member's name in double quotes, found 'a'"},
    {"{1:1}", "expected a member's name"},
    {"{\"a\" 1}", "expected ':', found '1'"},
    {"{\"a\":1]", "expected ',' or '}', found ']'"},
    {"{\"a\":1,\n \"\\u0061\":2}", "line 2, column 2: the object has the member a twice"},
    {"{\"x\":{\"\":1,\"\":2}}", "the object has the member '' twice"},
};

static void test_bad(void)
{
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        tap.row = bad[i].text;
        TAP_ERR(read_text(bad[i].text) ? 0 : -1, err, ERR_IMAGE_CONFIG, bad[i].error);
    }
    tap.row = NULL;
}

static void test_zero_bytes(void)
{
    TAP_ERR(read_bytes("1\0", 2) ? 0 : -1, err, ERR_IMAGE_CONFIG,
            "column 2: expected the end, found byte 0x00");
    TAP_ERR(read_bytes("\"a\0b\"", 5) ? 0 : -1, err, ERR_IMAGE_CONFIG, "column 3: a control character");
    TAP_ERR(read_bytes("\"\\\0\"", 4) ? 0 : -1, err, ERR_IMAGE_CONFIG, "column 2: a backslash must");
    TAP_ERR(read_bytes("\"\\u00\0000\"", 8) ? 0 : -1, err, ERR_IMAGE_CONFIG, "column 2: \\u needs");
}

/* BEFORE, TIMES times MIDDLE and AFTER. */
static const char *repeated(const char *before, const char *middle, int times, const char *after)
{
    struct str text = {.arena = &arena};

    str_add(&text, before);
    for (int i = 0; i < times; i++)
        str_add(&text, middle);
    str_add(&text, after);
    return str_text(&text);
}

static const char *object_of(int members)
{
    struct str text = {.arena = &arena};

    str_add_char(&text, '{');
    for (int i = 0; i < members; i++)
        str_addf(&text, "%s\"%d\":0", i ? "," : "", i);
    str_add_char(&text, '}');
    return str_text(&text);
}

static void test_limits(void)
{
    const char *deepest = repeated("", "[", JSON_DEPTH_MAX, repeated("", "]", JSON_DEPTH_MAX, ""));
    const char *deeper = repeated("", "{\"\":", JSON_DEPTH_MAX + 1, "");
    const struct json_value *value;

    TAP_TRUE(read_text(deepest) != NULL);
    TAP_ERR(read_text(deeper) ? 0 : -1, err, ERR_IMAGE_CONFIG,
            "more than 64 arrays and objects inside each other");
    /* Side by side is not deep. */
    TAP_TRUE(read_text(repeated("[[]", ",[]", JSON_DEPTH_MAX + 1, "]")) != NULL);
    TAP_TRUE(read_text(repeated("[{}", ",{\"a\":0}", JSON_DEPTH_MAX + 1, "]")) != NULL);

    value = read_text(repeated("[0", ",0", JSON_VALUES_MAX - 2, "]"));
    TAP_INT(value ? value->count : 0, JSON_VALUES_MAX - 1);
    TAP_ERR(read_text(repeated("[0", ",0", JSON_VALUES_MAX - 1, "]")) ? 0 : -1, err, ERR_IMAGE_CONFIG,
            "more than 16384 values");

    value = read_text(object_of(JSON_MEMBERS_MAX));
    TAP_INT(value ? value->count : 0, JSON_MEMBERS_MAX);
    TAP_ERR(read_text(object_of(JSON_MEMBERS_MAX + 1)) ? 0 : -1, err, ERR_IMAGE_CONFIG,
            "more than 4096 members in an object");
}

static void test_member(void)
{
    const struct json_value *object = read_text("{\"a\":1,\"ab\":2,\"A\":3}");

    if (!object) {
        TAP_OK(-1, err);
        return;
    }
    TAP_STR(json_member(object, "ab")->text, "2");
    TAP_STR(json_member(object, "A")->text, "3");
    TAP_TRUE(json_member(object, "b") == NULL);
    TAP_TRUE(json_member(object, "") == NULL);
    TAP_STR(json_member(object, "a")->text, "1");
}

static void test_kind_names(void)
{
    TAP_STR(json_kind_name(JSON_NULL), "null");
    TAP_STR(json_kind_name(JSON_BOOL), "a boolean");
    TAP_STR(json_kind_name(JSON_NUMBER), "a number");
    TAP_STR(json_kind_name(JSON_STRING), "a string");
    TAP_STR(json_kind_name(JSON_ARRAY), "an array");
    TAP_STR(json_kind_name(JSON_OBJECT), "an object");
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    test_good();
    test_bad();
    test_zero_bytes();
    test_limits();
    test_member();
    test_kind_names();
    arena_free(&arena);
    return tap_done();
}
