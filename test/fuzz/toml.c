/*
 * Fuzz target: a TOML text. Finds crashes, leaks, trees that break the contract of
 * lib/toml/toml.h, and trees that are not the same when they are written and read
 * again.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "toml/toml.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static size_t values;

static void __attribute__((noreturn)) no_memory(void)
{
    abort();
}

static void check(int holds)
{
    if (!holds)
        abort();
}

static void check_text(const char *text)
{
    check(text != NULL && str_is_utf8(text, strlen(text)));
}

static void check_place(struct toml_place place)
{
    check(place.line >= 1 && place.line <= TOML_SIZE_MAX && place.column >= 1 &&
          place.column <= TOML_SIZE_MAX);
}

static void check_value(const struct toml_value *value, int depth)
{
    size_t count = 0;

    check(values++ <= TOML_VALUES_MAX);
    check_place(value->at);
    check_place(value->key_at);
    if (value->kind != TOML_ARRAY && value->kind != TOML_TABLE) {
        check(value->first == NULL && value->count == 0);
        if (value->kind != TOML_INTEGER && value->kind != TOML_FLOAT && value->kind != TOML_BOOLEAN)
            check_text(value->text);
        return;
    }
    check(depth <= TOML_DEPTH_MAX);
    for (const struct toml_value *item = value->first; item; item = item->next, count++) {
        check((item->key != NULL) == (value->kind == TOML_TABLE));
        if (item->key) {
            check_text(item->key);
            check(toml_find(value, item->key) == item);
        }
        check_value(item, depth + 1);
    }
    check(count == value->count && (value->kind == TOML_ARRAY || count <= TOML_KEYS_MAX));
}

static void write_string(struct str *out, const char *text)
{
    str_add_char(out, '"');
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7F)
            str_addf(out, "\\u%04X", (unsigned char)*text);
        else if (*text == '"' || *text == '\\')
            str_addf(out, "\\%c", *text);
        else
            str_add_char(out, *text);
    }
    str_add_char(out, '"');
}

static void write_value(struct str *out, const struct toml_value *value);

static void write_items(struct str *out, const struct toml_value *value, const char *between)
{
    for (const struct toml_value *item = value->first; item; item = item->next) {
        if (item->key) {
            write_string(out, item->key);
            str_add(out, "=");
        }
        write_value(out, item);
        str_add(out, item->next ? between : "");
    }
}

static void write_float(struct str *out, double number)
{
    if (isnan(number))
        str_add(out, signbit(number) ? "-nan" : "nan");
    else if (isinf(number))
        str_add(out, number < 0 ? "-inf" : "inf");
    else
        str_addf(out, "%.17e", number);
}

static void write_value(struct str *out, const struct toml_value *value)
{
    switch (value->kind) {
    case TOML_STRING:
        write_string(out, value->text);
        break;
    case TOML_INTEGER:
        str_addf(out, "%lld", (long long)value->integer);
        break;
    case TOML_FLOAT:
        write_float(out, value->number);
        break;
    case TOML_BOOLEAN:
        str_add(out, value->boolean ? "true" : "false");
        break;
    case TOML_ARRAY:
        str_add_char(out, '[');
        write_items(out, value, ",");
        str_add_char(out, ']');
        break;
    case TOML_TABLE:
        str_add_char(out, '{');
        write_items(out, value, ",");
        str_add_char(out, '}');
        break;
    default:
        str_add(out, value->text);
    }
}

static void check_same(const struct toml_value *a, const struct toml_value *b)
{
    check(a->kind == b->kind && a->count == b->count && a->boolean == b->boolean && a->integer == b->integer);
    check((a->key == NULL) == (b->key == NULL) && (a->text == NULL) == (b->text == NULL));
    check(!a->key || strcmp(a->key, b->key) == 0);
    check(!a->text || strcmp(a->text, b->text) == 0);
    check(memcmp(&a->number, &b->number, sizeof(a->number)) == 0 || isnan(a->number));
    for (a = a->first, b = b->first; a && b; a = a->next, b = b->next)
        check_same(a, b);
    check(!a && !b);
}

static void check_written(const struct toml_value *root, struct arena *arena)
{
    struct str out = {.arena = arena};
    const struct toml_value *again;
    struct err err;

    write_items(&out, root, "\n");
    if (out.length > TOML_SIZE_MAX)
        return;
    again = toml_parse("again", str_text(&out), out.length, arena, ERR_CONFIG, &err);
    check(again != NULL);
    check_same(root, again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const char prefix[] = "fuzz.toml:";
    const struct toml_value *root;
    struct arena arena;
    struct err err = {.id = ERR_COUNT};

    arena_init(&arena, no_memory);
    values = 0;
    root = toml_parse("fuzz.toml", (const char *)bytes, length, &arena, ERR_CONFIG, &err);
    if (!root) {
        check(err.id == ERR_CONFIG);
        check(strncmp(err.text, prefix, strlen(prefix)) == 0);
        check_text(err.text);
    } else {
        check(err.id == ERR_COUNT && root->kind == TOML_TABLE);
        check_value(root, 1);
        check_written(root, &arena);
    }
    arena_free(&arena);
    return 0;
}
