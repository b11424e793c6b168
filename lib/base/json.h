/*
 * json - writes JSON (RFC 8259) into a str.
 *
 *     json_object(&w, NULL);
 *     json_text(&w, "source", path);
 *     json_end(&w, '}');
 *
 * Commas and indentation are the writer's. A name may be any UTF-8; NULL is right inside an
 * array and for the outermost value.
 */
#ifndef CORACLE_BASE_JSON_H
#define CORACLE_BASE_JSON_H

#include <stdint.h>

#include "base/str.h"

struct json_writer {
    struct str *out;
    int depth;
    int empty;      /* nothing was written yet at this depth */
    int is_compact; /* all of it on one line */
};

void json_object(struct json_writer *writer, const char *name);
void json_array(struct json_writer *writer, const char *name);
void json_end(struct json_writer *writer, char bracket);
void json_number(struct json_writer *writer, const char *name, uint64_t value);
void json_bool(struct json_writer *writer, const char *name, int value);
void json_null(struct json_writer *writer, const char *name);

/*
 * A string. JSON holds only UTF-8 and file names are bytes: each byte that
 * breaks UTF-8 becomes U+FFFD, and a second member NAME_base64 carries the
 * bytes as they are. Inside an array such a string is an object of both.
 */
void json_text(struct json_writer *writer, const char *name, const char *text);

/* LENGTH bytes that are JSON already, as they are. */
void json_raw(struct json_writer *writer, const char *name, const char *json, size_t length);

/* TEXT as a string alone, where no writer is. Bytes that are not UTF-8 become U+FFFD. */
void json_add_string(struct str *out, const char *text);

#endif
