/*
 * reader - what the files of this room share while a text is read. Each function
 * that can fail returns -1 (or NULL) and has filled the reader's error.
 *
 * Nothing looks past `end`: there is no zero byte behind the text.
 */
#ifndef CORACLE_TOML_READER_H
#define CORACLE_TOML_READER_H

#include "base/str.h"
#include "toml/toml.h"

/* What all values of a text point to. */
struct toml_file {
    const char *name; /* quoted for messages */
    enum err_id id;
    struct arena *arena;
};

struct toml_reader {
    const struct toml_file *file;
    const char *start;
    const char *p; /* the next byte */
    const char *end;
    struct err *err;
    size_t values;
    const char *marked; /* a byte whose place is known: the one asked for last */
    struct toml_place place;
};

/* A key or one part of a dotted key. */
struct toml_key {
    const char *text;
    const char *written; /* where it is in the text */
    struct toml_place at;
};

/* How a table or array came to be, which decides what may be added to it. */
enum toml_origin {
    TOML_BY_VALUE,   /* written as a value: [...] or {...}, complete where it ends */
    TOML_IMPLIED,    /* a header named something below it; a header of its own may follow */
    TOML_BY_HEADER,  /* [KEY], or an element of [[KEY]] */
    TOML_BY_DOTS,    /* by dotted keys, which may add to it */
    TOML_OF_HEADERS, /* the array of [[KEY]] */
};

/* scanner.c: places, errors, blanks, comments, ends of lines. */
struct toml_place toml_place_of(struct toml_reader *reader, const char *at);
int toml_error(struct toml_reader *reader, const char *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* "expected EXPECTED, found ...": the next character. */
int toml_expected(struct toml_reader *reader, const char *expected);
/* Whether the next byte is C; take: and passes it. */
int toml_next_is(const struct toml_reader *reader, char c);
int toml_take(struct toml_reader *reader, char c);
/* The length of the newline at P: LF 1, CR LF 2, else 0. */
size_t toml_newline(const struct toml_reader *reader, const char *p);
/* Whether C may be in text only as an escape: a control character but the tab. */
int toml_is_control(char c);
void toml_skip_blanks(struct toml_reader *reader);
/* Blanks, comments and newlines, as many as there are. */
int toml_skip_lines(struct toml_reader *reader);
/* The end of a statement: blanks, a comment, one newline or the end of the text. */
int toml_read_line_end(struct toml_reader *reader);
int toml_check_text(struct toml_reader *reader);

/* string.c: the string that the next quote opens, of one line where ONE_LINE. NULL on failure. */
const char *toml_read_string(struct toml_reader *reader, int one_line);

/* number.c, date-time.c: the whole of P to END, which is not empty. */
int toml_parse_number(struct toml_reader *reader, const char *p, const char *end, struct toml_value *value);
int toml_parse_date_time(struct toml_reader *reader, const char *p, const char *end,
                         struct toml_value *value);

/* value.c: the next value into VALUE, which toml_add() has made. */
int toml_read_value(struct toml_reader *reader, struct toml_value *value);

/* parse.c: KEY = VALUE, added to TABLE. */
int toml_read_pair(struct toml_reader *reader, struct toml_value *table);

/* index.c: keys of a table. VALUE is the newest of TABLE, its key is new. */
void toml_index_add(struct arena *arena, struct toml_value *table, struct toml_value *value);
struct toml_value *toml_look_up(const struct toml_value *table, const char *key);

/* table.c: the rules of what may be defined where. */

/* A value more for CONTAINER, without a kind yet. KEY is a new one, or NULL for an array. */
struct toml_value *toml_add(struct toml_reader *reader, struct toml_value *container,
                            const struct toml_key *key);
/* Makes VALUE an array or table, unless it is too deep. */
int toml_open(struct toml_reader *reader, struct toml_value *value, enum toml_kind kind,
              enum toml_origin origin, const char *written);
/* KEY's value of KEY = VALUE. */
struct toml_value *toml_add_member(struct toml_reader *reader, struct toml_value *table,
                                   const struct toml_key *key);
/* The table that KEY names in TABLE, before the last part of a dotted key or of a header. */
struct toml_value *toml_enter_dotted(struct toml_reader *reader, struct toml_value *table,
                                     const struct toml_key *key);
struct toml_value *toml_enter_header(struct toml_reader *reader, struct toml_value *table,
                                     const struct toml_key *key);
/* The table of [KEY], and the new one of [[KEY]]. */
struct toml_value *toml_define_table(struct toml_reader *reader, struct toml_value *table,
                                     const struct toml_key *key);
struct toml_value *toml_define_element(struct toml_reader *reader, struct toml_value *table,
                                       const struct toml_key *key);

#endif
