#include "made.h"

static void test_singularity(void)
{
    struct made_file whole[] = {{.path = ".singularity.d"},
                                {.path = ".singularity.d/env"},
                                {.path = ".singularity.d/runscript", .text = "#!/bin/sh\n"},
                                {.path = NULL}};
    struct made_file bare[] = {{.path = ".singularity.d"}, {.path = NULL}};

    TAP_OK(parse_made(whole), err);
    TAP_TRUE(foreign.has_scripts);
    TAP_STR(made_words(foreign.cmd), "/.singularity.d/runscript|");
    TAP_STR(made_words(foreign.entrypoint), NULL);
    TAP_OK(parse_made(bare), err);
    TAP_TRUE(!foreign.has_scripts);
    TAP_STR(made_words(foreign.cmd), NULL);
}

/* What reaches us from another process is cut anywhere, or something else. */
static void test_cut(void)
{
    struct made_file files[] = {{.path = "ch/environment", .text = "A=b\n"},
                                {.path = "ch/metadata.json", .text = "{\"cwd\":\"/x\"}"},
                                {.path = NULL}};
    struct str bytes;
    char *copy;

    TAP_OK(collect_made(&bytes, files), err);
    for (size_t length = 0; length < bytes.length; length++) {
        copy = arena_alloc(&arena, length + 1);
        memcpy(copy, bytes.data, length);
        if (foreign_parse(&foreign, copy, length, &arena, &err) < 0)
            TAP_INT(err.id, ERR_IMAGE_CONFIG);
        else
            TAP_TRUE(length == 10 || length == 10 + 8 + 4); /* behind the head, behind the first file */
    }
    TAP_TRUE(foreign_is(bytes.data, bytes.length));
    TAP_TRUE(!foreign_is("{}", 2));
    bytes.data[sizeof("\1foreign")] = 99;
    TAP_ERR(foreign_parse(&foreign, bytes.data, bytes.length, &arena, &err), err, ERR_IMAGE_CONFIG, "cut");
}

static void test_limit(void)
{
    struct str text = {.arena = &arena};
    struct made_file files[] = {{.path = "ch/environment"}, {.path = NULL}};

    for (int i = 0; i < FOREIGN_VARIABLES_LIMIT; i++)
        str_addf(&text, "A%d=\n", i);
    files[0].text = text.data;
    TAP_OK(parse_made(files), err);
    TAP_INT(foreign.variable_count, FOREIGN_VARIABLES_LIMIT);
    str_add(&text, "B=\n");
    files[0].text = text.data;
    TAP_ERR(parse_made(files), err, ERR_IMAGE_CONFIG, "/ch/environment sets more than 4096");
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    test_singularity();
    test_cut();
    test_limit();
    arena_free(&arena);
    return tap_done();
}
