/*
 * Fuzz target: an image's configuration. The bytes come from whoever made the
 * image. Finds crashes, leaks and results that break the contract of
 * lib/oci/image-config.h.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "oci/image-config.h"

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

static void check_list(char *const *list, int is_env)
{
    if (!list)
        return;
    check(list[0] != NULL);
    for (; *list; list++)
        if (is_env)
            check(strchr(*list, '=') > *list);
        else
            check(strlen(*list) < SIZE_MAX); /* reads it to its end */
}

static void check_string(const char *string)
{
    check(!string || strlen(string) > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct oci_image_config config;
    struct arena arena;
    struct err err = {.id = ERR_COUNT};

    arena_init(&arena, no_memory);
    if (oci_image_config_parse(&config, (const char *)bytes, length, &arena, &err) < 0) {
        check(err.id == ERR_IMAGE_CONFIG);
        check(strncmp(err.text, "image configuration", strlen("image configuration")) == 0);
    } else {
        check(err.id == ERR_COUNT);
        check_string(config.user);
        check_string(config.workdir);
        check_list(config.env, 1);
        check_list(config.entrypoint, 0);
        check_list(config.cmd, 0);
    }
    arena_free(&arena);
    return 0;
}
