/*
 * name - the parts of a name in a registry. For the files of this room: their
 * callers put the whole reference before the errors.
 */
#ifndef CORACLE_REFERENCE_NAME_H
#define CORACLE_REFERENCE_NAME_H

#include "reference/reference.h"

struct name_reader {
    struct reference *reference;
    struct arena *arena;
    enum err_id id;
    struct err *err;
};

/* Domain, repository, tag and digest of TEXT. */
int name_parse(const struct name_reader *reader, const char *text);

/* HOST[:PORT], made lower case in *DOMAIN. */
int name_parse_domain(const struct name_reader *reader, const char *text, const char **domain);

/* Whether C is a lower case letter or a digit; or a letter of any case or a digit. */
int name_is_lower(char c);
int name_is_alphanumeric(char c);

/* The character that TEXT begins with, for messages: 'x', or what stands for it. */
const char *name_character(struct arena *arena, const char *text);

#endif
