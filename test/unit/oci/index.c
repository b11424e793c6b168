#include "oci/index.h"

#include "base/str.h"
#include "sample.h"

#define ANNOTATIONS(name, text) ",\"annotations\":{\"" name "\":\"" text "\"}"
#define REF_NAME "org.opencontainers.image.ref.name"
#define FULL_NAME "io.containerd.image.name"
#define ATTESTATION                                                                                  \
    ENTRY(PLATFORM("unknown", "unknown", "") ANNOTATIONS("vnd.docker.reference.type", "attestation-" \
                                                                                      "manifest"))

/* "KIND platform name full-name", an entry after the other. */
static const char *entries(void)
{
    static const char *const kinds[] = {"manifest", "index", "other"};
    struct str out = {.arena = &arena};

    for (size_t i = 0; i < document.index.count; i++) {
        const struct oci_entry *entry = &document.index.entries[i];

        str_addf(&out, "%s%s %s %s %s", i ? "; " : "", kinds[entry->kind],
                 entry->platform.os ? oci_platform_text(&entry->platform, &arena) : "-",
                 entry->name ? entry->name : "-", entry->full_name ? entry->full_name : "-");
    }
    return str_text(&out);
}

static void test_entries(void)
{
    static const struct {
        const char *list;
        const char *entries;
    } rows[] = {
        {"", ""},
        {ENTRY(""), "manifest - - -"},
        {ENTRY(",\"platform\":null,\"annotations\":null"), "manifest - - -"},
        {ENTRY(",\"platform\":{\"os\":\"\",\"architecture\":\"\"}"), "manifest - - -"},
        {ENTRY(PLATFORM("linux", "arm64", VARIANT("v8"))), "manifest linux/arm64 - -"},
        {ENTRY(PLATFORM("linux", "amd64", VARIANT("v3") ",\"os.version\":\"1\",\"os.features\":[]")),
         "manifest linux/amd64/v3 - -"},
        {ENTRY(ANNOTATIONS(REF_NAME, "a/b:c")), "manifest - a/b:c -"},
        {ENTRY(ANNOTATIONS(REF_NAME, "")), "manifest - - -"},
        {ENTRY(ANNOTATIONS(FULL_NAME, "docker.io/x:y")), "manifest - - docker.io/x:y"},
        {BLOB(DOCKER_TYPE, "1", ""), "manifest - - -"},
        {BLOB(INDEX_TYPE, "1", "") "," BLOB(LIST_TYPE, "1", ""), "index - - -; index - - -"},
        {BLOB("application/x-unknown", "1", ""), "other - - -"},
        {BLOB("application/json", "1", ""), "other - - -"},
        {ATTESTATION, "other unknown/unknown - -"},
        {ENTRY(PLATFORM("unknown", "unknown", "")), "other unknown/unknown - -"},
        {ENTRY(",\"artifactType\":\"application/x-model\""), "other - - -"},
        {ENTRY(",\"artifactType\":\"" OCI "config.v1+json\""), "manifest - - -"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap.row = rows[i].list;
        TAP_OK(parse_as(arena_printf(&arena, "{\"schemaVersion\":2,\"manifests\":[%s]}", rows[i].list), NULL),
               err);
        TAP_STR(entries(), rows[i].entries);
    }
    tap.row = NULL;
}

static void test_bad(void)
{
    static const struct {
        const char *text;
        const char *error;
    } rows[] = {
        {INDEX("", "1"), "index: manifests[0] must be an object and is a number"},
        {INDEX("", "{\"mediaType\":\"x\",\"digest\":\"sha256:../x\",\"size\":1}"),
         "manifests[0].digest is sha256:../x"},
        {INDEX("", ENTRY(",\"platform\":[]")), "manifests[0].platform must be an object and is an array"},
        {INDEX("", ENTRY(",\"platform\":{\"os\":\"linux\"}")),
         "manifests[0].platform needs both os and architecture"},
        {INDEX("", ENTRY(PLATFORM("linux", "arm", ",\"variant\":7"))),
         "manifests[0].platform.variant must be a string and is a number"},
        {INDEX("", ENTRY(",\"annotations\":{\"" REF_NAME "\":7}")),
         "manifests[0].annotations." REF_NAME " must be a string"},
        {"{\"schemaVersion\":2,\"manifests\":{}}", "manifests must be an array and is an object"},
        {"{\"schemaVersion\":2,\"mediaType\":\"" INDEX_TYPE "\"}", "index: manifests is missing"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap.row = rows[i].text;
        TAP_ERR(parse_as(rows[i].text, NULL), err, ERR_IMAGE_MANIFEST, rows[i].error);
    }
    tap.row = NULL;
}

/* The number of the entry that is chosen, or the error. */
static const char *choose(const char *list, const char *platform)
{
    struct oci_platform wanted;
    const struct oci_entry *entry;

    if (parse_as(arena_printf(&arena, "{\"schemaVersion\":2,\"manifests\":[%s]}", list), NULL) < 0 ||
        oci_platform_parse(&wanted, platform, &arena, ERR_USAGE, &err) < 0)
        return err.text;
    entry = oci_index_choose(&document.index, &wanted, &arena, &err);
    if (!entry)
        return err.id == ERR_IMAGE_PLATFORM ? err.text : "another identifier";
    return arena_printf(&arena, "%d", (int)(entry - document.index.entries));
}

#define AMD64(variant) ENTRY(PLATFORM("linux", "amd64", variant))
#define ARM(variant) ENTRY(PLATFORM("linux", "arm", variant))
#define WINDOWS ENTRY(PLATFORM("windows", "amd64", ""))
#define OTHER_DIGEST                                                       \
    "{\"mediaType\":\"" MANIFEST_TYPE "\",\"size\":1,\"digest\":\"sha256:" \
    "f123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"}"

static void test_choice(void)
{
    static const struct {
        const char *list;
        const char *platform;
        const char *chosen;
    } rows[] = {
        {AMD64("") "," ARM(VARIANT("v7")), "linux/amd64", "0"},
        {AMD64("") "," ARM(VARIANT("v7")), "arm", "1"},
        {WINDOWS "," AMD64(""), "amd64", "1"},
        {WINDOWS "," AMD64(""), "windows/amd64", "0"},
        {AMD64("") "," AMD64(VARIANT("v2")) "," AMD64(VARIANT("v3")) "," AMD64(VARIANT("v4")),
         "linux/amd64/v3", "2"},
        {AMD64("") "," AMD64(VARIANT("v2")) "," AMD64(VARIANT("v4")), "linux/amd64/v3", "1"},
        {AMD64(VARIANT("v2")) "," AMD64(VARIANT("v1")), "linux/amd64", "1"},
        {ARM(VARIANT("v5")) "," ARM(VARIANT("v6")) "," ARM(VARIANT("v7")), "linux/arm/v8", "2"},
        {ARM(VARIANT("v5")) "," ARM(VARIANT("v6")) "," ARM(VARIANT("v7")), "linux/arm/v6", "1"},
        {ARM(VARIANT("v5")) "," ARM(VARIANT("v7")), "linux/arm/v6", "0"},
        {AMD64("") "," AMD64(""), "amd64", "0"}, /* the first of equals */
        {ATTESTATION "," AMD64("") "," ATTESTATION, "amd64", "1"},
        {ENTRY(""), "amd64", "0"}, /* the only one, of which nothing is known */
        {ENTRY("") "," ARM(""), "arm", "1"},
        {ENTRY("") "," ARM(""), "amd64", "0"},
        {ENTRY("") "," ENTRY(""), "amd64", "1"}, /* one image, twice */
        {BLOB(INDEX_TYPE, "1", "") "," ATTESTATION, "amd64", "0"},
        {ARM(VARIANT("v7")) "," WINDOWS "," ARM(""), "amd64",
         "there is no image for linux/amd64: there are images for linux/arm/v7, windows/amd64 (--platform)"},
        {ARM(VARIANT("v7")), "linux/arm/v6",
         "there is no image for linux/arm/v6: there are images for linux/arm/v7 (--platform)"},
        {ENTRY(PLATFORM("linux", "\\u001b[2J", "")), "amd64",
         "there is no image for linux/amd64: there are images for $'linux/\\x1b[2j' (--platform)"},
        {"", "amd64", "there is no image in it, for linux/amd64 or any other platform"},
        {ATTESTATION, "amd64", "there is no image in it, for linux/amd64 or any other platform"},
        {ENTRY("") "," OTHER_DIGEST, "amd64",
         "there are 2 images that do not say for which platform they are: name the one for linux/amd64 by "
         "its digest"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap.row = arena_printf(&arena, "%s for %s", rows[i].list, rows[i].platform);
        TAP_STR(choose(rows[i].list, rows[i].platform), rows[i].chosen);
    }
    tap.row = NULL;
}

static const char *with_entries(int count)
{
    struct str text = {.arena = &arena};

    str_add(&text, "{\"schemaVersion\":2,\"manifests\":[" ENTRY(""));
    for (int i = 1; i < count; i++)
        str_add(&text, "," ENTRY(""));
    str_add(&text, "]}");
    return str_text(&text);
}

static void test_many(void)
{
    struct str list = {.arena = &arena};
    const char *text;

    TAP_OK(parse_as(with_entries(OCI_ENTRIES_MAX), NULL), err);
    TAP_INT(document.index.count, OCI_ENTRIES_MAX);
    TAP_ERR(parse_as(with_entries(OCI_ENTRIES_MAX + 1), NULL), err, ERR_IMAGE_MANIFEST,
            "there are 2049 manifests, and 2048 is the limit");
    for (int i = 0; i < 500; i++)
        str_addf(&list,
                 "%s{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":1,\"platform\":{\"os\":\"os%d\","
                 "\"architecture\":\"x\"}}",
                 i ? "," : "", MANIFEST_TYPE, SHA256, i);
    text = choose(str_text(&list), "amd64");
    TAP_TRUE(strstr(text, "os0/x, os1/x, ") && strstr(text, " more (--platform)"));
    TAP_TRUE(strlen(text) < 1000);
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    test_entries();
    test_bad();
    test_choice();
    test_many();
    arena_free(&arena);
    return tap_done();
}
