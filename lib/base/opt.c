#include "base/opt.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/env.h"

enum { LONGEST_NAME = 40 };

/* The most mistakes in a word of LENGTH letters: two of three, or one of two, is another word. */
static unsigned most_mistakes(size_t length)
{
    return length > 6 ? 3 : length > 3 ? 2 : length > 2;
}

/* Number of letters to add, drop, change or swap to make B of A (optimal string alignment). */
static unsigned edit_distance(const char *a, const char *b)
{
    unsigned rows[3][LONGEST_NAME + 1];
    size_t n = strlen(a), m = strlen(b);

    if (n > LONGEST_NAME || m > LONGEST_NAME)
        return LONGEST_NAME;
    for (size_t j = 0; j <= m; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= n; i++) {
        unsigned *now = rows[i % 3], *before = rows[(i - 1) % 3], *before2 = rows[(i + 1) % 3];
        now[0] = (unsigned)i;
        for (size_t j = 1; j <= m; j++) {
            unsigned best = before[j - 1] + (a[i - 1] != b[j - 1]);
            if (before[j] + 1 < best)
                best = before[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before2[j - 2] + 1 < best)
                best = before2[j - 2] + 1;
            now[j] = best;
        }
    }
    return rows[n % 3][m];
}

static const char *nearest_within(unsigned limit, const char *word, const char *const *names, size_t count,
                                  size_t stride)
{
    const char *nearest = NULL;

    for (size_t i = 0; i < count; i++) {
        const char *name = *(const char *const *)((const char *)names + i * stride);
        unsigned distance = name ? edit_distance(word, name) : LONGEST_NAME;
        if (distance <= limit) {
            nearest = name;
            limit = distance ? distance - 1 : 0;
        }
    }
    return nearest;
}

const char *opt_nearest(const char *word, const char *const *names, size_t count, size_t stride)
{
    return nearest_within(most_mistakes(strlen(word + strspn(word, "-"))), word, names, count, stride);
}

const char *opt_near_miss(const char *word, const char *const *names, size_t count, size_t stride)
{
    return nearest_within(1, word, names, count, stride);
}

static int unknown_option(const struct opt_row *rows, size_t count, const char *name, struct err *err)
{
    const char *nearest = opt_nearest(name, &rows[0].name, count, sizeof(rows[0]));

    if (nearest)
        return err_set(err, ERR_USAGE, "unknown option %s; did you mean %s?", name, nearest);
    return err_set(err, ERR_USAGE, "unknown option %s; --help lists the options", name);
}

/* What is done with the options of a line: given to TARGET, or only looked for one of them. */
struct walk {
    void *target;
    const char *sought; /* NULL: none is */
    int found;
    struct opt_end *end; /* NULL: nobody asks */
};

static int set_row(const struct opt_row *row, const char *value, struct walk *walk, struct err *err)
{
    struct opt_origin origin = {row->name, ERR_USAGE};

    if (!walk->sought)
        return row->set(walk->target, value, &origin, err);
    walk->found |= strcmp(row->name, walk->sought) == 0;
    if (walk->end)
        *walk->end = (struct opt_end){.row = row, .value = value};
    return 0;
}

/* ARGV[*INDEX] begins with "--". Sets *INDEX behind what was used. */
static int parse_long(const struct opt_row *rows, size_t count, int argc, char *const argv[], int *index,
                      struct walk *walk, struct err *err)
{
    const char *arg = argv[(*index)++];
    size_t length = strcspn(arg, "=");
    const char *value = arg[length] ? arg + length + 1 : NULL;
    const struct opt_row *row = rows;
    char name[LONGEST_NAME + 1];

    while (row < rows + count && (strncmp(row->name, arg, length) != 0 || row->name[length]))
        row++;
    if (row == rows + count) {
        snprintf(name, sizeof(name), "%.*s", (int)(length < LONGEST_NAME ? length : LONGEST_NAME), arg);
        if (walk->end)
            *walk->end = (struct opt_end){.unknown = arg};
        return unknown_option(rows, count, name, err);
    }
    if (row->kind == OPT_FLAG && value)
        return err_set(err, ERR_USAGE, "%s takes no value", row->name);
    if (row->kind == OPT_VALUE && !value) {
        if (*index >= argc)
            return err_set(err, ERR_USAGE, "%s needs a value: %s %s", row->name, row->name, row->value_name);
        value = argv[(*index)++];
    }
    return set_row(row, value, walk, err);
}

/* ARG begins with one "-": flags may be bundled, a value may follow at once or as the next argument. */
static int parse_letters(const struct opt_row *rows, size_t count, int argc, char *const argv[], int *index,
                         struct walk *walk, struct err *err)
{
    const char *letter = argv[(*index)++] + 1;

    for (; *letter; letter++) {
        const struct opt_row *row = rows;
        const char *value = NULL;

        while (row < rows + count && row->letter != *letter)
            row++;
        if (row == rows + count) {
            if (walk->end)
                *walk->end = (struct opt_end){.unknown = argv[*index - 1], .letter = *letter};
            return err_set(err, ERR_USAGE, "unknown option -%c; --help lists the options", *letter);
        }
        if (row->kind == OPT_VALUE) {
            value = letter[1] ? letter + 1 : *index < argc ? argv[(*index)++] : NULL;
            if (!value)
                return err_set(err, ERR_USAGE, "-%c needs a value: -%c %s", *letter, *letter,
                               row->value_name);
        }
        if (set_row(row, value, walk, err) < 0)
            return -1;
        if (value)
            break;
    }
    return 0;
}

static int walk_line(const struct opt_row *rows, size_t count, int argc, char *const argv[],
                     struct walk *walk, struct err *err)
{
    int index = argc > 0; /* execve() allows an empty ARGV before Linux 5.18 */

    while (index < argc && argv[index][0] == '-' && argv[index][1]) {
        int result;
        if (strcmp(argv[index], "--") == 0)
            return index + 1;
        if (argv[index][1] == '-')
            result = parse_long(rows, count, argc, argv, &index, walk, err);
        else
            result = parse_letters(rows, count, argc, argv, &index, walk, err);
        if (result < 0)
            return -1;
    }
    return index;
}

int opt_parse(const struct opt_row *rows, size_t count, int argc, char *const argv[], void *target,
              struct err *err)
{
    struct walk walk = {.target = target};

    return walk_line(rows, count, argc, argv, &walk, err);
}

int opt_is_given(const struct opt_row *rows, size_t count, int argc, char *const argv[], const char *name)
{
    struct walk walk = {.sought = name};
    struct err ignored;

    walk_line(rows, count, argc, argv, &walk, &ignored);
    return walk.found;
}

void opt_end(const struct opt_row *rows, size_t count, int argc, char *const argv[], struct opt_end *end)
{
    struct walk walk = {.sought = "", .end = end};
    struct err ignored;
    int index;

    *end = (struct opt_end){0};
    index = walk_line(rows, count, argc, argv, &walk, &ignored);
    if (index < 0 && !end->unknown)
        *end = (struct opt_end){0};
    if (index < 0 || !end->row)
        return;
    end->is_marked = strcmp(argv[index - 1], "--") == 0 && argv[index - 1] != end->value;
    index -= end->is_marked;
    end->word = argv[index - 1];
    end->is_apart = end->value && end->value == end->word;
    if (end->is_apart)
        end->word = argv[index - 2];
}

/* 1 for yes, 0 for no, -1 for neither. */
static int parse_yes_no(const char *value)
{
    static const char *const words[] = {"no", "yes", "0", "1", "false", "true"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(value, words[i]) == 0)
            return i % 2;
    return -1;
}

/* Calls the row's setter for each value of a list between commas. Only \, is undone here. */
static int set_list(const struct opt_row *row, const char *list, const struct opt_origin *origin,
                    void *target, struct arena *arena, struct err *err)
{
    while (*list) {
        struct str value = {.arena = arena};
        for (; *list && *list != ','; list++) {
            if (list[0] == '\\' && list[1] == ',')
                list++;
            else if (list[0] == '\\' && list[1])
                str_add_char(&value, *list++);
            str_add_char(&value, *list);
        }
        if (value.length && row->set(target, str_text(&value), origin, err) < 0)
            return -1;
        list += *list == ',';
    }
    return 0;
}

/*
 * What "no" says for ROW: the same as its opposite where there is one (--no-home
 * for --home), and that it was not given where there is none.
 */
static int set_no(const struct opt_row *rows, size_t count, const struct opt_row *row,
                  const struct opt_origin *origin, void *target, struct err *err)
{
    static const char prefix[] = "--no-";
    const size_t length = sizeof(prefix) - 1;

    for (const struct opt_row *other = rows; other < rows + count; other++)
        if (strncmp(other->name, prefix, length) == 0 && strcmp(other->name + length, row->name + 2) == 0)
            return other->set(target, NULL, origin, err);
    return 0;
}

/* Saves most launches the table and its strings: each page that is touched costs. */
static int has_prefixed(char *const environment[], const char *prefix)
{
    size_t n = strlen(prefix);

    for (; *environment; environment++)
        if (**environment == *prefix && strncmp(*environment, prefix, n) == 0)
            return 1;
    return 0;
}

int opt_variable_says_no(const struct opt_row *row, char *const environment[])
{
    const char *value = row->variable && row->kind != OPT_VALUE ? env_find(environment, row->variable) : NULL;

    return value && parse_yes_no(value) == 0;
}

int opt_apply_environment(const struct opt_row *rows, size_t count, const char *prefix,
                          char *const environment[], void *target, struct arena *arena, struct err *err)
{
    if (!has_prefixed(environment, prefix))
        return 0;
    for (const struct opt_row *row = rows; row < rows + count; row++) {
        struct opt_origin origin = {row->variable, ERR_CONFIG};
        const char *value = row->variable ? env_find(environment, row->variable) : NULL;
        int result = 0;

        if (!value || !*value)
            continue;
        if (row->variable_kind == OPT_LIST) {
            result = set_list(row, value, &origin, target, arena, err);
        } else if (row->kind == OPT_FLAG || (row->kind == OPT_OPTIONAL_VALUE && parse_yes_no(value) >= 0)) {
            int yes = parse_yes_no(value);
            if (yes < 0)
                return err_set(err, ERR_CONFIG, "%s is %s; it can be yes or no", row->variable,
                               str_quote(arena, value));
            result =
                yes ? row->set(target, NULL, &origin, err) : set_no(rows, count, row, &origin, target, err);
        } else {
            result = row->set(target, value, &origin, err);
        }
        if (result < 0)
            return -1;
    }
    return 0;
}

int opt_help_is_table(char *const environment[])
{
    const char *value = env_find(environment, "CORACLE_HELP");

    return value && strcmp(value, "table") == 0;
}

static void add_fields(struct str *out, const struct opt_row *row)
{
    static const char *const kinds[] = {
        [OPT_FLAG] = "flag", [OPT_VALUE] = "value", [OPT_OPTIONAL_VALUE] = "optional"};

    str_addf(out, "option\t%s\t%c\t%s\t%s\t%s\t%s\t", row->name, row->letter ? row->letter : '-',
             kinds[row->kind], row->value_name ? row->value_name : "-", row->variable ? row->variable : "-",
             row->variable_kind == OPT_LIST ? "list" : "single");
    for (const char *help = row->help; *help; help++)
        str_add_char(out, *help == '\n' ? ' ' : *help);
    str_add_char(out, '\n');
}

static void add_lines(struct str *out, const struct opt_row *row)
{
    enum { HELP_COLUMN = 34 };
    size_t start = out->length;
    const char *help = row->help;

    if (row->letter)
        str_addf(out, "  -%c, %s", row->letter, row->name);
    else
        str_addf(out, "      %s", row->name);
    if (row->value_name)
        str_addf(out, row->kind == OPT_OPTIONAL_VALUE ? "[=%s]" : " %s", row->value_name);
    if (out->length - start >= HELP_COLUMN) {
        str_add_char(out, '\n');
        start = out->length;
    }
    for (;;) {
        size_t n = strcspn(help, "\n");
        str_pad(out, start, HELP_COLUMN);
        str_add_bytes(out, help, n);
        str_add_char(out, '\n');
        if (!help[n])
            break;
        help += n + 1;
        start = out->length;
    }
}

void opt_help(const struct opt_row *rows, size_t count, struct str *out)
{
    const int is_table = opt_help_is_table(environ);

    for (const struct opt_row *row = rows; row < rows + count; row++)
        (is_table ? add_fields : add_lines)(out, row);
}
