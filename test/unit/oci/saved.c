#include "oci/saved.h"

#include "base/str.h"
#include "../../tap.h"

static struct arena arena;
static struct err err;
static struct oci_saved saved;

static int parse(const char *text)
{
    memset(&saved, 0xA5, sizeof(saved));
    return oci_saved_parse(&saved, text, strlen(text), &arena, &err);
}

static void test_good(void)
{
    TAP_OK(parse("[]"), err);
    TAP_INT(saved.count, 0);
    TAP_OK(parse("[{\"Config\":\"a.json\",\"RepoTags\":[\"x:1\",\"y:2\"],\"Layers\":[\"b\",\"c\"],"
                 "\"LayerSources\":{}},"
                 "{\"Config\":\"../d\",\"RepoTags\":null,\"Layers\":null}]"),
           err);
    TAP_INT(saved.count, 2);
    TAP_STR(saved.images[0].config, "a.json");
    TAP_INT(saved.images[0].tag_count, 2);
    TAP_STR(saved.images[0].tags[1], "y:2");
    TAP_INT(saved.images[0].layer_count, 2);
    TAP_STR(saved.images[0].layers[0], "b");
    TAP_STR(saved.images[1].config, "../d");
    TAP_INT(saved.images[1].tag_count + saved.images[1].layer_count, 0);
}

static void test_bad(void)
{
    static const struct {
        const char *text, *error;
    } rows[] = {
        {"", "manifest.json: line 1, column 1"},
        {"{}", "manifest.json: it must be an array and is an object"},
        {"[1]", "manifest.json: [0] must be an object and is a number"},
        {"[{}]", "[0].Config is missing"},
        {"[{\"Config\":\"\"}]", "[0].Config is missing"},
        {"[{\"Config\":\"a\",\"Layers\":{}}]", "[0].Layers must be an array and is an object"},
        {"[{\"Config\":\"a\",\"Layers\":[\"\"]}]", "[0].Layers[0] must be a string and is empty"},
        {"[{\"Config\":\"a\"},{\"Config\":\"a\",\"RepoTags\":[\"a\",null]}]",
         "[1].RepoTags[1] must be a string and is null"},
        {"[{\"Config\":\"a\",\"Config\":\"b\"}]", "has the member Config twice"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap.row = rows[i].text;
        TAP_ERR(parse(rows[i].text), err, ERR_IMAGE_MANIFEST, rows[i].error);
    }
    tap.row = NULL;
}

/* COUNT times ITEM, with commas between, between BEFORE and AFTER. */
static const char *repeated(const char *before, const char *item, int count, const char *after)
{
    struct str text = {.arena = &arena};

    str_add(&text, before);
    for (int i = 0; i < count; i++)
        str_addf(&text, "%s%s", i ? "," : "", item);
    str_add(&text, after);
    return str_text(&text);
}

static void test_many(void)
{
    TAP_ERR(parse(repeated("[", "{}", 1025, "]")), err, ERR_IMAGE_MANIFEST,
            "1025 images, and 1024 is the limit");
    TAP_ERR(parse(repeated("[{\"Config\":\"a\",\"Layers\":[", "\"x\"", 1025, "]}]")), err, ERR_IMAGE_MANIFEST,
            "[0].Layers has 1025 items, and 1024 is the limit");
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    test_good();
    test_bad();
    test_many();
    arena_free(&arena);
    return tap_done();
}
