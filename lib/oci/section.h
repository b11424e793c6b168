/*
 * section - an object of a JSON document, its members checked as they are taken.
 * For the files of this room.
 *
 * A member that is null counts as absent. Errors name the member by its path
 * ("layers[3].size"); the caller puts the kind of document before them.
 */
#ifndef CORACLE_OCI_SECTION_H
#define CORACLE_OCI_SECTION_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "oci/json-reader.h"

struct section {
    const struct json_value *object; /* JSON_OBJECT */
    const char *path;                /* goes before members' names: "", "config.", "layers[3]." */
    struct arena *arena;
    enum err_id id;
    struct err *err;
};

/* The object of TOP becomes the document BYTES, of OCI_DOCUMENT_MAX bytes at most. 0, or -1 and an error. */
int section_read(struct section *top, const char *bytes, size_t length);

/* The member NAME, or NULL. */
const struct json_value *section_find(const struct section *section, const char *name);

/* NAME with its path, for messages. */
const char *section_name(const struct section *section, const char *name);

/* Each takes NAME, which must be of that kind. 0, or -1 and an error. Absent is NULL, or no items. */
int section_string(const struct section *section, const char *name, const char **text);
int section_array(const struct section *section, const char *name, const struct json_value **array);
/* *INNER is NAME as a section; its object is NULL where it is absent. */
int section_object(const struct section *section, const char *name, struct section *inner);

/* The same for members that must be there: a text that is not empty, a number of bytes. */
int section_need_string(const struct section *section, const char *name, const char **text);
int section_need_size(const struct section *section, const char *name, uint64_t *size);
int section_need_object(const struct section *section, const char *name, struct section *inner);
int section_need_array(const struct section *section, const char *name, const struct json_value **array);

/* *INNER is ITEM, number INDEX of the array NAME, which must be an object. */
int section_item(const struct section *section, const char *name, size_t index, const struct json_value *item,
                 struct section *inner);

#endif
