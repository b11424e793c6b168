#include "oci/manifest.h"

#include "base/str.h"
#include "sample.h"

static void test_whole(void)
{
    const struct oci_manifest *manifest = &document.manifest;

    /* The image-spec's own example, with members that we ignore. */
    TAP_OK(parse_as(
               "{\"schemaVersion\":2,\"mediaType\":\"" MANIFEST_TYPE "\","
               "\"config\":{\"mediaType\":\"" OCI "config.v1+json\",\"size\":7023,\"digest\":\"" SHA512 "\"},"
               "\"layers\":["
               "{\"mediaType\":\"" OCI "layer.v1.tar+gzip\",\"size\":0,\"digest\":\"" SHA256 "\"},"
               "{\"mediaType\":\"" OCI "layer.v1.tar+zstd\",\"size\":9223372036854775807,\"digest\":\"" SHA256
               "\",\"data\":\"AA==\",\"urls\":[\"https://example.com/x\"],\"annotations\":{\"a\":\"b\"}}],"
               "\"subject\":{\"mediaType\":\"x\",\"size\":7682,\"digest\":\"../x\"},"
               "\"annotations\":{\"com.example.key1\":\"value1\"}}",
               MANIFEST_TYPE),
           err);
    TAP_STR(manifest->config.media_type, OCI "config.v1+json");
    TAP_STR(manifest->config.digest, SHA512);
    TAP_INT(manifest->config.size, 7023);
    TAP_INT(manifest->layer_count, 2);
    TAP_INT(manifest->layers[0].blob.size, 0);
    TAP_INT(manifest->layers[1].blob.size, INT64_MAX);
    TAP_STR(manifest->layers[1].blob.digest, SHA256);
    TAP_INT(manifest->layers[1].is_foreign, 0);
    TAP_OK(parse_as(MANIFEST("", ""), NULL), err);
    TAP_INT(manifest->layer_count, 0);
    TAP_OK(parse_as("{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":null}", MANIFEST_TYPE), err);
    TAP_INT(manifest->layer_count, 0);
}

static void test_layer_types(void)
{
    static const struct {
        const char *type;
        int is_foreign;
    } rows[] = {
        {OCI "layer.v1.tar", 0},
        {OCI "layer.v1.tar+gzip", 0},
        {OCI "layer.v1.tar+zstd", 0},
        {DOCKER "image.rootfs.diff.tar", 0},
        {DOCKER "image.rootfs.diff.tar.gzip", 0},
        {DOCKER "image.rootfs.diff.tar.zstd", 0},
        {OCI "layer.nondistributable.v1.tar", 1},
        {OCI "layer.nondistributable.v1.tar+gzip", 1},
        {OCI "layer.nondistributable.v1.tar+zstd", 1},
        {DOCKER "image.rootfs.foreign.diff.tar", 1},
        {DOCKER "image.rootfs.foreign.diff.tar.gzip", 1},
        {DOCKER "image.rootfs.foreign.diff.tar.zstd", 1},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap.row = rows[i].type;
        TAP_OK(parse_as(arena_printf(&arena,
                                     "{\"schemaVersion\":2,\"config\":%s,\"layers\":[{\"mediaType\":\"%s\","
                                     "\"digest\":\"%s\",\"size\":1,\"urls\":[\"https://example.com/\"]}]}",
                                     CONFIG, rows[i].type, SHA256),
                        NULL),
               err);
        TAP_INT(document.manifest.layers[0].is_foreign, rows[i].is_foreign);
    }
    tap.row = NULL;
}

#define WITH_CONFIG(config) "{\"schemaVersion\":2,\"config\":" config ",\"layers\":[]}"
#define DIGEST(digest) \
    MANIFEST("", "{\"mediaType\":\"" OCI "layer.v1.tar\",\"size\":1,\"digest\":\"" digest "\"}")
#define SIZE(size) MANIFEST("", BLOB(OCI "layer.v1.tar", size, ""))

static const struct {
    const char *text;
    const char *error;
} bad[] = {
    /* Members. */
    {"{\"schemaVersion\":2,\"layers\":[]}", "manifest: config is missing"},
    {"{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":{}}", "layers must be an array and is an object"},
    {WITH_CONFIG("[]"), "config must be an object and is an array"},
    {WITH_CONFIG("{}"), "config.mediaType is missing"},
    {WITH_CONFIG("{\"mediaType\":\"\"}"), "config.mediaType is missing"},
    {WITH_CONFIG("{\"mediaType\":\"x\"}"), "config.digest is missing"},
    {WITH_CONFIG("{\"mediaType\":\"x\",\"digest\":\"" SHA256 "\"}"), "config.size is missing"},
    {MANIFEST("", LAYER ",7"), "layers[1] must be an object and is a number"},
    {MANIFEST("", LAYER ",{\"mediaType\":1}"), "layers[1].mediaType must be a string and is a number"},
    {MANIFEST("", "{\"mediaType\":\"x\",\"mediaType\":\"y\"}"), "has the member mediaType twice"},
    /* Digests. */
    {DIGEST("sha256:../../../../etc/passwd"),
     "layers[0].digest is sha256:../../../../etc/passwd and must be"},
    {DIGEST("../../x"), "layers[0].digest is ../../x"},
    {DIGEST("/etc/passwd"), "layers[0].digest is /etc/passwd"},
    {DIGEST("sha256:"), "must be sha256: or sha512:"},
    {DIGEST("sha256:" HEX64 "0"), "must be sha256: or sha512:"},
    {DIGEST("sha256:" HEX64 "/"), "must be sha256: or sha512:"},
    {DIGEST("sha512:" HEX64), "must be sha256: or sha512:"},
    {DIGEST("sha256:" HEX64 HEX64), "must be sha256: or sha512:"},
    {DIGEST("sha256:ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789"), "in lower case"},
    {DIGEST("SHA256:" HEX64), "must be sha256: or sha512:"},
    {DIGEST("md5:0123456789abcdef0123456789abcdef"), "must be sha256: or sha512:"},
    {DIGEST("blake3:" HEX64), "must be sha256: or sha512:"},
    {DIGEST(HEX64), "must be sha256: or sha512:"},
    /* Sizes. */
    {SIZE("-1"), "layers[0].size must be a number of bytes and is -1"},
    {SIZE("9223372036854775808"), "must be a number of bytes and is 9223372036854775808"},
    {SIZE("99999999999999999999999999"), "must be a number of bytes"},
    {SIZE("1.5"), "must be a number of bytes and is 1.5"},
    {SIZE("1e3"), "must be a number of bytes and is 1e3"},
    {SIZE("\"1\""), "layers[0].size must be a number and is a string"},
    {SIZE("null"), "layers[0].size is missing"},
    /* Layers of other types. */
    {MANIFEST("", BLOB(OCI "layer.v1.tar+gzip+encrypted", "1", "")), "encrypted layers are not supported"},
    {MANIFEST("", BLOB(OCI "layer.v1.tar+bzip2", "1", "")),
     "which is not supported; layers may be tar, tar+gzip"},
    {MANIFEST("", BLOB("application/vnd.oci.empty.v1+json", "2", "")), "which is not supported"},
    {MANIFEST("", BLOB("application/octet-stream", "2", "")), "which is not supported"},
    /* Artifacts. */
    {WITH_CONFIG(BLOB("application/vnd.cncf.helm.config.v1+json", "1", "")),
     "not a container image but an artifact of type application/vnd.cncf.helm.config.v1+json"},
    {"{\"schemaVersion\":2,\"artifactType\":\"application/x-model\",\"config\":" BLOB(
         "application/vnd.oci.empty.v1+json", "2", "") ",\"layers\":[]}",
     "an artifact of type application/x-model"},
    {WITH_CONFIG(BLOB("application/vnd.sylabs.sif.config.v1+json", "1", "")), "a SIF file in a registry"},
    {WITH_CONFIG(BLOB(DOCKER "plugin.v1+json", "1", "")), "an artifact of type " DOCKER "plugin.v1+json"},
};

static void test_bad(void)
{
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        tap.row = bad[i].text;
        TAP_ERR(parse_as(bad[i].text, MANIFEST_TYPE), err, ERR_IMAGE_MANIFEST, bad[i].error);
    }
    tap.row = NULL;
}

static const char *with_layers(int count)
{
    struct str text = {.arena = &arena};

    str_add(&text, "{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":[" LAYER);
    for (int i = 1; i < count; i++)
        str_add(&text, "," LAYER);
    str_add(&text, "]}");
    return str_text(&text);
}

static void test_many_layers(void)
{
    TAP_OK(parse_as(with_layers(OCI_LAYERS_MAX), NULL), err);
    TAP_INT(document.manifest.layer_count, OCI_LAYERS_MAX);
    TAP_ERR(parse_as(with_layers(OCI_LAYERS_MAX + 1), NULL), err, ERR_IMAGE_MANIFEST,
            "there are 1025 layers, and 1024 is the limit");
    TAP_ERR(parse_as(with_layers(5000), NULL), err, ERR_IMAGE_MANIFEST, "more than 16384 values");
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    test_whole();
    test_layer_types();
    test_bad();
    test_many_layers();
    arena_free(&arena);
    return tap_done();
}
