#include "base/path.h"

#include "../../tap.h"

static struct arena arena;

static void test_clean(void)
{
    static const char *const rows[][2] = {
        {"", "."},
        {".", "."},
        {"./", "."},
        {"/", "/"},
        {"//", "/"},
        {"/.", "/"},
        {"/./.", "/"},
        {"a", "a"},
        {"./a", "a"},
        {"a/", "a"},
        {"a//b", "a/b"},
        {"//a///b//", "/a/b"},
        {"/a/./b", "/a/b"},
        {"a/.", "a"},
        {"..", ".."},
        {"/..", "/.."},
        {"/a/../b", "/a/../b"},
        {"../a/", "../a"},
        {".a", ".a"},
        {"a./b.", "a./b."},
        {"/...", "/..."},
        {"/a b\n/", "/a b\n"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap.row = rows[i][0];
        TAP_STR(path_clean(&arena, rows[i][0]), rows[i][1]);
    }
    tap.row = NULL;
}

static void test_join(void)
{
    TAP_STR(path_join(&arena, "/a", "b"), "/a/b");
    TAP_STR(path_join(&arena, "/a/", "./b/"), "/a/b");
    TAP_STR(path_join(&arena, "/", "b"), "/b");
    TAP_STR(path_join(&arena, "/a", "/b//c"), "/b/c");
    TAP_STR(path_join(&arena, "/a", ""), "/a");
    TAP_STR(path_join(&arena, "/a", ".."), "/a/..");
    TAP_STR(path_join(&arena, "a", "b"), "a/b");
}

static void test_is_beneath(void)
{
    TAP_TRUE(path_is_beneath("/a", "/a"));
    TAP_TRUE(path_is_beneath("/a/b", "/a"));
    TAP_TRUE(path_is_beneath("/a", "/"));
    TAP_TRUE(path_is_beneath("/", "/"));
    TAP_TRUE(!path_is_beneath("/ab", "/a"));
    TAP_TRUE(!path_is_beneath("/", "/a"));
    TAP_TRUE(!path_is_beneath("/a", "/a/b"));
    TAP_TRUE(!path_is_beneath("/b/a", "/a"));
}

static void test_has_dotdot(void)
{
    TAP_TRUE(path_has_dotdot(".."));
    TAP_TRUE(path_has_dotdot("../a"));
    TAP_TRUE(path_has_dotdot("a/.."));
    TAP_TRUE(path_has_dotdot("/a//../b"));
    TAP_TRUE(!path_has_dotdot(""));
    TAP_TRUE(!path_has_dotdot("/"));
    TAP_TRUE(!path_has_dotdot("..."));
    TAP_TRUE(!path_has_dotdot("a.."));
    TAP_TRUE(!path_has_dotdot("/..a/b.."));
    TAP_TRUE(!path_has_dotdot("./."));
}

static void test_parent(void)
{
    TAP_STR(path_parent(&arena, "/a/b"), "/a");
    TAP_STR(path_parent(&arena, "/a/b/c"), "/a/b");
    TAP_STR(path_parent(&arena, "/a"), "/");
    TAP_STR(path_parent(&arena, "/"), "/");
}

static void test_basename(void)
{
    TAP_STR(path_basename("/a/b"), "b");
    TAP_STR(path_basename("b"), "b");
    TAP_STR(path_basename("/"), "");
    TAP_STR(path_basename("a/"), "");
    TAP_STR(path_basename(""), "");
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    test_clean();
    test_join();
    test_is_beneath();
    test_has_dotdot();
    test_basename();
    test_parent();
    arena_free(&arena);
    return tap_done();
}
