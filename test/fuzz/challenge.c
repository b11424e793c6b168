/*
 * Fuzz target: WWW-Authenticate as a registry may send it. Finds crashes, leaks and
 * results that break the contract of lib/registry/challenge.h.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "registry/challenge.h"

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

static void check_text(const char *text, size_t limit)
{
    if (!text)
        return;
    check(strlen(text) <= limit);
    for (; *text; text++)
        check((unsigned char)*text >= 0x20 && *text != 0x7F);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct arena arena;
    const struct challenge *list;
    int count = 0;

    arena_init(&arena, no_memory);
    list = challenge_parse((const char *)bytes, length, &arena);
    for (const struct challenge *c = list; c; c = c->next) {
        count++;
        check(*c->scheme);
        for (const char *p = c->scheme; *p; p++)
            check(*p > ' ' && *p < 0x7F && !(*p >= 'A' && *p <= 'Z'));
        check_text(c->scheme, length);
        check_text(c->realm, length);
        check_text(c->service, length);
        check_text(c->scope, length);
        check_text(c->error, length);
    }
    check(count <= CHALLENGE_MAX);
    challenge_find(list, "bearer");
    arena_free(&arena);
    return 0;
}
