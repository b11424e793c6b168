/*
 * opt - command lines from a table.
 *
 * A command has an array of rows. The parser, the environment reader, the help
 * text and the "did you mean" all read the same rows, so they cannot disagree.
 *
 *     static const struct opt_row rows[] = {
 *         {"--bind", 'b', OPT_VALUE, "SRC[:DST[:OPTS]]", "CORACLE_BIND", OPT_LIST,
 *          "show the host's SRC as DST", set_bind},
 *     };
 *
 * Accepted are --name VALUE, --name=VALUE, -n VALUE and -nVALUE. Names are not
 * abbreviated: a script must not change its meaning when an option is added.
 * Options end at the first operand or after "--".
 */
#ifndef CORACLE_BASE_OPT_H
#define CORACLE_BASE_OPT_H

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum opt_kind {
    OPT_FLAG,           /* --name */
    OPT_VALUE,          /* --name VALUE */
    OPT_OPTIONAL_VALUE, /* --name or --name=VALUE */
};

enum opt_variable {
    OPT_SINGLE, /* the variable's value is the option's value; for a flag: yes or no */
    OPT_LIST,   /* values between commas; a comma inside is written \, */
};

/* Where a setting came from, for explain and for messages: "--bind", "CORACLE_BIND",
 * "/etc/coracle/coracle.toml:3". */
struct opt_origin {
    const char *name;
    enum err_id error; /* what a bad value is: ERR_USAGE or ERR_CONFIG */
};

struct opt_row {
    const char *name; /* "--bind" */
    char letter;      /* 0: none */
    enum opt_kind kind;
    const char *value_name; /* for the help text; NULL for a flag */
    const char *variable;   /* environment variable with the same meaning; NULL: none */
    enum opt_variable variable_kind;
    const char *help; /* lines are broken at \n */
    /*
     * Stores VALUE (NULL where an optional one was not given) in TARGET. VALUE
     * lives as long as argv, the environment or the arena of the call. 0, or -1
     * with ERR filled.
     */
    int (*set)(void *target, const char *value, const struct opt_origin *origin, struct err *err);
};

/*
 * The setter NAME of a flag: MEMBER of the target, a TYPE, becomes 1. "static" or nothing stands
 * before it, and a semicolon behind it, which the last line is for.
 */
#define OPT_FLAG_SETTER(name, type, member)                                                       \
    int name(void *target, const char *value, const struct opt_origin *origin, struct err *error) \
    {                                                                                             \
        (void)value, (void)origin, (void)error;                                                   \
        ((type *)target)->member = 1;                                                             \
        return 0;                                                                                 \
    }                                                                                             \
    struct opt_row

/* The setter NAME of a value that is taken as it is: it becomes MEMBER of the target, a TYPE. The same. */
#define OPT_TEXT_SETTER(name, type, member)                                                       \
    int name(void *target, const char *value, const struct opt_origin *origin, struct err *error) \
    {                                                                                             \
        (void)origin, (void)error;                                                                \
        ((type *)target)->member = value;                                                         \
        return 0;                                                                                 \
    }                                                                                             \
    struct opt_row

/*
 * Applies the options of ARGV[1] and on to TARGET. The index of the first
 * operand (ARGC where there is none), or -1.
 */
int opt_parse(const struct opt_row *rows, size_t count, int argc, char *const argv[], void *target,
              struct err *err);

/*
 * Whether option NAME is among the options of the line: before the first mistake in it. No
 * setter is called.
 */
int opt_is_given(const struct opt_row *rows, size_t count, int argc, char *const argv[], const char *name);

/* How the options of a line end: what a mistake may come of. */
struct opt_end {
    const struct opt_row *row; /* the last option; NULL: there is none */
    const char *word;          /* as it is written */
    const char *value;         /* NULL: it has none */
    int is_apart;              /* that is an argument of its own */
    int is_marked;             /* "--" follows */
    const char *unknown;       /* instead of all this: the argument with an option that no row has ... */
    char letter;               /* ... and its letter; 0: it is a name */
};

/* Fills *END. No setter is called. */
void opt_end(const struct opt_row *rows, size_t count, int argc, char *const argv[], struct opt_end *end);

/*
 * Applies the variables that rows name, in the order of the rows. All of them
 * begin with PREFIX: an environment without one is told by that alone.
 *
 * The variable of a flag takes yes, no, 1, 0, true or false; that of an option
 * with an optional value takes these or the value. "no" is what --no-NAME would
 * be where the table has such a flag, and otherwise as if nothing was set. 0 or -1.
 */
int opt_apply_environment(const struct opt_row *rows, size_t count, const char *prefix,
                          char *const environment[], void *target, struct arena *arena, struct err *err);

/* Whether the variable of ROW, a flag or an option with an optional value, says no. */
int opt_variable_says_no(const struct opt_row *row, char *const environment[]);

/*
 * Whether help is read by a program: the manual pages and the completion of shells are made
 * of it. The variable CORACLE_HELP is then "table".
 */
int opt_help_is_table(char *const environment[]);

/*
 * Adds the help lines of all rows to OUT. Where opt_help_is_table() says so of the process's
 * environment these are lines of fields with a tab between, "-" for one that is empty:
 *
 *     option NAME LETTER flag|value|optional VALUE-NAME VARIABLE single|list HELP
 *
 * The parts of a value's name between "|" are values where they are in small letters:
 * "missing|always|never". HELP is one line.
 */
void opt_help(const struct opt_row *rows, size_t count, struct str *out);

/*
 * The nearest of NAMES (every STRIDE bytes a `const char *` at NAMES) to WORD,
 * or NULL where none is near.
 */
const char *opt_nearest(const char *word, const char *const *names, size_t count, size_t stride);

/* The same, with one letter too many, missing, changed or swapped: where WORD may well be meant. Names may be
 * NULL. */
const char *opt_near_miss(const char *word, const char *const *names, size_t count, size_t stride);

#endif
