#include "show.h"

/* BEFORE and keys A0000=0, A0001=1, ... */
static const char *keys(const char *before, int count, const char *after)
{
    struct str text = {.arena = &arena};

    str_add(&text, before);
    for (int i = 0; i < count; i++)
        str_addf(&text, "A%04d=%d\n", i, i);
    str_add(&text, after);
    return str_text(&text);
}

static const char *key(int i)
{
    return arena_printf(&arena, "A%04d", i);
}

/* Of COUNT keys, how many are found, each with its value. */
static int found(const struct toml_value *table, int count)
{
    int result = 0;

    for (int i = 0; i < count; i++) {
        const struct toml_value *value = toml_find(table, key(i));
        result += value && value->integer == i;
    }
    return result;
}

static void test_count(int count)
{
    const struct toml_value *root = read_text(keys("", count, "")), *value;
    int i = 0;

    tap.row = arena_printf(&arena, "%d keys", count);
    TAP_INT(root ? root->count : 0, count);
    if (root) {
        TAP_INT(found(root, count), count);
        TAP_TRUE(toml_find(root, key(count)) == NULL);
        TAP_TRUE(toml_find(root, "") == NULL);
        for (value = root->first; value && value->integer == i; value = value->next)
            i++;
        TAP_INT(i, count); /* in their order */
    }
    for (int again = 0; again < count; again += count / 2)
        TAP_ERR(read_text(keys("", count, arena_join(&arena, key(again), "=1", NULL))) ? 0 : -1, err,
                ERR_CONFIG,
                arena_printf(&arena, "cannot set %s: line %d makes it an integer", key(again), again + 1));
    tap.row = NULL;
}

static void test_limit(void)
{
    TAP_ERR(read_text(keys("", TOML_KEYS_MAX + 1, "")) ? 0 : -1, err, ERR_CONFIG,
            "t.toml:4097:1: a table has more than 4096 keys");
    TAP_ERR(read_text(keys("[a]\n", TOML_KEYS_MAX + 1, "")) ? 0 : -1, err, ERR_CONFIG,
            "t.toml:4098:1: a table has more than 4096 keys");
}

/* Each table has its own: of a header, of dotted keys, of an array's second element. */
static void test_tables(void)
{
    const struct toml_value *root =
        read_text(keys("b.A0000=true\n", 20, keys("[[t]]\n", 100, keys("[[t]]\n", 50, "[t.A]\n"))));
    const struct toml_value *array = root ? toml_find(root, "t") : NULL;

    TAP_TRUE(array != NULL && array->count == 2);
    if (!array)
        return;
    TAP_INT(found(root, 100), 20);
    TAP_INT(found(array->first, 100), 100);
    TAP_INT(found(array->last, 100), 50);
    TAP_TRUE(toml_find(array->last, "A") != NULL && toml_find(array->first, "A") == NULL);
    TAP_TRUE(toml_find(array, "A0000") == NULL);
}

/* Those that FNV-1a takes for one are told apart by their text. */
static void test_same_hash(void)
{
    TAP_STR(tree_of("costarring=1\nliquid=2\n", 22), "{costarring=1,liquid=2}");
    TAP_TRUE(read_text(keys("costarring=1\n", 20, "liquid=2\n")) != NULL);
    TAP_ERR(read_text(keys("costarring=1\nliquid=2\n", 20, "costarring=2\n")) ? 0 : -1, err, ERR_CONFIG,
            "t.toml:23:1: cannot set costarring: line 1");
}

int main(void)
{
    static const int counts[] = {2, 15, 16, 17, 18, 67, 68, 69, 1000, TOML_KEYS_MAX - 1};

    arena_init(&arena, tap_no_memory);
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
        test_count(counts[i]);
    TAP_INT(found(read_text(keys("", TOML_KEYS_MAX, "")), TOML_KEYS_MAX), TOML_KEYS_MAX);
    test_limit();
    test_tables();
    test_same_hash();
    arena_free(&arena);
    return tap_done();
}
