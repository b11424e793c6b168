/* What is written about images. */
#include "layout/documents.h"

#include "../../tap.h"

static struct arena arena;
static struct err err;

#define A "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static const struct written layers[] = {
    {.media_type = "type-a", .digest = B, .diff_id = A, .size = 1, .name = "a.tar"},
    {.media_type = "type-b", .digest = A, .diff_id = B, .size = UINT64_MAX, .name = "b.tar"},
};

static const char *config(const char *source, size_t count, const char *architecture)
{
    struct layout_write write = {.layer_count = count,
                                 .config = source,
                                 .config_length = source ? strlen(source) : 0,
                                 .platform = {NULL, architecture, ""}};
    struct oci_platform platform;
    const char *bytes;
    size_t length;

    if (document_config(&write, layers, &bytes, &length, &platform, &arena, &err) < 0)
        return err.text;
    if (bytes == source)
        return "as it is";
    return arena_printf(&arena, "%s %s", bytes, platform.architecture);
}

#define MANIFEST(media, config, layers)                         \
    "{\"schemaVersion\":2,\"annotations\":{\"a\":\"b\"}," media \
    "\"config\":{\"mediaType\":\"application/vnd." config "}, \"layers\":[" layers "]}"
#define BLOB(type, digest, size) "{\"mediaType\":\"" type "\",\"digest\":\"" digest "\",\"size\":" size "}"
#define OCI_CONFIG "oci.image.config.v1+json\",\"digest\":\"" A "\",\"size\":7"
#define LAYERS BLOB(DOCUMENT_LAYER "+gzip", B, "1") "," BLOB(DOCUMENT_LAYER, A, "2")

static const struct {
    const char *manifest;
    int is_kept;
} manifests[] = {
    {MANIFEST("", OCI_CONFIG, LAYERS), 1},
    {MANIFEST("\"mediaType\":\"" DOCUMENT_MANIFEST "\",", OCI_CONFIG, LAYERS), 1},
    {MANIFEST("", OCI_CONFIG, BLOB(DOCUMENT_FOREIGN_LAYER "+gzip", B, "1") "," BLOB(DOCUMENT_LAYER, A, "2")),
     1},
    {NULL, 0},
    {"{", 0},
    {"{\"schemaVersion\":2,\"manifests\":[]}", 0},
    {MANIFEST("\"mediaType\":\"application/vnd.docker.distribution.manifest.v2+json\",", OCI_CONFIG, LAYERS),
     0},
    {MANIFEST("", "docker.container.image.v1+json\",\"digest\":\"" A "\",\"size\":7", LAYERS), 0},
    {MANIFEST("", "oci.image.config.v1+json\",\"digest\":\"" B "\",\"size\":7", LAYERS), 0},
    {MANIFEST("", "oci.image.config.v1+json\",\"digest\":\"" A "\",\"size\":8", LAYERS), 0},
    {MANIFEST("", OCI_CONFIG, BLOB(DOCUMENT_LAYER "+gzip", B, "1")), 0},
    {MANIFEST("", OCI_CONFIG, LAYERS "," BLOB(DOCUMENT_LAYER, A, "2")), 0},
    {MANIFEST("", OCI_CONFIG, BLOB(DOCUMENT_LAYER, A, "2") "," BLOB(DOCUMENT_LAYER "+gzip", B, "1")), 0},
    {MANIFEST("", OCI_CONFIG, BLOB(DOCUMENT_LAYER "+gzip", B, "1") "," BLOB(DOCUMENT_LAYER, A, "3")), 0},
    {MANIFEST("", OCI_CONFIG, BLOB(DOCUMENT_LAYER "+gzip", B, "1") "," BLOB(DOCUMENT_LAYER "+zstd", A, "2")),
     0},
    {MANIFEST(
         "", OCI_CONFIG,
         BLOB("application/vnd.docker.image.rootfs.diff.tar.gzip", B, "1") "," BLOB(DOCUMENT_LAYER, A, "2")),
     0},
};

static void check_kept(void)
{
    static const struct written its_config = {.media_type = DOCUMENT_CONFIG, .digest = A, .size = 7},
                                its_layers[] = {
                                    {.media_type = DOCUMENT_LAYER "+gzip", .digest = B, .size = 1},
                                    {.media_type = DOCUMENT_LAYER, .digest = A, .size = 2}};

    for (size_t i = 0; i < sizeof(manifests) / sizeof(manifests[0]); i++) {
        const char *text = manifests[i].manifest;
        const struct layout_write write = {
            .layer_count = 2, .manifest = text, .manifest_length = text ? strlen(text) : 0};

        tap.row = text;
        TAP_INT(document_is_kept(&write, &its_config, its_layers, &arena), manifests[i].is_kept);
    }
    tap.row = NULL;
}

static void check_config(void)
{
    TAP_STR(config(NULL, 1, "arm64"),
            "{\"architecture\":\"arm64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\","
            "\"diff_ids\":[\"" A "\"]}} arm64");
    TAP_STR(config(NULL, 0, NULL), "{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":"
                                   "\"layers\",\"diff_ids\":[]}} amd64");
    TAP_STR(
        config(
            "{\"architecture\":\"s390x\",\"os\":\"linux\", \"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" A
            "\",\"" B "\"]}}",
            2, NULL),
        "as it is");
    TAP_STR(
        config(
            "{\"history\":[{},{},{}],\"created\":\"2020-01-01T00:00:00Z\",\"architecture\":\"s390x\",\"os\":"
            "\"linux\",\"x\\\"\":[1.50],\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" B "\"]}}",
            1, NULL),
        "{\"created\":\"2020-01-01T00:00:00Z\",\"architecture\":\"s390x\",\"os\":\"linux\",\"x\\\"\":[1.50],"
        "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" A
        "\"]},\"history\":[{\"created\":\"2020-01-01T00:00:00Z\",\"created_by\":\"coracle convert\"}]} "
        "s390x");
    /* Of a SquashFS that says how it is run and nothing else. */
    TAP_STR(
        config("{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{\"Env\":[\"A=\\u00e9\"]}}", 1, NULL),
        "{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{\"Env\":[\"A=\xC3\xA9\"]},\"rootfs\":{"
        "\"type\":"
        "\"layers\",\"diff_ids\":[\"" A "\"]},\"history\":[{\"created_by\":\"coracle convert\"}]} amd64");
    TAP_STR(config("{\"os\":\"linux\"}", 0, "riscv64"),
            "{\"os\":\"linux\",\"architecture\":\"riscv64\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]},"
            "\"history\":[]} riscv64");
    TAP_TRUE(strstr(config("[]", 1, NULL), "image configuration: it is an array") != NULL);
    TAP_TRUE(strstr(config("{", 1, NULL), "image configuration: line 1") != NULL);
    TAP_INT(err.id, ERR_IMAGE_CONFIG);
}

static void check_manifests(void)
{
    const struct written blob = {.media_type = "type", .digest = A, .size = 2, .name = "c\".json"};
    struct str out = {.arena = &arena};

    document_manifest(&out, &blob, layers, 2);
    TAP_STR(str_text(&out),
            "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\","
            "\"config\":{\"mediaType\":\"type\",\"digest\":\"" A "\",\"size\":2},\"layers\":["
            "{\"mediaType\":\"type-a\",\"digest\":\"" B "\",\"size\":1},"
            "{\"mediaType\":\"type-b\",\"digest\":\"" A "\",\"size\":18446744073709551615}]}");
    out = (struct str){.arena = &arena};
    document_saved(&out, &blob, layers, 2, "a/b:1");
    TAP_STR(str_text(&out),
            "[{\"Config\":\"c\\\".json\",\"RepoTags\":[\"a/b:1\"],\"Layers\":[\"a.tar\",\"b.tar\"]}]\n");
    out = (struct str){.arena = &arena};
    document_saved(&out, &blob, layers, 0, NULL);
    TAP_STR(str_text(&out), "[{\"Config\":\"c\\\".json\",\"RepoTags\":null,\"Layers\":[]}]\n");
}

static const char *add(const char *old, const char *name)
{
    const struct written blob = {.media_type = "type", .digest = A, .size = 2};
    const struct oci_platform platform = {"linux", "arm", "v7"};
    const struct index_text text = {old, old ? strlen(old) : 0};
    struct str out = {.arena = &arena};

    return document_index(&out, old ? &text : NULL, &blob, &platform, name, &err) < 0 ? err.text
                                                                                      : str_text(&out);
}

#define ENTRY                                                                                                \
    "{\"mediaType\":\"type\",\"digest\":\"" A "\",\"size\":2,\"platform\":{\"architecture\":\"arm\",\"os\":" \
    "\"linux\",\"variant\":\"v7\"}"
#define NAMED(name) "\"annotations\":{\"org.opencontainers.image.ref.name\":\"" name "\"}}"

static void check_index(void)
{
    TAP_STR(add(NULL, NULL), "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\","
                             "\"manifests\":[" ENTRY "}]}");
    TAP_STR(add("{\"manifests\":[{\"x\":1," NAMED("a") ",{" NAMED("b") ",{}],\"more\":[null]}", "a"),
            "{\"more\":[null],\"manifests\":[{" NAMED("b") ",{}," ENTRY "," NAMED("a") "]}");
    TAP_STR(add("{\"manifests\":[{}]}", "q\""), "{\"manifests\":[{}," ENTRY "," NAMED("q\\\"") "]}");
    TAP_TRUE(strstr(add("{}", "a"), "index.json: it has no array manifests") != NULL);
    TAP_TRUE(strstr(add("[]", "a"), "index.json") != NULL);
    TAP_INT(err.id, ERR_IMAGE_MANIFEST);
}

static void check_names(void)
{
    static const char text[] = "{\"manifests\":[{" NAMED("a") ",{\"annotations\":[]},7,{" NAMED("b") "]}";
    const struct index_text index = {text, strlen(text)}, bad = {"x", 1};

    TAP_INT(document_index_has(&index, "b", &arena, &err), 1);
    TAP_INT(document_index_has(&index, "c", &arena, &err), 0);
    TAP_INT(document_index_has(&index, NULL, &arena, &err), 1);
    TAP_ERR(document_index_has(&bad, NULL, &arena, &err), err, ERR_IMAGE_MANIFEST, "index.json");
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    check_config();
    check_kept();
    check_manifests();
    check_index();
    check_names();
    arena_free(&arena);
    return tap_done();
}
