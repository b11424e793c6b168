#include "made.h"

#define HEAD                                                                                 \
    "# enroot-provenance: docker://registry-1.docker.io#library/x:latest\n# label value\n\n" \
    "mkdir -p \"/work dir\" 2> /dev/null\ncd \"/work dir\" && unset OLDPWD || exit 1\n\n"
#define LOCAL "if [ -s /etc/rc.local ]; then\n    . /etc/rc.local\nfi\n\n"
#define COMMENTS "# This file is sourced by /etc/rc when the container starts.\n# It can.\n"
#define RUN(a, b) "if [ $# -gt 0 ]; then\n    exec " a " \"$@\"\nelse\n    exec " b "\nfi\n"

static int parse(const char *rc, const char *local, const char *environment)
{
    struct made_file files[] = {{.path = "etc/rc", .text = rc},
                                {.path = "etc/rc.local", .text = local},
                                {.path = environment ? "etc/environment" : NULL, .text = environment},
                                {.path = NULL}};

    return parse_made(files);
}

static void test_read(void)
{
    TAP_OK(parse(HEAD LOCAL RUN("'/entry' '-e'", "'/entry' '-e' 'it'\\''s' '' 'a b'"), COMMENTS, NULL), err);
    TAP_STR(foreign.workdir, "/work dir");
    TAP_STR(made_words(foreign.entrypoint), "/entry|-e|");
    TAP_STR(made_words(foreign.cmd), "it's||a b|");
    TAP_OK(parse(HEAD LOCAL RUN("", " '/bin/sh'"), NULL, NULL), err);
    TAP_STR(made_words(foreign.entrypoint), NULL);
    TAP_STR(made_words(foreign.cmd), "/bin/sh|");
    TAP_OK(parse(HEAD RUN("'e'", "'e' "), NULL, NULL), err);
    TAP_STR(made_words(foreign.entrypoint), "e|");
    TAP_STR(made_words(foreign.cmd), NULL);
    TAP_OK(parse("mkdir -p \"/\" 2> /dev/null\ncd \"/\" && unset OLDPWD || exit 1\n" RUN("'e'", "'e'"), NULL,
                 NULL),
           err);
    TAP_STR(foreign.workdir, NULL);
}

/* Anything else is for the image's shell. */
static void test_executed(void)
{
    static const char *const rows[][2] = {
        {HEAD LOCAL RUN("'e'", "'e'"), "export A=b\n"},
        {HEAD LOCAL RUN("'e'", "'e'") "more\n", COMMENTS},
        {HEAD LOCAL RUN("'e'", "'f'"), COMMENTS},
        {HEAD LOCAL RUN("e", "e"), COMMENTS},
        {HEAD LOCAL RUN("'e", "'e"), COMMENTS},
        {HEAD LOCAL RUN("$'\\n'", "$'\\n'"), COMMENTS},
        {HEAD LOCAL "echo\n" RUN("'e'", "'e'"), COMMENTS},
        {HEAD LOCAL "if [ $# -gt 0 ]; then\n    exec 'e' \"$@\"\n", COMMENTS},
        {HEAD "if [ -s /etc/rc.local ]; then\n    rm\nfi\n" RUN("'e'", "'e'"), COMMENTS},
        {"mkdir -p \"/$A\" 2> /dev/null\ncd \"/$A\" && unset OLDPWD || exit 1\n" RUN("'e'", "'e'"), COMMENTS},
        {"# enroot-provenance: x\nexec \"$@\"\n", COMMENTS},
        {"# enroot-provenance: x", COMMENTS},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        TAP_OK(parse(rows[i][0], rows[i][1], NULL), err);
        TAP_STR(made_words(foreign.entrypoint), "/bin/sh|/etc/rc|");
        TAP_STR(made_words(foreign.cmd), NULL);
        TAP_STR(foreign.workdir, NULL);
    }
}

static void test_environment(void)
{
    TAP_OK(parse(HEAD, NULL,
                 "# comment\n"
                 "  A=b\n"
                 "Q=\"a b\" \n"
                 "S='a b'\n"
                 "\n"
                 "continued\n"
                 "1X=y\n"
                 "A-B=c\n"
                 "ENROOT_X=y\n"
                 "D=${HOME}/x\n"
                 "E=\n"
                 "CR=x\r\n"),
           err);
    TAP_STR(made_variables(), "A=b|Q=a b|S=a b|D=${HOME}/x|E=|CR=x|");
    TAP_STR(foreign.warning, NULL);
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    test_read();
    test_executed();
    test_environment();
    arena_free(&arena);
    return tap_done();
}
