/*
 * json-tree - a tree of json_read() (oci/json-reader.h) changed and written again, with
 * all that is in it. For the files of this room.
 */
#ifndef CORACLE_REGISTRY_JSON_TREE_H
#define CORACLE_REGISTRY_JSON_TREE_H

#include "base/str.h"
#include "oci/json-reader.h"

/* Adds VALUE to OUT with a line for each member; numbers as they were written. */
void json_tree_write(struct str *out, const struct json_value *value);

/* A value of KIND, empty; of JSON_STRING: TEXT. */
struct json_value *json_tree_new(enum json_kind kind, const char *text, struct arena *arena);

/* Makes VALUE the member NAME of OBJECT: in its place where there is one, else at the end. */
void json_tree_set(struct json_value *object, const char *name, struct json_value *value,
                   struct arena *arena);

/* Takes the member NAME away. Whether it was there. */
int json_tree_remove(struct json_value *object, const char *name);

#endif
