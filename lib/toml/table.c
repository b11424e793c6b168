#include "toml/reader.h"

#include <string.h>

struct toml_value *toml_add(struct toml_reader *reader, struct toml_value *container,
                            const struct toml_key *key)
{
    struct toml_value *value;

    if (++reader->values > TOML_VALUES_MAX) {
        toml_error(reader, key ? key->written : reader->p, "the file has more than %d values",
                   TOML_VALUES_MAX);
        return NULL;
    }
    if (key && container->count == TOML_KEYS_MAX) {
        toml_error(reader, key->written, "a table has more than %d keys", TOML_KEYS_MAX);
        return NULL;
    }
    value = arena_alloc(reader->file->arena, sizeof(*value));
    value->file = reader->file;
    value->depth = container->depth + 1;
    if (key) {
        value->key = key->text;
        value->at = value->key_at = key->at;
    }
    if (container->last)
        container->last->next = value;
    else
        container->first = value;
    container->last = value;
    container->count++;
    if (key)
        toml_index_add(reader->file->arena, container, value);
    return value;
}

int toml_open(struct toml_reader *reader, struct toml_value *value, enum toml_kind kind,
              enum toml_origin origin, const char *written)
{
    if (value->depth > TOML_DEPTH_MAX)
        return toml_error(reader, written, "more than %d arrays and tables inside each other",
                          TOML_DEPTH_MAX);
    value->kind = kind;
    value->origin = (int)origin;
    return 0;
}

static const char *describe(const struct toml_value *value)
{
    if (value->kind == TOML_TABLE && value->origin == TOML_BY_VALUE)
        return "an inline table, which is complete where it ends";
    if (value->kind == TOML_TABLE && value->origin == TOML_BY_DOTS)
        return "a table, by a dotted key";
    if (value->kind == TOML_TABLE && value->origin == TOML_BY_HEADER)
        return "a table, by a header";
    if (value->kind == TOML_ARRAY && value->origin == TOML_OF_HEADERS)
        return "an array of tables";
    return toml_kind_name(value->kind);
}

/* That KEY is EXISTING already, so that what is WANTED cannot be. */
static struct toml_value *fail_existing(struct toml_reader *reader, const struct toml_key *key,
                                        const struct toml_value *existing, const char *wanted)
{
    toml_error(reader, key->written, "%s %s: line %u makes it %s", wanted,
               str_quote(reader->file->arena, key->text), existing->at.line, describe(existing));
    return NULL;
}

/* A table more in TABLE, of KEY or, in an array, without one. */
static struct toml_value *add_table(struct toml_reader *reader, struct toml_value *container,
                                    const struct toml_key *key, enum toml_origin origin, const char *written)
{
    struct toml_value *table = toml_add(reader, container, key);

    return table && toml_open(reader, table, TOML_TABLE, origin, written) == 0 ? table : NULL;
}

struct toml_value *toml_add_member(struct toml_reader *reader, struct toml_value *table,
                                   const struct toml_key *key)
{
    const struct toml_value *existing = toml_look_up(table, key->text);

    return existing ? fail_existing(reader, key, existing, "cannot set") : toml_add(reader, table, key);
}

/* A table that only the header of one below it has named is from now on one of dotted keys. */
struct toml_value *toml_enter_dotted(struct toml_reader *reader, struct toml_value *table,
                                     const struct toml_key *key)
{
    struct toml_value *existing = toml_look_up(table, key->text);

    if (!existing)
        return add_table(reader, table, key, TOML_BY_DOTS, key->written);
    if (existing->kind != TOML_TABLE ||
        (existing->origin != TOML_BY_DOTS && existing->origin != TOML_IMPLIED))
        return fail_existing(reader, key, existing, "cannot add to");
    existing->origin = TOML_BY_DOTS;
    return existing;
}

struct toml_value *toml_enter_header(struct toml_reader *reader, struct toml_value *table,
                                     const struct toml_key *key)
{
    struct toml_value *existing = toml_look_up(table, key->text);

    if (!existing)
        return add_table(reader, table, key, TOML_IMPLIED, key->written);
    if (existing->kind == TOML_ARRAY && existing->origin == TOML_OF_HEADERS)
        return existing->last;
    if (existing->kind != TOML_TABLE || existing->origin == TOML_BY_VALUE)
        return fail_existing(reader, key, existing, "cannot add to");
    return existing;
}

struct toml_value *toml_define_table(struct toml_reader *reader, struct toml_value *table,
                                     const struct toml_key *key)
{
    struct toml_value *existing = toml_look_up(table, key->text);

    if (!existing)
        return add_table(reader, table, key, TOML_BY_HEADER, key->written);
    if (existing->kind != TOML_TABLE || existing->origin != TOML_IMPLIED)
        return fail_existing(reader, key, existing, "cannot define the table");
    existing->origin = TOML_BY_HEADER;
    existing->at = key->at;
    return existing;
}

struct toml_value *toml_define_element(struct toml_reader *reader, struct toml_value *table,
                                       const struct toml_key *key)
{
    struct toml_value *array = toml_look_up(table, key->text), *element;

    if (!array) {
        array = toml_add(reader, table, key);
        if (!array || toml_open(reader, array, TOML_ARRAY, TOML_OF_HEADERS, key->written) < 0)
            return NULL;
    } else if (array->kind != TOML_ARRAY || array->origin != TOML_OF_HEADERS) {
        return fail_existing(reader, key, array, "cannot add a table to the array");
    }
    element = add_table(reader, array, NULL, TOML_BY_HEADER, key->written);
    if (element)
        element->at = element->key_at = key->at;
    return element;
}
