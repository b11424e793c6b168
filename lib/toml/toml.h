/*
 * toml - TOML 1.0.0 from text into a tree of values that know their line.
 *
 * Source: the specification, https://toml.io/en/v1.0.0, and its grammar. It is
 * ours because Debian 12 packages no TOML reader for C.
 *
 * It is strict, so that two readers of one file cannot understand two things:
 * what later versions allow (\e, a trailing comma or a newline in an inline table,
 * a time without seconds) is refused. One thing is refused that 1.0.0 allows:
 * \u0000, because text here ends with a zero byte. Where the specification leaves
 * the choice: a byte order mark at the beginning is skipped, CR LF in a multi-line
 * string is LF, and a number that no double holds is an error and not infinity.
 *
 * The text may come from anyone: TOML_..._MAX below bound it.
 *
 *     const struct toml_value *root = toml_parse("edf.toml", text, length, arena, ERR_CONFIG, err);
 *     if (!root || toml_get_string(root, "image", &image, err) < 0)
 *         return -1;
 *
 * Every error says "NAME:LINE:COLUMN: CAUSE" and has the identifier that was given
 * to toml_parse(). Lines and columns count from 1, columns in characters.
 */
#ifndef CORACLE_TOML_TOML_H
#define CORACLE_TOML_TOML_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

enum {
    TOML_SIZE_MAX = 1024 * 1024, /* bytes of a text */
    TOML_DEPTH_MAX = 64,         /* arrays and tables inside each other, the text's own table included */
    TOML_VALUES_MAX = 16384,     /* in a text, arrays and tables included */
    TOML_KEYS_MAX = 4096,        /* in one table */
};

enum toml_kind {
    TOML_STRING,
    TOML_INTEGER,
    TOML_FLOAT,
    TOML_BOOLEAN,
    TOML_OFFSET_DATE_TIME,
    TOML_LOCAL_DATE_TIME,
    TOML_LOCAL_DATE,
    TOML_LOCAL_TIME,
    TOML_ARRAY, /* of values, or of tables: [[KEY]] */
    TOML_TABLE,
};

struct toml_place {
    unsigned line;
    unsigned column;
};

struct toml_file;

struct toml_value {
    enum toml_kind kind;
    int boolean;              /* TOML_BOOLEAN: 0 or 1 */
    int64_t integer;          /* TOML_INTEGER */
    double number;            /* TOML_FLOAT: also an infinity or not a number */
    const char *text;         /* TOML_STRING: decoded; a date or time: as written, and valid; else NULL */
    size_t count;             /* TOML_ARRAY, TOML_TABLE: number of values in it */
    struct toml_value *first; /* TOML_ARRAY, TOML_TABLE: the values; keys in the order of the file */
    struct toml_value *next;  /* the next value of the same array or table */
    const char *key;          /* in a table: its key, decoded; else NULL */
    struct toml_place at;     /* where the value is written; of a table that a key implies, that key */
    struct toml_place
        key_at; /* where its key is first written; of the text's own table, and in an array, as AT */

    /* The reader's own. */
    const struct toml_file *file;
    struct toml_value *last;
    struct toml_value **index; /* of a table with many keys: by their hashes */
    size_t index_size;
    struct toml_value *next_in_index;
    uint32_t key_hash;
    int depth;
    int origin;
};

/*
 * Reads LENGTH bytes, which need no zero byte behind them. NAME is the file's, for
 * messages. The table of the whole text, which belongs to ARENA and does not point
 * into BYTES; on failure NULL, and ERR is ID. The getters' errors are ID too, and
 * take memory from ARENA.
 */
const struct toml_value *toml_parse(const char *name, const char *bytes, size_t length, struct arena *arena,
                                    enum err_id id, struct err *err);

/* TABLE's value of KEY, one key, dots are part of it; NULL where it has none. */
const struct toml_value *toml_find(const struct toml_value *table, const char *key);

/* 0 where VALUE is of KIND, else -1 and "KEY: expected a string, found an integer". */
int toml_expect(const struct toml_value *value, enum toml_kind kind, struct err *err);

/*
 * TABLE's value of KEY where it is of the kind in the name. 1 and the value in the
 * last argument but one; 0 where the key is absent, and nothing is changed: what was
 * there is the default; -1 where the value is of another kind, or not between LOW and
 * HIGH. toml_get_float() takes an integer too.
 */
int toml_get_string(const struct toml_value *table, const char *key, const char **text, struct err *err);
int toml_get_boolean(const struct toml_value *table, const char *key, int *boolean, struct err *err);
int toml_get_integer(const struct toml_value *table, const char *key, int64_t low, int64_t high,
                     int64_t *integer, struct err *err);
int toml_get_float(const struct toml_value *table, const char *key, double *number, struct err *err);
int toml_get_array(const struct toml_value *table, const char *key, const struct toml_value **array,
                   struct err *err);
int toml_get_table(const struct toml_value *table, const char *key, const struct toml_value **value,
                   struct err *err);

/* The same for an array of nothing but strings: they, and a NULL after them. They belong to the arena. */
int toml_get_strings(const struct toml_value *table, const char *key, const char *const **strings,
                     struct err *err);

/*
 * Fills ERR with "NAME:LINE:COLUMN: " and the cause and returns -1, for the caller's
 * own rules: toml_fail() points to the value, toml_fail_key() to its key.
 */
int toml_fail(const struct toml_value *value, struct err *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int toml_fail_key(const struct toml_value *value, struct err *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The kind with its article, for messages: "an array". */
const char *toml_kind_name(enum toml_kind kind);

#endif
