#include "parts.h"

/* What is read and printed as it is written. */
static const char *const same[] = {
    "debian",
    "debian:12",
    "example.org:5000/a/b:c@" SHA256,
    "a@" SHA512,
    "[::1]:5000/a",
    "docker:dind",
    "oci",
    "oci@" SHA256,
    "dir/a:b",
    "https:1",
    /* Only with docker:// these are names in a registry. */
    "docker://oci:latest",
    "docker://oci-archive:1",
    "docker://docker-archive:1@" SHA256,
    "docker://dir:1",
    "docker://tar:1",
    "docker://sqfs:1",
    "docker://sif:1",
    "docker://docker-daemon:1",
    "docker://containers-storage:1",
    "docker://ostree:1",
    "oci:dir",
    "oci:dir:a/b:c",
    "oci:dir:@0",
    "oci-archive:a.tar:b",
    "oci-archive:a.tar:@12",
    "docker-archive:a.tar",
    "docker-archive:a.tar:b",
    "docker-archive:a.tar:example.org/b:c",
    "docker-archive:a.tar:@0",
    "dir:a:b",
    "tar:-",
    "sqfs:a b",
    "sif:a",
    "/a",
    "./a",
    "../a",
    ".",
    "..",
};

static const struct {
    const char *text;
    const char *printed;
} changed[] = {
    {"docker://debian", "debian"},
    {"docker://docker:dind", "docker:dind"},
    {"docker://oci", "oci"},
    {"docker://Example.ORG:5000/a:B", "example.org:5000/a:B"},
    {"docker-archive:A.tar:Example.ORG/a:B", "docker-archive:A.tar:example.org/a:B"},
};

static void test_printed(const char *text, const char *expected)
{
    struct reference reference;
    const char *printed;

    tap.row = text;
    TAP_OK(read_reference(&reference, text), err);
    printed = reference_print(&reference, &arena);
    TAP_STR(printed, expected);
    TAP_STR(parts_of(printed), parts_of(text));
    tap.row = NULL;
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
        test_printed(same[i], same[i]);
    for (size_t i = 0; i < sizeof(changed) / sizeof(changed[0]); i++)
        test_printed(changed[i].text, changed[i].printed);
    arena_free(&arena);
    return tap_done();
}
