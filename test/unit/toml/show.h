/*
 * show - reads a text and prints the tree in one line, every kind visible:
 * {a=1,b=f1.5,c="x",d=[true,false],e=date(1979-05-27),f={}}; for the tests of this folder.
 */
#ifndef CORACLE_TEST_TOML_SHOW_H
#define CORACLE_TEST_TOML_SHOW_H

#include "base/str.h"
#include "toml/toml.h"
#include "../../tap.h"

static struct arena arena;
static struct err err;

struct good {
    const char *text;
    const char *tree;
};

struct bad {
    const char *text;
    const char *error; /* what stands after the name of the file, or a part of it */
};

/* Reads a copy that is exactly as long as the text: valgrind and ASan see a look past the end. */
static inline const struct toml_value *read_bytes(const char *bytes, size_t length)
{
    char *copy = malloc(length ? length : 1);
    const struct toml_value *root;

    if (!copy)
        tap_no_memory();
    memcpy(copy, bytes, length);
    root = toml_parse("t.toml", copy, length, &arena, ERR_CONFIG, &err);
    free(copy);
    return root;
}

static inline const struct toml_value *read_text(const char *text)
{
    return read_bytes(text, strlen(text));
}

static inline void show(struct str *out, const struct toml_value *value)
{
    static const char *const dates[] = {[TOML_OFFSET_DATE_TIME] = "offset",
                                        [TOML_LOCAL_DATE_TIME] = "date-time",
                                        [TOML_LOCAL_DATE] = "date",
                                        [TOML_LOCAL_TIME] = "time"};

    if (value->key)
        str_addf(out, "%s=", value->key);
    switch (value->kind) {
    case TOML_STRING:
        str_addf(out, "\"%s\"", value->text);
        break;
    case TOML_INTEGER:
        str_addf(out, "%lld", (long long)value->integer);
        break;
    case TOML_FLOAT:
        str_addf(out, "f%.17g", value->number);
        break;
    case TOML_BOOLEAN:
        str_add(out, value->boolean ? "true" : "false");
        break;
    case TOML_ARRAY:
    case TOML_TABLE:
        str_add_char(out, value->kind == TOML_ARRAY ? '[' : '{');
        for (const struct toml_value *item = value->first; item; item = item->next) {
            show(out, item);
            str_add(out, item->next ? "," : "");
        }
        str_add_char(out, value->kind == TOML_ARRAY ? ']' : '}');
        break;
    default:
        str_addf(out, "%s(%s)", dates[value->kind], value->text);
    }
}

static inline const char *tree_of(const char *bytes, size_t length)
{
    struct str tree = {.arena = &arena};
    const struct toml_value *root = read_bytes(bytes, length);

    if (!root)
        return err.text;
    show(&tree, root);
    return str_text(&tree);
}

static inline void test_good(const struct good *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        tap.row = cases[i].text;
        TAP_STR(tree_of(cases[i].text, strlen(cases[i].text)), cases[i].tree);
    }
    tap.row = NULL;
}

static inline void test_bad(const struct bad *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        tap.row = cases[i].text;
        TAP_ERR(read_text(cases[i].text) ? 0 : -1, err, ERR_CONFIG, cases[i].error);
    }
    tap.row = NULL;
}

#define TEST_GOOD(cases) test_good(cases, sizeof(cases) / sizeof((cases)[0]))
#define TEST_BAD(cases) test_bad(cases, sizeof(cases) / sizeof((cases)[0]))

#endif
