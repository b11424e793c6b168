/*
 * json-reader - JSON (RFC 8259) from bytes into a tree of values.
 *
 * It is ours because it stands on the launch path of every rank, in a static
 * musl program, where no packaged JSON library can be linked.
 *
 * It is strict, so that two readers of one file cannot understand two things:
 * no comments, no trailing comma, no byte order mark, nothing after the value,
 * only well-formed UTF-8, no half surrogate pair, no member twice in an object.
 * One thing is refused that the RFC allows: \u0000, because text here ends with
 * a zero byte.
 *
 * The bytes may come from anyone. Depth, values and members are bounded; the
 * length is for the caller to bound (fd_read_file()).
 */
#ifndef CORACLE_OCI_JSON_READER_H
#define CORACLE_OCI_JSON_READER_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

enum {
    JSON_DEPTH_MAX = 64,     /* arrays and objects inside each other */
    JSON_VALUES_MAX = 16384, /* in one document */
    JSON_MEMBERS_MAX = 4096, /* in one object */
};

enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json_value {
    enum json_kind kind;
    int boolean;              /* JSON_BOOL: 0 or 1 */
    char *text;               /* JSON_STRING: decoded; JSON_NUMBER: as it is written; else NULL */
    size_t count;             /* JSON_ARRAY, JSON_OBJECT: number of values in it */
    struct json_value *first; /* JSON_ARRAY, JSON_OBJECT: the values in their order */
    struct json_value *next;  /* the next value of the same array or object */
    char *name;               /* inside an object: the member's name; else NULL */
    uint32_t name_hash;       /* the reader's own */
};

/*
 * Reads LENGTH bytes, which need no zero byte behind them. The tree belongs to
 * ARENA and does not point into BYTES. On failure NULL, and ERR is ID with the
 * text "line L, column C: CAUSE"; columns count characters from 1.
 */
struct json_value *json_read(const char *bytes, size_t length, struct arena *arena, enum err_id id,
                             struct err *err);

/* OBJECT's member NAME, or NULL where it has none. */
const struct json_value *json_member(const struct json_value *object, const char *name);

/* The kind with its article, for messages: "an array". */
const char *json_kind_name(enum json_kind kind);

#endif
