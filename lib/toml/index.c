/*
 * Finds keys. Thousands of keys, asked for once for each part of each dotted key, would
 * take seconds to compare: a table with many has an index, lists of values by hash.
 */
#include <string.h>

#include "toml/reader.h"

enum { UNINDEXED_MAX = 16 };

/* FNV-1a. */
static uint32_t hash_of(const char *key)
{
    uint32_t hash = 2166136261U;

    for (; *key; key++)
        hash = (hash ^ (unsigned char)*key) * 16777619U;
    return hash;
}

static void add(struct toml_value *table, struct toml_value *value)
{
    struct toml_value **head = &table->index[value->key_hash % table->index_size];

    value->next_in_index = *head;
    *head = value;
}

/* A larger index, of all that TABLE has. */
static void grow(struct arena *arena, struct toml_value *table)
{
    table->index_size = table->count * 4;
    table->index = arena_alloc(arena, table->index_size * sizeof(*table->index));
    for (struct toml_value *value = table->first; value; value = value->next)
        add(table, value);
}

void toml_index_add(struct arena *arena, struct toml_value *table, struct toml_value *value)
{
    value->key_hash = hash_of(value->key);
    if (table->count <= UNINDEXED_MAX)
        return;
    if (table->count > table->index_size)
        grow(arena, table);
    else
        add(table, value);
}

struct toml_value *toml_look_up(const struct toml_value *table, const char *key)
{
    const uint32_t hash = hash_of(key);
    struct toml_value *value = table->index ? table->index[hash % table->index_size] : table->first;

    for (; value; value = table->index ? value->next_in_index : value->next)
        if (value->key_hash == hash && value->key && strcmp(value->key, key) == 0)
            return value;
    return NULL;
}
