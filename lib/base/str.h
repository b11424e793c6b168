/*
 * str - a string that grows, in an arena.
 *
 *     struct str out = {.arena = arena};
 *     str_add(&out, "bind ");
 *     str_add_quoted(&out, path);
 *     write(fd, out.data, out.length);
 *
 * `data` is NULL while nothing was added and zero-terminated ever after; use
 * str_text() where NULL will not do. The bytes belong to the arena.
 */
#ifndef CORACLE_BASE_STR_H
#define CORACLE_BASE_STR_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct str {
    struct arena *arena;
    char *data;
    size_t length; /* bytes without the final zero */
    size_t room;
};

void str_add(struct str *str, const char *text);
void str_add_bytes(struct str *str, const void *bytes, size_t length);
void str_add_char(struct str *str, char c);
void str_add_number(struct str *str, uint64_t value); /* in decimal */
void str_addf(struct str *str, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds spaces until the line that began at byte START is COLUMN wide; at least one. */
void str_pad(struct str *str, size_t start, size_t column);

/*
 * Adds TEXT so that a person can read it and a terminal obeys none of it: as it
 * is where it is plain; between single quotes where it holds blanks, other
 * characters of the shell, or nothing at all; as $'...' with \xHH, \n, \t, \\ and \' where it
 * holds control characters (str_is_control()) or bytes that are not UTF-8. Both
 * forms can be pasted into bash.
 */
void str_add_quoted(struct str *str, const char *text);

/* The text so far, "" where nothing was added. */
const char *str_text(const struct str *str);

/* Whether the LENGTH bytes are well-formed UTF-8 (RFC 3629: no surrogates, nothing overlong). */
int str_is_utf8(const char *bytes, size_t length);

/* The length of the well-formed UTF-8 sequence at BYTES, of which LEFT are there; 0 where there is none. */
size_t str_utf8_length(const char *bytes, size_t left);

/*
 * Whether the character of LENGTH bytes is one that a terminal obeys: a control
 * character, or one that reverses the order in which text is shown.
 */
int str_is_control(const char *bytes, size_t length);

/*
 * TEXT quoted as by str_add_quoted(), for messages: a name that would push the
 * cause and the way out off the end is shortened, with "..." in its middle, to
 * STR_QUOTE_LIMIT bytes. Three of them leave room for the words around them.
 */
enum { STR_QUOTE_LIMIT = 384 };
const char *str_quote(struct arena *arena, const char *text);

#endif
