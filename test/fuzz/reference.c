/*
 * Fuzz target: an image's reference. Finds crashes, leaks, results that break the
 * contract of lib/reference/reference.h, and references that are not the same when
 * they are printed and read again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "reference/reference.h"

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

static void check_length(const char *text, size_t limit)
{
    check(!text || (*text && strlen(text) <= limit));
}

static void check_parts(const struct reference *reference)
{
    const int is_name = reference->transport == REFERENCE_REGISTRY;
    const int is_layout =
        reference->transport == REFERENCE_OCI || reference->transport == REFERENCE_OCI_ARCHIVE;
    const int is_archive = reference->transport == REFERENCE_DOCKER_ARCHIVE;

    check(is_name == !reference->path && (!is_name || reference->repository));
    check(is_name || !reference->digest);
    check(is_name || is_archive || !reference->repository);
    check(reference->repository || (!reference->domain && !reference->tag));
    check(is_layout || !reference->name);
    check(is_layout || is_archive || reference->index < 0);
    check(reference->index <= REFERENCE_INDEX_MAX);
    check(reference->index < 0 || (!reference->name && !reference->repository));
    check_length(reference->path, SIZE_MAX);
    check_length(reference->name, SIZE_MAX);
    check_length(reference->domain, REFERENCE_HOST_MAX + strlen(":65535"));
    check_length(reference->repository, REFERENCE_REPOSITORY_MAX);
    check_length(reference->tag, REFERENCE_TAG_MAX);
    check(!reference->digest || strlen(reference->digest) == strlen("sha256:") + 64 ||
          strlen(reference->digest) == strlen("sha512:") + 128);
}

static void check_text(const char *a, const char *b)
{
    check(a && b ? strcmp(a, b) == 0 : a == b);
}

static void check_same(const struct reference *a, const struct reference *b)
{
    check(a->transport == b->transport && a->index == b->index);
    check_text(a->path, b->path);
    check_text(a->domain, b->domain);
    check_text(a->repository, b->repository);
    check_text(a->tag, b->tag);
    check_text(a->digest, b->digest);
    check_text(a->name, b->name);
}

static void check_printed(const struct reference *reference, struct arena *arena)
{
    const char *printed = reference_print(reference, arena);
    struct reference again;
    struct err err;

    check(reference_parse(&again, printed, arena, ERR_USAGE, &err) == 0);
    check_same(reference, &again);
    check_text(reference_print(&again, arena), printed);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct reference reference;
    struct arena arena;
    struct err err = {.id = ERR_COUNT};
    const char *text;

    arena_init(&arena, no_memory);
    text = arena_strndup(&arena, (const char *)bytes, length);
    if (reference_parse(&reference, text, &arena, ERR_USAGE, &err) < 0) {
        check(err.id == ERR_USAGE);
        check(strncmp(err.text, "image ", strlen("image ")) == 0);
        check(str_is_utf8(err.text, strlen(err.text)));
    } else {
        check(err.id == ERR_COUNT);
        check_parts(&reference);
        check_printed(&reference, &arena);
    }
    arena_free(&arena);
    return 0;
}
