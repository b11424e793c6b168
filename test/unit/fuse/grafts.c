/* Mount points that an image lacks: where each path leads, and what is made. */
#include "fuse/grafts.h"

#include "../squash/made.h"
#include "fuse/nodes.h"

static struct arena arena;

static void make_tree(void)
{
    make_directory("tree");
    make_directory("tree/usr");
    make_directory("tree/usr/lib");
    make_directory("tree/home");
    make_file("tree/file", "");
    shell("cd tree; ln -s usr/lib lib; ln -s /usr/lib lib-absolute; ln -s ../../home usr/lib/back");
    shell("cd tree; ln -s loop loop; ln -s pong ping; ln -s ping pong; ln -s nowhere dangling");
    shell("cd tree; ln -s /made/in/between dangling-deep; ln -s file link-to-file; ln -s ../../../.. "
          "usr/above");
    shell("cd tree; ln -s usr chain-0; for i in $(seq 1 45); do ln -s chain-$((i - 1)) chain-$i; done");
    shell("cd tree; p=.; for i in $(seq 1 260); do p=$p/d; done; mkdir -p $p; ln -s / usr/root");
    make_image("image", "tree", "-comp zstd");
}

/* The path of the directory with the id NODE, of those that the tests use. */
static const char *path_of(const struct grafts *grafts, uint64_t node)
{
    static const char *const known[] = {"usr", "usr/lib", "home"};

    if (node == NODE_ROOT)
        return "";
    if (node_is_graft(node)) {
        const struct graft *graft = grafts_get(grafts, node);

        return graft ? arena_join(&arena, path_of(grafts, graft->parent), "/", graft->name, NULL) : "?";
    }
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        struct squash_node found;

        if (find(known[i], &found) == 1 && node_of_reference(found.reference, squash_root(&squash)) == node)
            return arena_join(&arena, "/", known[i], NULL);
    }
    return "?";
}

/* All grafts, by their paths, those of directories with a slash behind. */
static const char *text_of(const struct grafts *grafts)
{
    const char *text = "";

    for (size_t i = 0; i < grafts->count; i++)
        text = arena_join(&arena, text, *text ? " " : "", path_of(grafts, graft_node(i)),
                          grafts->items[i].is_directory ? "/" : "", NULL);
    return text;
}

enum { FILE_THERE, DIRECTORY_THERE, FILE_ON_NAME, DIRECTORY_ON_NAME };

static int add(struct grafts *grafts, const char *path, int kind)
{
    return grafts_add(grafts, &squash, path, kind == DIRECTORY_THERE || kind == DIRECTORY_ON_NAME,
                      kind >= FILE_ON_NAME);
}

/* On the image alone. MADE NULL: it cannot be, and nothing is made. */
static const struct {
    const char *path;
    int kind;
    const char *made;
} rows[] = {
    /* There already. */
    {"/", DIRECTORY_THERE, ""},
    {"", DIRECTORY_THERE, ""},
    {"/usr", DIRECTORY_THERE, ""},
    {"//usr//lib//", DIRECTORY_THERE, ""},
    {"/file", FILE_THERE, ""},
    {"/lib", DIRECTORY_THERE, ""},
    {"/usr/./lib/../lib/.", DIRECTORY_THERE, ""},
    {"/lib/back", DIRECTORY_THERE, ""},
    {"/link-to-file", FILE_THERE, ""},
    /* Missing. */
    {"/new", FILE_THERE, "/new"},
    {"/new", DIRECTORY_THERE, "/new/"},
    {"/new/", FILE_THERE, "/new"},
    {"/a/b/c", FILE_THERE, "/a/ /a/b/ /a/b/c"},
    {"/a//b/./c/", DIRECTORY_THERE, "/a/ /a/b/ /a/b/c/"},
    {"/usr/new", FILE_THERE, "/usr/new"},
    {"/usr/lib/x/y", FILE_THERE, "/usr/lib/x/ /usr/lib/x/y"},
    {"/us", FILE_THERE, "/us"},
    {"/usr2", FILE_THERE, "/usr2"},
    /* Through links. */
    {"/lib/new", FILE_THERE, "/usr/lib/new"},
    {"/lib-absolute/new", DIRECTORY_THERE, "/usr/lib/new/"},
    {"/lib/back/new", FILE_THERE, "/home/new"},
    {"/usr/root/usr/root/new", FILE_THERE, "/new"},
    {"/usr/above/new", FILE_THERE, "/new"},
    {"/dangling", FILE_THERE, "/nowhere"},
    {"/dangling", DIRECTORY_THERE, "/nowhere/"},
    {"/dangling/x", FILE_THERE, "/nowhere/ /nowhere/x"},
    {"/dangling-deep", FILE_THERE, "/made/ /made/in/ /made/in/between"},
    /* On the name: the last link is not followed, those before it are. */
    {"/dangling", FILE_ON_NAME, ""},
    {"/loop", FILE_ON_NAME, ""},
    {"/lib", DIRECTORY_ON_NAME, ""},
    {"/new", FILE_ON_NAME, "/new"},
    {"/lib/new", DIRECTORY_ON_NAME, "/usr/lib/new/"},
    {"/dangling/x", FILE_ON_NAME, "/nowhere/ /nowhere/x"},
    /* Upwards. */
    {"/../../new", FILE_THERE, "/new"},
    {"/usr/../new", FILE_THERE, "/new"},
    {"/lib/../new", FILE_THERE, "/usr/new"},
    {"/usr/lib/../../home/new", FILE_THERE, "/home/new"},
    {"/missing/../new", FILE_THERE, NULL},
    {"/missing/x/..", FILE_THERE, NULL},
    {"/missing/..", FILE_THERE, NULL},
    {"/missing/...", FILE_THERE, "/missing/ /missing/..."},
    {"/missing/..x", FILE_THERE, "/missing/ /missing/..x"},
    /* Loops and files in the way. */
    {"/loop", FILE_THERE, NULL},
    {"/loop/x", FILE_THERE, NULL},
    {"/ping", FILE_THERE, NULL},
    {"/ping", FILE_ON_NAME, ""},
    {"/ping/x", FILE_ON_NAME, NULL},
    {"/file/x", FILE_THERE, NULL},
    {"/file/..", FILE_THERE, NULL},
    {"/link-to-file/x", FILE_THERE, NULL},
    {"/chain-39/new", FILE_THERE, "/usr/new"}, /* 40 links: as many as the kernel follows */
    {"/chain-40/new", FILE_THERE, NULL},
    {"/chain-45", DIRECTORY_THERE, NULL},
};

static void test_rows(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct grafts grafts = {.arena = &arena};

        tap.row = arena_printf(&arena, "%s as %d", rows[i].path, rows[i].kind);
        TAP_INT(add(&grafts, rows[i].path, rows[i].kind), rows[i].made ? 0 : -1);
        TAP_STR(text_of(&grafts), rows[i].made ? rows[i].made : "");
    }
    tap.row = NULL;
}

/* Names as long as may be, and longer: nothing is made then, not what stands before it either. */
static void test_long_names(void)
{
    struct grafts grafts = {.arena = &arena};
    char path[600];

    memset(path, 'n', sizeof(path));
    memcpy(path, "/new/", 5);
    path[5 + 255] = 0;
    TAP_INT(add(&grafts, path, FILE_THERE), 0);
    TAP_INT(grafts.count, 2);
    TAP_INT(grafts.items[1].length, 255);
    path[5 + 255] = 'n';
    path[5 + 256] = 0;
    memcpy(path, "/odd/", 5);
    TAP_INT(add(&grafts, path, FILE_THERE), -1);
    TAP_INT(grafts.count, 2);
}

/* A path of directories that is deeper than a walk remembers. */
static void test_deep(void)
{
    struct grafts grafts = {.arena = &arena};
    char path[1024] = "";

    for (int depth = 0; depth < 255; depth++)
        strcat(path, "/d");
    TAP_INT(add(&grafts, path, DIRECTORY_THERE), 0);
    strcat(path, "/d/d");
    TAP_INT(add(&grafts, path, DIRECTORY_THERE), -1);
    TAP_INT(grafts.count, 0);
}

static void test_graft_in_graft(void)
{
    struct grafts grafts = {.arena = &arena};

    TAP_INT(add(&grafts, "/a/b", DIRECTORY_THERE), 0);
    TAP_INT(add(&grafts, "/a/b", FILE_THERE), 0); /* it is there */
    TAP_INT(add(&grafts, "/a/c", FILE_THERE), 0);
    TAP_INT(add(&grafts, "/a/b/d", FILE_THERE), 0);
    TAP_INT(add(&grafts, "/a/b/../e", FILE_THERE), 0);
    TAP_INT(add(&grafts, "/a/./b/../../lib/f", FILE_THERE), 0);
    TAP_STR(text_of(&grafts), "/a/ /a/b/ /a/c /a/b/d /a/e /usr/lib/f");
    TAP_INT(add(&grafts, "/a/c/x", FILE_THERE), -1); /* made as a file */
    TAP_INT(add(&grafts, "/a/c/..", FILE_THERE), -1);
    TAP_INT(add(&grafts, "/a/x/../y", FILE_THERE), -1);
    TAP_INT(add(&grafts, "/usr/lib/f", FILE_THERE), 0);
    TAP_INT(grafts.count, 6);
    /* A link whose target was made. */
    TAP_INT(add(&grafts, "/nowhere", DIRECTORY_THERE), 0);
    TAP_INT(add(&grafts, "/dangling/x", FILE_THERE), 0);
    TAP_STR(text_of(&grafts), "/a/ /a/b/ /a/c /a/b/d /a/e /usr/lib/f /nowhere/ /nowhere/x");
}

static void test_lookup(void)
{
    struct grafts grafts = {.arena = &arena};
    uint64_t a, b;

    TAP_INT(grafts_lookup(&grafts, NODE_ROOT, "a", 1), 0);
    TAP_INT(grafts_next(&grafts, NODE_ROOT, 0), 0);
    add(&grafts, "/a/b", FILE_THERE);
    add(&grafts, "/z", FILE_THERE);
    a = grafts_lookup(&grafts, NODE_ROOT, "a", 1);
    TAP_TRUE(node_is_graft(a));
    TAP_TRUE(grafts_get(&grafts, a) == &grafts.items[0]);
    TAP_STR(grafts_get(&grafts, a)->name, "a");
    b = grafts_lookup(&grafts, a, "b", 1);
    TAP_TRUE(b && b != a && grafts_get(&grafts, b)->parent == a);
    TAP_INT(grafts_lookup(&grafts, NODE_ROOT, "b", 1), 0);
    TAP_INT(grafts_lookup(&grafts, NODE_ROOT, "", 0), 0);
    TAP_INT(grafts_lookup(&grafts, NODE_ROOT, "ab", 2), 0);
    TAP_TRUE(grafts_lookup(&grafts, NODE_ROOT, "ab", 1) == a);
    TAP_INT(grafts_lookup(&grafts, b, "b", 1), 0);
    TAP_INT(grafts_next(&grafts, NODE_ROOT, 0), 0);
    TAP_INT(grafts_next(&grafts, NODE_ROOT, 1), 2);
    TAP_INT(grafts_next(&grafts, NODE_ROOT, 3), 3);
    TAP_INT(grafts_next(&grafts, NODE_ROOT, 99), 3);
    TAP_INT(grafts_next(&grafts, a, 0), 1);
    TAP_INT(grafts_next(&grafts, b, 0), 3);
    TAP_TRUE(!grafts_get(&grafts, graft_node(3)));
    TAP_TRUE(!grafts_get(&grafts, NODE_GRAFT)); /* of no index */
    TAP_TRUE(!grafts_get(&grafts, NODE_GRAFT - 1));
}

int main(void)
{
    scratch_begin();
    arena_init(&arena, tap_no_memory);
    make_tree();
    open_image("image");
    test_rows();
    test_long_names();
    test_deep();
    test_graft_in_graft();
    test_lookup();
    close_image();
    arena_free(&arena);
    return tap_done();
}
