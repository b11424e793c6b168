/*
 * plan - golden tests of the planner: one TAP line per case. No privilege, no
 * image, no name service.
 *
 *     test/golden/plan CASE...            compares
 *     test/golden/plan --bless CASE...    writes what comes out into the cases
 *
 * A case is a directory:
 *
 *   cmd              the command line behind "coracle"
 *   environment      NAME=VALUE...; where it is missing, that of ../default
 *   facts            KEY=VALUE..., over those of ../default: see fact_keys
 *   settings         of configuration files: NAME[=VALUE] ORIGIN...; may be missing
 *   config.json      the image's configuration; may be missing
 *   root             what another system left in the image; may be missing
 *   env-file         read by a case that says --env-file env-file
 *
 *   plan.txt         the plan as text, or
 *   error.txt        exit status and message
 *   plan.json        the plan as JSON; compared where the case has it
 *   environment.txt  the whole environment of the command; compared where the case has it
 *
 * cmd, environment, settings and facts hold words between blanks, quoted as the plan
 * quotes them: 'a b', $'\xff\n'. A # begins a comment.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "base/path.h"
#include "image/directory.h"
#include "oci/json-reader.h"
#include "plan/plan.h"

#include "../../bin/launch-options.h"
#include "../tap.h"

enum { FILE_LIMIT = 1024 * 1024 };

static void __attribute__((noreturn)) bail_out(const char *name, const char *reason)
{
    printf("Bail out! %s: %s\n", name, reason);
    exit(EXIT_FAILURE);
}

/* The text of file NAME, or NULL where there is none. */
static char *read_text(const char *name, struct arena *arena)
{
    size_t length;
    char *text = fd_read_file(AT_FDCWD, name, 0, FILE_LIMIT, arena, &length);

    if (!text && errno != ENOENT)
        bail_out(name, strerror(errno));
    return text;
}

/* One escape of $'...' behind its backslash; returns what follows it. */
static const char *add_escape(struct str *word, const char *p)
{
    char digits[3] = "";

    if (*p == 'x' && p[1] && p[2]) {
        memcpy(digits, p + 1, 2);
        str_add_char(word, (char)strtoul(digits, NULL, 16));
        return p + 3;
    }
    str_add_char(word, (char)(*p == 'n' ? '\n' : *p == 't' ? '\t' : *p));
    return p + 1;
}

/* The rest of a quoted part, P behind its first quote; returns what follows the last. */
static const char *add_quoted_part(struct str *word, const char *p, int escapes)
{
    while (*p && *p != '\'') {
        if (escapes && p[0] == '\\' && p[1])
            p = add_escape(word, p + 1);
        else
            str_add_char(word, *p++);
    }
    return p + (*p == '\'');
}

/* Takes a word from *TEXT, or NULL at its end. */
static char *take_word(const char **text, struct arena *arena)
{
    struct str word = {.arena = arena};
    const char *p = *text + strspn(*text, " \n");

    while (*p == '#') {
        p += strcspn(p, "\n");
        p += strspn(p, " \n");
    }
    if (!*p)
        return NULL;
    str_add(&word, "");
    while (*p && *p != ' ' && *p != '\n') {
        if (*p == '\'')
            p = add_quoted_part(&word, p + 1, 0);
        else if (p[0] == '$' && p[1] == '\'')
            p = add_quoted_part(&word, p + 2, 1);
        else
            str_add_char(&word, *p++);
    }
    *text = p;
    return word.data;
}

/* The words of TEXT, ending with NULL; none where TEXT is NULL. */
static char **read_words(const char *text, int *count, struct arena *arena)
{
    char **words = NULL, *word;
    size_t room = 0;

    *count = 0;
    do {
        word = text ? take_word(&text, arena) : NULL;
        words = arena_grow(arena, words, (size_t)*count, &room, sizeof(*words));
        words[*count] = word;
        *count += word != NULL;
    } while (word);
    return words;
}

enum fact_kind { NUMBER, TEXT, TEXT_OR_NONE };

static const struct {
    const char *name;
    enum fact_kind kind;
    size_t offset;
} fact_keys[] = {
    {"uid", NUMBER, offsetof(struct host_facts, uid)},
    {"gid", NUMBER, offsetof(struct host_facts, gid)},
    {"cwd", TEXT_OR_NONE, offsetof(struct host_facts, cwd)},
    {"physical_cwd", TEXT_OR_NONE, offsetof(struct host_facts, physical_cwd)}, /* default: cwd */
    {"user", TEXT, offsetof(struct host_facts, record.user)},
    {"home", TEXT, offsetof(struct host_facts, record.home)},
    {"shell", TEXT, offsetof(struct host_facts, record.shell)},
    {"passwd_path", TEXT_OR_NONE, offsetof(struct host_facts, record.passwd_path)},
    {"group_path", TEXT_OR_NONE, offsetof(struct host_facts, record.group_path)},
    {"passwd", TEXT_OR_NONE, offsetof(struct host_facts, record.passwd)},
    {"group", TEXT_OR_NONE, offsetof(struct host_facts, record.group)},
    {"slurm_conf", TEXT, offsetof(struct host_facts, record.slurm_conf)},
    {"auth", TEXT, offsetof(struct host_facts, record.auth)},
    {"session", NUMBER, offsetof(struct host_facts, session)},
    {"launcher", NUMBER, offsetof(struct host_facts, launcher)},
    {"cgroup", TEXT_OR_NONE, offsetof(struct host_facts, cgroup)},
};

_Static_assert(sizeof(int) == sizeof(uint32_t) && sizeof(pid_t) == sizeof(uint32_t),
               "all numbers are stored like the ids");

static void set_fact(struct host_facts *facts, const char *fact)
{
    size_t length = strcspn(fact, "=");
    const char *value = fact + length + (fact[length] == '=');

    for (size_t i = 0; i < sizeof(fact_keys) / sizeof(fact_keys[0]); i++) {
        char *field = (char *)facts + fact_keys[i].offset;
        const char *text = fact_keys[i].kind == TEXT_OR_NONE && !*value ? NULL : value;
        uint32_t number;

        if (strlen(fact_keys[i].name) != length || strncmp(fact, fact_keys[i].name, length) != 0)
            continue;
        if (fact_keys[i].kind != NUMBER)
            memcpy(field, &text, sizeof(text));
        else if (num_parse_id(value, &number) < 0)
            break;
        else
            memcpy(field, &number, sizeof(number));
        return;
    }
    bail_out("facts", fact);
}

static void read_facts(struct host_facts *facts, struct arena *arena)
{
    static const char *const files[] = {"../default/facts", "facts"};
    const char *environment = read_text("environment", arena);
    int count;

    memset(facts, 0, sizeof(*facts));
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        for (char **fact = read_words(read_text(files[i], arena), &count, arena); *fact; fact++)
            set_fact(facts, *fact);
    if (!facts->physical_cwd)
        facts->physical_cwd = facts->cwd;
    if (!environment)
        environment = read_text("../default/environment", arena);
    facts->environment = read_words(environment, &count, arena);
}

/* Pairs of words, as they are in the node's record. */
static void read_settings(struct host_record *record, struct arena *arena)
{
    struct record_setting *settings;
    int count;
    char **words = read_words(read_text("settings", arena), &count, arena);

    if (count % 2)
        bail_out("settings", "the last one has no origin");
    settings = arena_alloc(arena, (size_t)count / 2 * sizeof(*settings));
    for (int i = 0; i < count; i += 2) {
        char *value = strchr(words[i], '=');

        if (value)
            *value++ = 0;
        settings[i / 2] = (struct record_setting){words[i], value, words[i + 1]};
    }
    record->settings = settings;
    record->setting_count = (size_t)count / 2;
}

/* There are no images here: a case that wants a SquashFS names one so. */
static int is_squashfs(const char *image)
{
    size_t length = image ? strlen(image) : 0;

    return length > 5 && strcmp(image + length - 5, ".sqfs") == 0;
}

/* What is in the directory root that other systems keep beside an image's root; NULL: nothing. */
static const struct foreign *read_foreign(struct arena *arena)
{
    FD_CLEANUP int dir = open("root", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct foreign *foreign = arena_alloc(arena, sizeof(*foreign));
    struct str bytes = {.arena = arena};
    struct err err = {0};

    if (dir < 0)
        return NULL;
    if (directory_collect(&bytes, dir, &err) < 0 || !bytes.length ||
        foreign_parse(foreign, bytes.data, bytes.length, arena, &err) < 0)
        bail_out("root", err.text);
    return foreign;
}

/* What the command makes of the current directory's case. 0 or -1. */
static int build(struct plan *plan, struct arena *arena, struct err *err)
{
    struct launch_options options;
    struct oci_image_config config;
    struct host_facts facts;
    const char *bytes = read_text("config.json", arena);
    const struct foreign *foreign = read_foreign(arena);
    int argc;
    char **argv = read_words(read_text("cmd", arena), &argc, arena);

    read_facts(&facts, arena);
    read_settings(&facts.record, arena);
    if (!argc)
        bail_out("cmd", "missing or empty");
    if (launch_options_read_with(&options, argc, argv, &facts, arena, err) < 0)
        return -1;
    options.request.image_is_served = is_squashfs(options.request.image);
    options.request.shell = strcmp(argv[0], "shell") == 0;
    options.request.is_shown = strcmp(argv[0], "explain") == 0;
    if (bytes && oci_image_config_parse(&config, bytes, strlen(bytes), arena, err) < 0)
        return -1;
    return plan_build(plan, &options.request, bytes ? &config : NULL, foreign, &facts, arena, err);
}

/* The differences as TAP diagnostics. */
static void print_difference(const char *name, const char *got)
{
    FILE *diff;

    fflush(stdout);
    setenv("GOLDEN_FILE", name, 1);
    diff = popen("diff -u --label expected --label got \"$GOLDEN_FILE\" - | sed 's/^/# /'", "w");
    if (!diff)
        bail_out("diff", strerror(errno));
    fputs(got, diff);
    pclose(diff);
}

static void write_text(const char *name, const char *text)
{
    FD_CLEANUP int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    if (fd < 0 || fd_write_all(fd, text, strlen(text)) < 0)
        bail_out(name, strerror(errno));
}

/* Whether file NAME holds GOT; NULL: there must be no such file. */
static int matches(const char *name, const char *got, int bless, struct arena *arena)
{
    const char *expected = read_text(name, arena);

    if (expected && got && strcmp(expected, got) == 0)
        return 1;
    if (bless) {
        if (got)
            write_text(name, got);
        else
            unlink(name);
        return 1;
    }
    if (got && expected)
        print_difference(name, got);
    else if (got)
        printf("# %s is missing\n", name);
    else if (expected)
        printf("# there is a %s, and nothing of that kind came out\n", name);
    return !got && !expected;
}

/* The same for a file that a case need not have. */
static int matches_if_there(const char *name, const char *got, int bless, struct arena *arena)
{
    return access(name, F_OK) < 0 || matches(name, got, bless, arena);
}

/* Programs must be able to read what is printed for them. */
static int is_json(const struct str *json, struct arena *arena)
{
    struct err err;

    if (json_read(str_text(json), json->length, arena, ERR_SYSTEM, &err))
        return 1;
    printf("# the JSON is broken: %s\n", err.text);
    return 0;
}

static int plan_matches(const struct plan *plan, int bless, struct arena *arena)
{
    struct str text = {.arena = arena}, json = {.arena = arena}, environment = {.arena = arena};
    int same;

    plan_print(plan, &text);
    plan_json(plan, &json);
    for (char *const *entry = plan->environment; *entry; entry++) {
        str_add_quoted(&environment, *entry);
        str_add_char(&environment, '\n');
    }
    same = matches("plan.txt", str_text(&text), bless, arena);
    same &= matches("error.txt", NULL, bless, arena);
    same &= matches_if_there("plan.json", str_text(&json), bless, arena);
    same &= matches_if_there("environment.txt", str_text(&environment), bless, arena);
    return same & is_json(&json, arena);
}

static int error_matches(const struct err *err, int bless, struct arena *arena)
{
    const char *text = arena_printf(arena, "exit status %d\ncoracle: error: %s [%s]\n",
                                    err_exit_status(err->id), err->text, err_name(err->id));

    return matches("error.txt", text, bless, arena) & matches("plan.txt", NULL, bless, arena);
}

/* Enters the case in directory NAME and judges it. */
static void run_case(const char *name, int bless)
{
    struct arena arena;
    struct plan plan;
    struct err err;
    int same;

    if (chdir(name) < 0)
        bail_out(name, strerror(errno));
    arena_init(&arena, tap_no_memory);
    if (build(&plan, &arena, &err) == 0)
        same = plan_matches(&plan, bless, &arena);
    else
        same = error_matches(&err, bless, &arena);
    tap_result(same, name, 0, path_basename(path_clean(&arena, name)));
    arena_free(&arena);
}

int main(int argc, char *argv[])
{
    int bless = argc > 1 && strcmp(argv[1], "--bless") == 0;
    FD_CLEANUP int start = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (argc < 2 + bless)
        bail_out("plan", "no case was given");
    for (int i = 1 + bless; i < argc; i++) {
        run_case(argv[i], bless);
        if (fchdir(start) < 0)
            bail_out("fchdir", strerror(errno));
    }
    return tap_done();
}
