#include "config/expand.h"

#include "../../tap.h"

static struct arena arena;
static char a[] = "A=1", paths[] = "PATHS=/a:/b,c\\d", empty[] = "EMPTY=", longer[] = "A_b9=long";
static char *const environment[] = {a, paths, empty, longer, NULL};

static void test_expand(void)
{
    static const struct {
        const char *text, *escape, *expected, *missing;
    } rows[] = {
        {"", "", "", NULL},
        {"plain \\ text", ":", "plain \\ text", NULL},
        {"$A", "", "1", NULL},
        {"${A}", "", "1", NULL},
        {"x$A/y", "", "x1/y", NULL},
        {"${A}b$A_b9", "", "1blong", NULL},
        {"$$A$$", "", "$A$", NULL},
        {"$$$A", "", "$1", NULL},
        {"[$EMPTY]", "", "[]", NULL},
        {"$PATHS:/x", "", "/a:/b,c\\d:/x", NULL},
        {"$PATHS:/x", ":,\\", "/a\\:/b\\,c\\\\d:/x", NULL},
        {"$NO/$A", "", NULL, "NO"},
        {"$A/${NOT_SET}", "", NULL, "NOT_SET"},
        {"$A_", "", NULL, "A_"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *missing = NULL;

        tap.row = rows[i].text;
        TAP_STR(config_expand(rows[i].text, environment, rows[i].escape, &missing, &arena), rows[i].expected);
        TAP_STR(missing, rows[i].missing);
        TAP_STR(config_expand_mistake(rows[i].text), NULL);
    }
}

static void test_mistakes(void)
{
    static const char *const rows[] = {"$",      "a$",    "$1",   "${",  "${}", "${A",
                                       "${A-x}", "$ {A}", "${1}", "$$$", "$(A)"};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap.row = rows[i];
        TAP_TRUE(config_expand_mistake(rows[i]));
    }
}

static void test_optional(void)
{
    static const struct {
        const char *spec;
        int is;
    } rows[] = {
        {"/a:/b:optional", 1},   {"/a::ro,optional", 1},  {"/a:/b:optional,ro", 1}, {"/a\\:b:/c:optional", 1},
        {"/a:/b:ro,nosuid", 0},  {"/a:optional", 0},      {"optional", 0},          {"/a:/b", 0},
        {"/a\\:/b:optional", 0}, {"/a:/b:optionally", 0}, {"/a:/b:ro,optiona", 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap.row = rows[i].spec;
        TAP_INT(config_bind_is_optional(rows[i].spec), rows[i].is);
    }
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    test_expand();
    test_mistakes();
    test_optional();
    tap.row = NULL;
    arena_free(&arena);
    return tap_done();
}
