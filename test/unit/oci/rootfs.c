#include "oci/rootfs.h"

#include "base/str.h"
#include "sample.h"

static struct oci_rootfs rootfs;

static int parse(const char *text)
{
    memset(&rootfs, 0xA5, sizeof(rootfs));
    return oci_rootfs_parse(&rootfs, text, strlen(text), &arena, &err);
}

static void test_good(void)
{
    TAP_OK(parse("{\"architecture\":\"arm\",\"variant\":\"v7\",\"os\":\"linux\",\"config\":{},"
                 "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" SHA256 "\",\"" SHA512 "\",\"" SHA256
                 "\"]}}"),
           err);
    TAP_INT(rootfs.count, 3);
    TAP_STR(rootfs.diff_ids[0], SHA256);
    TAP_STR(rootfs.diff_ids[1], SHA512);
    TAP_STR(oci_platform_text(&rootfs.platform, &arena), "linux/arm/v7");
    TAP_OK(parse("{\"rootfs\":{}}"), err);
    TAP_INT(rootfs.count, 0);
    TAP_STR(rootfs.platform.os, "");
    TAP_STR(rootfs.platform.architecture, "");
    TAP_OK(parse("{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":null}}"), err);
    TAP_OK(parse("{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}"), err);
    TAP_INT(rootfs.count, 0);
}

static void test_bad(void)
{
    static const struct {
        const char *text, *error;
    } rows[] = {
        {"", "image configuration: line 1, column 1: expected a value"},
        {"[]", "image configuration: it must be an object and is an array"},
        {"{}", "image configuration: rootfs is missing"},
        {"{\"rootfs\":[]}", "rootfs must be an object and is an array"},
        {"{\"rootfs\":{\"type\":\"layers+base\"}}", "rootfs.type is layers+base and must be layers"},
        {"{\"rootfs\":{\"type\":1}}", "rootfs.type must be a string and is a number"},
        {"{\"rootfs\":{\"diff_ids\":{}}}", "rootfs.diff_ids must be an array and is an object"},
        {"{\"rootfs\":{\"diff_ids\":[1]}}", "rootfs.diff_ids[0] is a number and must be a digest"},
        {"{\"rootfs\":{\"diff_ids\":[\"" SHA256 "\",\"sha256:../x\"]}}",
         "rootfs.diff_ids[1] is sha256:../x and must be a digest"},
        {"{\"os\":1,\"rootfs\":{}}", "image configuration: os must be a string and is a number"},
        {"{\"rootfs\":{},\"rootfs\":{}}", "has the member rootfs twice"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap.row = rows[i].text;
        TAP_ERR(parse(rows[i].text), err, ERR_IMAGE_CONFIG, rows[i].error);
    }
    tap.row = NULL;
}

static void test_many(void)
{
    struct str text = {.arena = &arena};

    str_add(&text, "{\"rootfs\":{\"diff_ids\":[\"" SHA256 "\"");
    for (int i = 0; i < OCI_LAYERS_MAX; i++)
        str_add(&text, ",\"" SHA256 "\"");
    str_add(&text, "]}}");
    TAP_ERR(parse(str_text(&text)), err, ERR_IMAGE_CONFIG,
            "there are 1025 rootfs.diff_ids, and 1024 is the limit");
}

int main(void)
{
    (void)parse_as;
    arena_init(&arena, tap_no_memory);
    test_good();
    test_bad();
    test_many();
    arena_free(&arena);
    return tap_done();
}
