/*
 * Fuzz target: what other systems left in an image. The first byte chooses the
 * system, the rest are its files, with "\n--\n" between them: rc or environment,
 * rc.local or metadata.json, environment. Finds crashes, leaks and results that break
 * the contract of lib/foreign/foreign.h.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "foreign/foreign.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static const char separator[] = "\n--\n";

struct input {
    const char *bytes;
    size_t length;
    int is_enroot;
};

static void __attribute__((noreturn)) no_memory(void)
{
    abort();
}

static void check(int holds)
{
    if (!holds)
        abort();
}

static const char *find_separator(const char *bytes, size_t length)
{
    for (size_t i = 0; i + strlen(separator) <= length; i++)
        if (memcmp(bytes + i, separator, strlen(separator)) == 0)
            return bytes + i;
    return NULL;
}

/* Part INDEX of the input; without bytes where there are fewer. */
static struct input part(struct input input, int index)
{
    for (;; index--) {
        const char *end = find_separator(input.bytes, input.length);
        const size_t size = end ? (size_t)(end - input.bytes) : input.length;

        if (index == 0)
            return (struct input){input.bytes, size, 0};
        if (!end)
            return (struct input){NULL, 0, 0};
        input.bytes += size + strlen(separator);
        input.length -= size + strlen(separator);
    }
}

static enum foreign_found read_part(void *context, const char *path, struct str *out)
{
    static const char *const names[][3] = {{"ch/environment", "ch/metadata.json", ""},
                                           {"etc/rc", "etc/rc.local", "etc/environment"}};
    const struct input *input = context;

    for (int i = 0; i < 3; i++) {
        struct input found;

        if (strcmp(names[input->is_enroot][i], path) != 0)
            continue;
        found = part(*input, i);
        if (!found.bytes)
            return FOREIGN_ABSENT;
        str_add_bytes(out, found.bytes, found.length);
        return FOREIGN_FOUND;
    }
    return FOREIGN_ABSENT;
}

static int is_directory(void *context, const char *path)
{
    (void)context, (void)path;
    return 0;
}

static void check_list(char *const *list)
{
    check(!list || list[0] != NULL);
    for (; list && *list; list++)
        check(strlen(*list) < SIZE_MAX); /* reads it to its end */
}

static void check_foreign(const struct foreign *foreign, struct arena *arena)
{
    char variable[] = "HOME=/home/somebody";
    char *const environment[] = {variable, NULL};

    check(foreign->variable_count <= FOREIGN_VARIABLES_LIMIT && foreign->origin != NULL);
    for (size_t i = 0; i < foreign->variable_count; i++) {
        const struct foreign_variable *one = &foreign->variables[i];
        const char *value = foreign_expand(foreign, one->value, 1000, environment, arena);

        check(*one->name && !strchr(one->name, '=') && !strchr(one->value, '\n'));
        check(value == one->value || strlen(value) <= 1000);
    }
    check(!foreign->workdir || *foreign->workdir);
    check_list(foreign->entrypoint);
    check_list(foreign->cmd);
}

static void parse(const char *bytes, size_t length, struct arena *arena, struct err *err)
{
    struct foreign foreign;

    if (foreign_parse(&foreign, bytes, length, arena, err) < 0)
        check(err->id == ERR_IMAGE_CONFIG);
    else
        check_foreign(&foreign, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct input input = {(const char *)bytes + 1, length - 1, length && (bytes[0] & 1)};
    const struct foreign_source source = {read_part, is_directory, &input};
    struct arena arena;
    struct err err = {.id = ERR_COUNT};
    struct str collected = {.arena = &arena};

    arena_init(&arena, no_memory);
    parse((const char *)bytes, length, &arena, &err); /* as it would come from a server */
    if (length && foreign_collect(&collected, &source, &err) == 0 && collected.length) {
        check(foreign_is(collected.data, collected.length));
        parse(collected.data, collected.length, &arena, &err);
    }
    arena_free(&arena);
    return 0;
}
