/* OCI layouts, each as a directory and as an archive. */
#include "oci/index.h"
#include "made.h"

#define NAME(name) ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"" name "\"}"
#define NAMES(name, full)                                             \
    ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"" name \
    "\",\"io.containerd.image.name\":\"" full "\"}"
#define FOR(architecture) ",\"platform\":{\"os\":\"linux\",\"architecture\":\"" architecture "\"}"

static const char *const one[] = {"layer one", NULL};
static const char *const two[] = {"layer one", "layer two", "layer one", NULL};
static const char *const three[] = {"layer three", NULL};
static const char *const none[] = {NULL};

/* Compares what REST (":NAME" or "") of MADE is with what is EXPECTED: all of it, or a part of an error. */
static void check(const struct made *made, const char *rest, const char *platform, const char *expected)
{
    const char *const sources[][2] = {{"oci:", made_directory(made)}, {"oci-archive:", made_archive(made)}};

    for (size_t i = 0; i < 2; i++) {
        const char *shown = made_show(sources[i][0], sources[i][1], rest, platform);

        tap.row = arena_printf(&arena, "%s %s %s", sources[i][0], rest, platform);
        if (strstr(shown, expected))
            TAP_TRUE(strstr(shown, expected) != NULL);
        else
            TAP_STR(shown, expected);
    }
    tap.row = NULL;
}

static const char *join(const char *a, const char *b)
{
    return arena_join(&arena, a, ",", b, NULL);
}

static void test_one(void)
{
    struct made made = {.count = 0}, empty = {.count = 0}, no_layer = {.count = 0};

    made_layout(&made, made_image(&made, "amd64", two, NAME("a")));
    check(&made, "", "amd64", "amd64: layer one|layer two|layer one");
    check(&made, ":a", "amd64", "amd64: layer one|layer two|layer one");
    check(&made, ":@0", "arm64", "amd64: layer one|layer two|layer one");
    check(&made, ":b", "amd64", "index.json has no image of that name; it has a");
    check(&made, ":@1", "amd64", "index.json has 1 entries, from @0, and number 1 is not there");
    made_layout(&no_layer, made_image(&no_layer, "amd64", none, ""));
    check(&no_layer, "", "amd64", "amd64:");
    made_layout(&empty, "");
    check(&empty, "", "amd64", "index.json lists no image");
}

static void test_several(void)
{
    struct made made = {.count = 0}, unnamed = {.count = 0};

    made_layout(&made, join(made_image(&made, "amd64", one, NAME("a")),
                            made_image(&made, "amd64", three, NAME("b:1"))));
    check(&made, ":a", "amd64", "amd64: layer one");
    check(&made, ":b:1", "amd64", "amd64: layer three");
    check(&made, ":@1", "amd64", "amd64: layer three");
    check(&made, "", "amd64", "it holds several images: name one of a, b:1, after a colon");
    check(&made, ":c", "amd64", "index.json has no image of that name; it has a, b:1");
    made_layout(&unnamed,
                join(made_image(&unnamed, "amd64", one, ""), made_image(&unnamed, "amd64", three, "")));
    check(&unnamed, "", "amd64", "it holds several images: name one of @0, @1, after a colon");
    check(&unnamed, ":@1", "amd64", "amd64: layer three");
}

/* As Docker names them: one name, two images. */
static void test_full_names(void)
{
    struct made made = {.count = 0};

    made_layout(&made,
                join(made_image(&made, "amd64", one, NAMES("latest", "docker.io/library/a:latest")),
                     made_image(&made, "amd64", three, NAMES("latest", "docker.io/library/b:latest"))));
    check(&made, ":docker.io/library/b:latest", "amd64", "amd64: layer three");
    check(
        &made, ":latest", "amd64",
        "it holds several images: name one of docker.io/library/a:latest, docker.io/library/b:latest, after");
}

static void test_platforms(void)
{
    struct made made = {.count = 0}, nested = {.count = 0};
    const char *inner, *outer;

    made_layout(&made, join(made_image(&made, "amd64", one, FOR("amd64")),
                            made_image(&made, "arm64", three, FOR("arm64"))));
    check(&made, "", "amd64", "amd64: layer one");
    check(&made, "", "arm64", "arm64: layer three");
    check(&made, "", "riscv64", "no image for linux/riscv64: there are images for linux/amd64, linux/arm64");
    inner = made_index(join(made_image(&nested, "amd64", one, FOR("amd64")),
                            made_image(&nested, "arm64", three, FOR("arm64"))));
    outer = made_index(made_blob(&nested, OCI "index.v1+json", inner, ""));
    made_layout(&nested, made_blob(&nested, OCI "index.v1+json", outer, NAME("deep")));
    check(&nested, "", "amd64", "amd64: layer one");
    check(&nested, ":deep", "arm64", "arm64: layer three");
    check(&nested, "", "s390x", "no image for linux/s390x");
}

static void test_nested_too_deep(void)
{
    struct made made = {.count = 0};
    const char *entry = made_image(&made, "amd64", one, "");

    for (int i = 0; i < OCI_NESTING_MAX; i++)
        entry = made_blob(&made, OCI "index.v1+json", made_index(entry), "");
    made_layout(&made, entry);
    check(&made, "", "amd64", "amd64: layer one");
    made.count -= 2;
    made_layout(&made, made_blob(&made, OCI "index.v1+json", made_index(entry), ""));
    check(&made, "", "amd64", "indexes lie in indexes more than 4 deep");
}

/* What is not an image is not counted. */
static void test_others(void)
{
    struct made made = {.count = 0};
    const char *attestation = made_blob(&made, OCI "manifest.v1+json", "{}", FOR("unknown") NAME("x"));
    const char *other = made_blob(&made, "application/x-other", "other", NAME("y"));

    attestation = made_blob(&made, OCI "manifest.v1+json", "{}",
                            ",\"platform\":{\"os\":\"unknown\",\"architecture\":\"unknown\"}");
    made_layout(&made, join(join(attestation, other), made_image(&made, "amd64", one, NAME("a"))));
    check(&made, "", "amd64", "amd64: layer one");
    check(&made, ":y", "amd64", "no image of that name; it has a");
    check(&made, ":@0", "amd64", "index.json has 3 entries, from @0, and number 0 is no image");
    check(&made, ":@2", "amd64", "amd64: layer one");
}

/* A layout whose file NAME holds TEXT. */
static struct made with(const char *name, const char *text)
{
    struct made made = {.count = 0};

    made_layout(&made, made_image(&made, "amd64", two, NAME("a")));
    made_find(&made, name)->bytes = text;
    made_find(&made, name)->length = strlen(text);
    return made;
}

static struct made without(const char *name)
{
    struct made made = with(name, "");
    struct made_file *file = made_find(&made, name);

    *file = made.files[--made.count];
    return made;
}

static void test_broken(void)
{
    const struct {
        struct made made;
        const char *error;
    } rows[] = {
        {without("oci-layout"), "it has no file oci-layout: this is no OCI image layout"},
        {without("index.json"), "it has no file index.json: this is no OCI image layout"},
        {with("oci-layout", "{}"), "oci-layout: imageLayoutVersion is missing"},
        {with("oci-layout", "{\"imageLayoutVersion\":\"2.0.0\"}"),
         "imageLayoutVersion is 2.0.0, and 1.0.0 is supported"},
        {with("index.json", "{"), "index.json: manifest: line 1, column 2"},
        {with("index.json", "{\"schemaVersion\":2,\"layers\":[]}"),
         "index.json: index: an index has the member layers"},
        {with("index.json", made_index("{\"mediaType\":\"" OCI "manifest.v1+json\",\"size\":2,"
                                       "\"digest\":\"sha256:../../../../../../etc/passwd\"}")),
         "manifests[0].digest is sha256:../../../../../../etc/passwd and must be"},
        {with("index.json",
              made_index("{\"mediaType\":\"" OCI "manifest.v1+json\",\"size\":99999999999,\"digest\":"
                         "\"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"}")),
         "is missing: the "},
        {without(made_blob_name(made_digest("layer two"))), "is missing: the "},
        {with(made_blob_name(made_digest("layer two")), "layer tw"),
         "has 8 bytes, and 9 are said: it is not complete"},
        {without(made_blob_name(made_digest(made_config("amd64", two)))), "configuration: blob sha256:"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        check(&rows[i].made, "", "amd64", rows[i].error);
}

/* One byte of the configuration, then of the manifest, is another. */
static void test_changed(void)
{
    const char *config = made_config("amd64", two);
    char *changed = arena_strdup(&arena, config);
    struct made made;

    changed[strlen(changed) - 2] = ' ';
    made = with(made_blob_name(made_digest(config)), changed);
    check(&made, "", "amd64", "it was changed; copy it again");
    made = with(made_blob_name(made_digest(config)), config);
    for (size_t i = 0; i < made.count; i++)
        if (strncmp(made.files[i].bytes, "{\"schemaVersion\":2,\"config\"", 26) == 0)
            made.files[i].bytes = arena_join(&arena, " ", made.files[i].bytes + 1, NULL);
    check(&made, "", "amd64", "it was changed; copy it again");
}

/* A layer that is not there, as it may not be given away. */
static void test_foreign(void)
{
    const char *manifest;
    struct made made = {.count = 0};

    manifest = arena_printf(&arena, "{\"schemaVersion\":2,\"config\":%s,\"layers\":[%s]}",
                            made_blob(&made, OCI "config.v1+json", made_config("amd64", one), ""),
                            made_blob(&made, OCI "layer.nondistributable.v1.tar", "layer one",
                                      ",\"urls\":[\"https://example.com/layer\"]"));
    made_layout(&made, made_blob(&made, OCI "manifest.v1+json", manifest, ""));
    check(&made, "", "amd64", "amd64: layer one");
    *made_find(&made, made_blob_name(made_digest("layer one"))) = made.files[--made.count];
    check(&made, "", "amd64", "foreign layer, which may not be distributed: blob sha256:");
}

/* The configuration has other layers than the manifest. */
static void test_count(void)
{
    struct made made = {.count = 0};
    const char *manifest = arena_printf(&arena, "{\"schemaVersion\":2,\"config\":%s,\"layers\":[%s]}",
                                        made_blob(&made, OCI "config.v1+json", made_config("amd64", two), ""),
                                        made_blob(&made, OCI "layer.v1.tar", "layer one", ""));

    made_layout(&made, made_blob(&made, OCI "manifest.v1+json", manifest, ""));
    check(&made, "", "amd64", "the manifest has 1 layers, and the configuration rootfs.diff_ids of 3");
}

int main(void)
{
    made_begin();
    test_one();
    test_several();
    test_full_names();
    test_platforms();
    test_nested_too_deep();
    test_others();
    test_broken();
    test_changed();
    test_foreign();
    test_count();
    made_end();
    return tap_done();
}
