/*
 * Fuzz target: manifests and indexes. The bytes come from a registry or from whoever made
 * the image; the media type stands in the first line, where that begins with '#'. Finds
 * crashes, leaks and results that break the contracts of lib/oci/document.h and rootfs.h.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "oci/document.h"
#include "oci/rootfs.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void __attribute__((noreturn)) no_memory(void)
{
    abort();
}

static void check(int holds)
{
    if (!holds)
        abort();
}

static void check_digest(const char *digest)
{
    const char *hex = strchr(digest, ':') + 1;

    check(strncmp(digest, "sha256:", 7) == 0 || strncmp(digest, "sha512:", 7) == 0);
    check(strlen(hex) == (digest[3] == '2' ? 64 : 128));
    check(strspn(hex, "0123456789abcdef") == strlen(hex));
}

static void check_blob(const struct oci_descriptor *blob)
{
    check(*blob->media_type != '\0');
    check_digest(blob->digest);
    check(blob->size <= INT64_MAX);
}

static void check_manifest(const struct oci_manifest *manifest)
{
    check(manifest->layer_count <= OCI_LAYERS_MAX);
    check_blob(&manifest->config);
    for (size_t i = 0; i < manifest->layer_count; i++)
        check_blob(&manifest->layers[i].blob);
}

static void check_choice(const struct oci_index *index, struct arena *arena)
{
    static const char *const platforms[] = {"linux/amd64/v3", "arm64", "linux/arm/v8", "windows/amd64"};

    for (size_t i = 0; i < sizeof(platforms) / sizeof(platforms[0]); i++) {
        struct err err = {.id = ERR_COUNT};
        struct oci_platform wanted;
        const struct oci_entry *entry;

        check(oci_platform_parse(&wanted, platforms[i], arena, ERR_USAGE, &err) == 0);
        entry = oci_index_choose(index, &wanted, arena, &err);
        check(entry ? entry >= index->entries && entry < index->entries + index->count &&
                          entry->kind != OCI_ENTRY_OTHER
                    : err.id == ERR_IMAGE_PLATFORM && str_is_utf8(err.text, strlen(err.text)));
        check(!entry || !entry->platform.os || oci_platform_rank(&wanted, &entry->platform) > 0);
    }
}

static void check_index(const struct oci_index *index, struct arena *arena)
{
    check(index->count <= OCI_ENTRIES_MAX);
    for (size_t i = 0; i < index->count; i++) {
        check_blob(&index->entries[i].blob);
        check(!index->entries[i].name || *index->entries[i].name);
        check(!index->entries[i].platform.os || *oci_platform_text(&index->entries[i].platform, arena));
    }
    check_choice(index, arena);
}

static void check_document(const char *bytes, size_t length, const char *media_type, struct arena *arena)
{
    struct err err = {.id = ERR_COUNT};
    struct oci_document document;

    if (oci_document_parse(&document, bytes, length, media_type, arena, &err) < 0) {
        check(err.id == ERR_IMAGE_MANIFEST && str_is_utf8(err.text, strlen(err.text)));
        check(strncmp(err.text, "manifest: ", 10) == 0 || strncmp(err.text, "index: ", 7) == 0);
        return;
    }
    check(err.id == ERR_COUNT);
    if (document.kind == OCI_DOCUMENT_MANIFEST)
        check_manifest(&document.manifest);
    else
        check_index(&document.index, arena);
}

static void check_rootfs(const char *bytes, size_t length, struct arena *arena)
{
    struct err err = {.id = ERR_COUNT};
    struct oci_rootfs rootfs;

    if (oci_rootfs_parse(&rootfs, bytes, length, arena, &err) < 0) {
        check(err.id == ERR_IMAGE_CONFIG && str_is_utf8(err.text, strlen(err.text)));
        return;
    }
    check(rootfs.count <= OCI_LAYERS_MAX && *oci_platform_text(&rootfs.platform, arena));
    for (size_t i = 0; i < rootfs.count; i++)
        check_digest(rootfs.diff_ids[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const char *text = (const char *)bytes;
    const char *line = length && *text == '#' ? memchr(text, '\n', length) : NULL;
    const char *media_type = NULL;
    struct arena arena;

    arena_init(&arena, no_memory);
    if (line) {
        media_type = arena_strndup(&arena, text + 1, (size_t)(line - text) - 1);
        length -= (size_t)(line + 1 - text);
        text = line + 1;
    }
    check_document(text, length, media_type, &arena);
    check_rootfs(text, length, &arena);
    arena_free(&arena);
    return 0;
}
