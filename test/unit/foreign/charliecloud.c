/* The examples are those of ch-run(1), "Setting variables". */
#include "made.h"

static int parse(const char *environment, const char *metadata)
{
    struct made_file files[] = {{.path = "ch/environment", .text = environment},
                                {.path = metadata ? "ch/metadata.json" : NULL, .text = metadata},
                                {.path = NULL}};

    return parse_made(files);
}

static void test_lines(void)
{
    TAP_OK(parse("FOO=bar\n"
                 "EQ=bar=baz\n"
                 "\n"
                 "FLAGS='-march=foo -mtune=bar'\n"
                 "PLAIN=-march=foo -mtune=bar\n"
                 "EMPTY=\n"
                 "QUOTES=''''\n"
                 "NONE=''\n"
                 "ONE='\n"
                 "DOUBLE=\"bar\"\n"
                 "COMMENT=bar # baz\n"
                 "CR=dos\r\n"
                 "FOO=again",
                 NULL),
           err);
    TAP_STR(made_variables(), "FOO=bar|EQ=bar=baz|FLAGS=-march=foo -mtune=bar|PLAIN=-march=foo "
                              "-mtune=bar|EMPTY=|QUOTES=''|NONE=|ONE='|DOUBLE=\"bar\"|COMMENT=bar # "
                              "baz|CR=dos|FOO=again|");
    TAP_STR(foreign.warning, NULL);
}

/* ch-run stops there. */
static void test_no_lines(void)
{
    struct made_file zero[] = {{.path = "ch/environment", .text = "A=b\0c\nD=e\n", .length = 10},
                               {.path = NULL}};

    TAP_OK(parse("A=b\nFOO bar\n=bar\nC=d\n", NULL), err);
    TAP_STR(made_variables(), "A=b|C=d|");
    TAP_STR(foreign.warning,
            "/ch/environment, line 2: 'FOO bar' is not NAME=VALUE and is left out, and 1 more");
    TAP_OK(parse_made(zero), err);
    TAP_STR(made_variables(), "D=e|");
    TAP_STR(foreign.warning, "/ch/environment, line 1: A=b is not NAME=VALUE and is left out");
}

static void test_metadata(void)
{
    TAP_OK(parse("", "{\"cwd\": \"/work\", \"env\": {\"A\": \"b\"}, \"labels\": {}}"), err);
    TAP_STR(foreign.workdir, "/work");
    TAP_STR(made_variables(), "");
    TAP_OK(parse("", "{\"cwd\": \"/\"}"), err);
    TAP_STR(foreign.workdir, NULL);
    TAP_OK(parse("", "{\"cwd\": 5}"), err);
    TAP_STR(foreign.workdir, NULL);
    TAP_OK(parse("A=b", "[]"), err);
    TAP_OK(parse("A=b", "{\"cwd\""), err);
    TAP_STR(made_variables(), "A=b|");
    TAP_TRUE(foreign.warning && strstr(foreign.warning, "/ch/metadata.json is left out: line 1"));
}

/* As ch-image 0.45 writes them. */
static void test_command(void)
{
    TAP_OK(parse("", "{\"cmd\": [\"echo\", \"a b\"], \"entrypoint\": [], \"shell\": [\"/bin/sh\", \"-c\"]}"),
           err);
    TAP_STR(made_words(foreign.cmd), "echo|a b|");
    TAP_TRUE(!foreign.entrypoint);
    TAP_STR(foreign.run_origin, "image /ch/metadata.json");
    TAP_OK(parse("", "{\"cmd\": [\"c\"], \"entrypoint\": [\"e\", \"f\"]}"), err);
    TAP_STR(made_words(foreign.cmd), "e|f|c|");
    TAP_TRUE(!foreign.entrypoint);
    TAP_OK(parse("", "{\"cmd\": \"echo $A\", \"entrypoint\": [\"e\"], \"shell\": [\"/bin/bash\", \"-lc\"]}"),
           err);
    TAP_STR(made_words(foreign.cmd), "e|/bin/bash|-lc|echo $A|");
    TAP_OK(parse("", "{\"cmd\": [\"c\"], \"entrypoint\": \"echo x\"}"), err);
    TAP_STR(made_words(foreign.cmd), "/bin/sh|-c|echo x|");
    TAP_OK(parse("", "{\"cmd\": [], \"entrypoint\": []}"), err);
    TAP_TRUE(!foreign.cmd && !foreign.entrypoint);
    TAP_OK(parse("", "{\"cmd\": [\"c\", 5], \"entrypoint\": {}, \"shell\": [null]}"), err);
    TAP_TRUE(!foreign.cmd && !foreign.entrypoint);
    TAP_OK(parse("", "{\"cmd\": \"c\", \"shell\": [7]}"), err);
    TAP_STR(made_words(foreign.cmd), "/bin/sh|-c|c|");
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    test_lines();
    test_no_lines();
    test_metadata();
    test_command();
    arena_free(&arena);
    return tap_done();
}
