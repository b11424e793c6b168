#include "foreign/foreign.h"

#include "../../tap.h"

static struct arena arena;
static char bar[] = "BAR=bar", nothing[] = "EMPTY=", path[] = "PATH=/a:/b";
static char *const environment[] = {bar, nothing, path, NULL};

static const char *expand(enum foreign_system system, const char *value)
{
    const struct foreign foreign = {.system = system};

    return foreign_expand(&foreign, value, 1000, environment, &arena);
}

/* The examples of ch-run(1). */
static void test_items(void)
{
    static const char *const rows[][2] = {
        {"$BAR", "bar"},
        {"$BAR:baz", "bar:baz"},
        {"$UNSET", ""},
        {"$EMPTY", ""},
        {"baz:$UNSET:qux", "baz:qux"},
        {":bar:baz::", ":bar:baz::"},
        {"$", "$"},
        {"a$BAR", "a$BAR"},
        {"$BAR baz", ""},
        {"${BAR}", ""},
        {"/opt:$PATH", "/opt:/a:/b"},
        {"$UNSET:$UNSET", ""},
        {"$UNSET:x", "x"},
        {"x:$UNSET", "x"},
        {":$BAR", ":bar"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        TAP_STR(expand(FOREIGN_CHARLIECLOUD, rows[i][0]), rows[i][1]);
}

static void test_braces(void)
{
    static const char *const rows[][2] = {
        {"${BAR}", "bar"},    {"a${BAR}b${BAR}", "abarbbar"},
        {"${UNSET}", ""},     {"$BAR", "$BAR"},
        {"${", "${"},         {"${BAR", "${BAR"},
        {"${}", "${}"},       {"${1}", "${1}"},
        {"${B-R}", "${B-R}"}, {"$${BAR}", "$bar"},
        {"plain", "plain"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        TAP_STR(expand(FOREIGN_ENROOT, rows[i][0]), rows[i][1]);
}

/* What would grow too long stays as it is. */
static void test_limit(void)
{
    const struct foreign enroot = {.system = FOREIGN_ENROOT}, charliecloud = {.system = FOREIGN_CHARLIECLOUD};

    TAP_STR(foreign_expand(&enroot, "${BAR}${BAR}", 6, environment, &arena), "barbar");
    TAP_STR(foreign_expand(&enroot, "${BAR}${BAR}", 5, environment, &arena), "${BAR}${BAR}");
    TAP_STR(foreign_expand(&charliecloud, "$BAR:$BAR", 7, environment, &arena), "bar:bar");
    TAP_STR(foreign_expand(&charliecloud, "$BAR:$BAR", 6, environment, &arena), "$BAR:$BAR");
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    test_items();
    test_braces();
    test_limit();
    arena_free(&arena);
    return tap_done();
}
