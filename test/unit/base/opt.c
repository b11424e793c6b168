#include "base/opt.h"

#include "../../tap.h"

static struct arena arena;
static struct err err;

/* What the setters of the rows below were called with, as one text: "bind=/a verbose ". */
struct target {
    struct str calls;
    enum err_id error; /* of the last origin */
};

static int record(void *target, const char *name, const char *value, const struct opt_origin *origin)
{
    struct target *seen = target;

    seen->error = origin->error;
    if (value)
        str_addf(&seen->calls, "%s=%s ", name, value);
    else
        str_addf(&seen->calls, "%s ", name);
    return 0;
}

static int set_bind(void *target, const char *value, const struct opt_origin *origin, struct err *out)
{
    if (strcmp(value, "bad") == 0)
        return err_set(out, origin->error, "%s: refused", origin->name);
    return record(target, "bind", value, origin);
}

static int set_verbose(void *target, const char *value, const struct opt_origin *origin, struct err *out)
{
    (void)out;
    return record(target, "verbose", value, origin);
}

static int set_write(void *target, const char *value, const struct opt_origin *origin, struct err *out)
{
    (void)out;
    return record(target, "write", value, origin);
}

static int set_workdir(void *target, const char *value, const struct opt_origin *origin, struct err *out)
{
    (void)out;
    return record(target, "workdir", value, origin);
}

static int set_home(void *target, const char *value, const struct opt_origin *origin, struct err *out)
{
    (void)out;
    return record(target, "home", value, origin);
}

static int set_no_home(void *target, const char *value, const struct opt_origin *origin, struct err *out)
{
    (void)out;
    return record(target, "no-home", value, origin);
}

static const struct opt_row rows[] = {
    {"--bind", 'b', OPT_VALUE, "SRC[:DST]", "T_BIND", OPT_LIST, "show SRC\nas DST", set_bind},
    {"--verbose", 'v', OPT_FLAG, NULL, "T_VERBOSE", OPT_SINGLE, "say more", set_verbose},
    {"--write", 0, OPT_OPTIONAL_VALUE, "SIZE", "T_WRITE", OPT_SINGLE, "allow writing", set_write},
    {"--workdir", 'w', OPT_VALUE, "DIR", NULL, OPT_SINGLE, "start in DIR", set_workdir},
    {"--home", 0, OPT_OPTIONAL_VALUE, "DIR", "T_HOME", OPT_SINGLE, "show the home", set_home},
    {"--no-home", 0, OPT_FLAG, NULL, "T_NO_HOME", OPT_SINGLE, "do not", set_no_home},
    {"--a-name-that-is-longer-than-the-column", 0, OPT_FLAG, NULL, NULL, OPT_SINGLE, "long", set_verbose},
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

/* LINE's words, which are between single blanks, as an argument list that ends with NULL. */
static char **split(const char *line, int *count)
{
    char *text = arena_strdup(&arena, line);
    char **words = arena_alloc(&arena, (strlen(line) + 2) * sizeof(*words));

    *count = 0;
    while (text) {
        words[(*count)++] = text;
        text = strchr(text, ' ');
        if (text)
            *text++ = 0;
    }
    return words;
}

static int parse(const char *line, struct target *target)
{
    int argc;
    char **argv = split(line, &argc);

    *target = (struct target){.calls = {.arena = &arena}};
    return opt_parse(rows, ROWS, argc, argv, target, &err);
}

static void test_parse(void)
{
    static const struct {
        const char *line;
        int operand;
        const char *calls;
    } good[] = {
        {"coracle", 1, ""},
        {"coracle image -v", 1, ""},
        {"coracle --bind /a image", 3, "bind=/a "},
        {"coracle --bind=/a image", 2, "bind=/a "},
        {"coracle --bind=a=b", 2, "bind=a=b "},
        {"coracle --bind= x", 2, "bind= "},
        {"coracle --bind --verbose", 3, "bind=--verbose "},
        {"coracle -b /a image", 3, "bind=/a "},
        {"coracle -b/a image", 2, "bind=/a "},
        {"coracle -vb/a -v", 3, "verbose bind=/a verbose "},
        {"coracle -vvb /a -v", 4, "verbose verbose bind=/a verbose "},
        {"coracle -b  x", 3, "bind= "},
        {"coracle --write image", 2, "write "},
        {"coracle --write=1G image", 2, "write=1G "},
        {"coracle -v -- --bind", 3, "verbose "},
        {"coracle --", 2, ""},
        {"coracle -", 1, ""},
        {"coracle -v - -v", 2, "verbose "},
        {"coracle  -v", 1, ""},
    };
    struct target target;

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        tap.row = good[i].line;
        TAP_INT(parse(good[i].line, &target), good[i].operand);
        TAP_STR(str_text(&target.calls), good[i].calls);
    }
    tap.row = NULL;
    parse("coracle --bind /a", &target);
    TAP_INT(target.error, ERR_USAGE);
}

static void test_parse_errors(void)
{
    static const struct {
        const char *line;
        const char *text;
    } bad[] = {
        {"coracle --bind", "--bind needs a value: --bind SRC[:DST]"},
        {"coracle -v -b", "-b needs a value: -b SRC[:DST]"},
        {"coracle --verbose=yes", "--verbose takes no value"},
        {"coracle --bnid=/a", "unknown option --bnid; did you mean --bind?"},
        {"coracle --verbos", "did you mean --verbose?"},
        {"coracle --bin", "did you mean --bind?"},
        {"coracle --binds", "did you mean --bind?"},
        {"coracle --zzzzzz", "unknown option --zzzzzz; --help lists the options"},
        {"coracle ---", "unknown option ---"},
        {"coracle --=x", "unknown option --;"},
        {"coracle -x", "unknown option -x; --help lists the options"},
        {"coracle -vx", "unknown option -x"},
        {"coracle --bind=bad", "refused"},
        {"coracle --0123456789012345678901234567890123456789012345678901234567890123456789",
         "unknown option --0123"},
    };
    struct target target;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        tap.row = bad[i].line;
        TAP_ERR(parse(bad[i].line, &target), err, ERR_USAGE, bad[i].text);
    }
    tap.row = NULL;
}

/* execve() allows an empty argv on Linux before 5.18. */
static void test_no_argv(void)
{
    char *argv[] = {NULL};
    struct target target = {.calls = {.arena = &arena}};

    TAP_INT(opt_parse(rows, ROWS, 0, argv, &target, &err), 0);
}

static int apply(const char *environment, struct target *target)
{
    int count;

    *target = (struct target){.calls = {.arena = &arena}};
    return opt_apply_environment(rows, ROWS, "T_", split(environment, &count), target, &arena, &err);
}

static void test_environment(void)
{
    static const struct {
        const char *environment;
        const char *calls;
    } good[] = {
        {"HOME=/ T_BINDS=/x T_BIN=/y BIND=/z", ""},
        {"T_BIND=/a", "bind=/a "},
        {"T_VERBOSE=1 T_BIND=/a", "bind=/a verbose "}, /* the rows' order */
        {"T_BIND=/a,/b,/c:/d", "bind=/a bind=/b bind=/c:/d "},
        {"T_BIND=,/a,,/b,", "bind=/a bind=/b "},
        {"T_BIND=/a\\,b,/c", "bind=/a,b bind=/c "},
        {"T_BIND=/a\\:b,/c", "bind=/a\\:b bind=/c "},
        {"T_BIND=/a\\\\,/c", "bind=/a\\\\ bind=/c "},
        {"T_BIND=/a\\", "bind=/a\\ "},
        {"T_BIND= T_VERBOSE=", ""},
        {"T_VERBOSE=yes", "verbose "},
        {"T_VERBOSE=true", "verbose "},
        {"T_VERBOSE=no", ""},
        {"T_VERBOSE=0", ""},
        {"T_VERBOSE=false", ""},
        {"T_WRITE=yes", "write "},
        {"T_WRITE=no", ""},
        {"T_HOME=yes", "home "},
        {"T_HOME=no", "no-home "}, /* what it is called as an option */
        {"T_HOME=0", "no-home "},
        {"T_HOME=false", "no-home "},
        {"T_HOME=/no", "home=/no "},
        {"T_HOME=", ""},
        {"T_NO_HOME=no", ""},
        {"T_WRITE=512M", "write=512M "},
        {"workdir=/x", ""},
    };
    struct target target;

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        tap.row = good[i].environment;
        TAP_OK(apply(good[i].environment, &target), err);
        TAP_STR(str_text(&target.calls), good[i].calls);
    }
    tap.row = NULL;
    apply("T_BIND=/a", &target);
    TAP_INT(target.error, ERR_CONFIG);
    TAP_ERR(apply("T_VERBOSE=maybe", &target), err, ERR_CONFIG, "T_VERBOSE is maybe; it can be yes or no");
    TAP_ERR(apply("T_BIND=/a,bad", &target), err, ERR_CONFIG, "T_BIND: refused");
}

static void test_help(void)
{
    struct str out = {.arena = &arena};

    opt_help(rows, ROWS, &out);
    TAP_STR(str_text(&out), "  -b, --bind SRC[:DST]            show SRC\n"
                            "                                  as DST\n"
                            "  -v, --verbose                   say more\n"
                            "      --write[=SIZE]              allow writing\n"
                            "  -w, --workdir DIR               start in DIR\n"
                            "      --home[=DIR]                show the home\n"
                            "      --no-home                   do not\n"
                            "      --a-name-that-is-longer-than-the-column\n"
                            "                                  long\n");
}

static void test_table(void)
{
    static char table[] = "CORACLE_HELP=table", other[] = "CORACLE_HELP=yes";
    char *asks[] = {table, NULL}, *asks_not[] = {other, NULL};
    struct str out = {.arena = &arena};

    TAP_INT(opt_help_is_table(asks), 1);
    TAP_INT(opt_help_is_table(asks_not), 0);
    TAP_INT(opt_help_is_table(asks + 1), 0);
    TAP_INT(putenv(table), 0);
    opt_help(rows, 4, &out);
    TAP_STR(str_text(&out), "option\t--bind\tb\tvalue\tSRC[:DST]\tT_BIND\tlist\tshow SRC as DST\n"
                            "option\t--verbose\tv\tflag\t-\tT_VERBOSE\tsingle\tsay more\n"
                            "option\t--write\t-\toptional\tSIZE\tT_WRITE\tsingle\tallow writing\n"
                            "option\t--workdir\tw\tvalue\tDIR\t-\tsingle\tstart in DIR\n");
    unsetenv("CORACLE_HELP");
}

static void test_nearest(void)
{
    static const char *const names[] = {"run", "pull", "build", "explain", "inspect"};
    static const char *const others[] = {"ps", "--env", NULL};
    const char *long_word = arena_printf(&arena, "%0300d", 0);

    TAP_STR(opt_nearest("run", names, 5, sizeof(names[0])), "run");
    TAP_STR(opt_nearest("rnu", names, 5, sizeof(names[0])), "run");
    TAP_STR(opt_nearest("pul", names, 5, sizeof(names[0])), "pull");
    TAP_STR(opt_nearest("biuld", names, 5, sizeof(names[0])), "build");
    TAP_STR(opt_nearest("xeplian", names, 5, sizeof(names[0])), "explain");
    TAP_STR(opt_nearest("xyz", names, 5, sizeof(names[0])), NULL);
    TAP_STR(opt_nearest("", names, 5, sizeof(names[0])), NULL);
    TAP_STR(opt_nearest(long_word, names, 5, sizeof(names[0])), NULL);
    TAP_STR(opt_nearest("run", names, 0, sizeof(names[0])), NULL);
    /* One of two letters is another word, whatever dashes there are. */
    TAP_STR(opt_nearest("ls", others, 3, sizeof(others[0])), NULL);
    TAP_STR(opt_nearest("--nv", others, 3, sizeof(others[0])), NULL);
    TAP_STR(opt_nearest("--evn", others, 3, sizeof(others[0])), "--env");
    TAP_STR(opt_near_miss("isnpect", names, 5, sizeof(names[0])), "inspect");
    TAP_STR(opt_near_miss("isnpet", names, 5, sizeof(names[0])), NULL);
    TAP_STR(opt_near_miss("--envv", others, 3, sizeof(others[0])), "--env");
}

/* How LINE ends: the last option as it is written, or the unknown one; whether its value is apart, and "--"
 * follows. */
static void expect_end(const char *line, const char *word, int is_apart, int is_marked)
{
    struct opt_end end;
    int argc;
    char **argv = split(line, &argc);

    tap.row = line;
    opt_end(rows, ROWS, argc, argv, &end);
    TAP_STR(end.unknown ? end.unknown : end.word, word);
    TAP_INT(end.is_apart, is_apart);
    TAP_INT(end.is_marked, is_marked);
    tap.row = NULL;
}

static void test_end(void)
{
    expect_end("run image -v", NULL, 0, 0);
    expect_end("run -- image", NULL, 0, 0);
    expect_end("run -v --bind", NULL, 0, 0);
    expect_end("run --bind=/a image", "--bind=/a", 0, 0);
    expect_end("run -v --bind /a image", "--bind", 1, 0);
    expect_end("run -b /a -- image", "-b", 1, 1);
    expect_end("run --bind -- image", "--bind", 1, 0);
    expect_end("run -b/a -v image", "-v", 0, 0);
    expect_end("run -v --volume=/a image", "--volume=/a", 0, 0);
    expect_end("run -vZ image", "-vZ", 0, 0);
}

struct kept {
    const char *file;
    int first, all, last;
};

static OPT_FLAG_SETTER(set_all, struct kept, all);
static OPT_TEXT_SETTER(set_file, struct kept, file);

static void test_setters(void)
{
    static const struct opt_row table[] = {
        {"--all", 'a', OPT_FLAG, NULL, NULL, OPT_SINGLE, "all", set_all},
        {"--file", 'f', OPT_VALUE, "FILE", NULL, OPT_SINGLE, "a file", set_file},
    };
    struct kept kept = {0};
    int argc;
    char **argv = split("coracle -aa --file=x", &argc);

    TAP_INT(opt_parse(table, 2, 1, argv, &kept, &err), 1);
    TAP_INT(kept.all, 0);
    TAP_INT(opt_parse(table, 2, argc, argv, &kept, &err), argc);
    TAP_INT(kept.all, 1);
    TAP_INT(kept.first + kept.last, 0);
    TAP_STR(kept.file, "x");
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    test_parse();
    test_parse_errors();
    test_no_argv();
    test_environment();
    test_help();
    test_table();
    test_nearest();
    test_end();
    test_setters();
    arena_free(&arena);
    return tap_done();
}
