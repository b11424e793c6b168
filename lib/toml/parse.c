#include "toml/reader.h"

static int is_bare(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/* Whether the bare key that ends at the next byte may end there. */
static int is_key_end(const struct toml_reader *reader)
{
    return reader->p == reader->end || toml_newline(reader, reader->p) || toml_next_is(reader, ' ') ||
           toml_next_is(reader, '\t') || toml_next_is(reader, '.') || toml_next_is(reader, '=') ||
           toml_next_is(reader, ']') || toml_next_is(reader, '#') || toml_next_is(reader, ',') ||
           toml_next_is(reader, '}');
}

/* A key, or one part of a dotted key. */
static int read_key(struct toml_reader *reader, struct toml_key *key)
{
    const char *start = reader->p;

    key->written = start;
    key->at = toml_place_of(reader, start);
    if (toml_next_is(reader, '"') || toml_next_is(reader, '\'')) {
        key->text = toml_read_string(reader, 1);
        return key->text ? 0 : -1;
    }
    while (reader->p < reader->end && is_bare(*reader->p))
        reader->p++;
    if (reader->p == start)
        return toml_expected(reader, "a key");
    if (!is_key_end(reader))
        return toml_expected(reader, "letters, digits, _ and - in a key (one of others needs quotes)");
    key->text = arena_strndup(reader->file->arena, start, (size_t)(reader->p - start));
    return 0;
}

/* Passes the dot after a part of a dotted key, and the blanks around it. */
static int take_dot(struct toml_reader *reader)
{
    toml_skip_blanks(reader);
    if (!toml_take(reader, '.'))
        return 0;
    toml_skip_blanks(reader);
    return 1;
}

int toml_read_pair(struct toml_reader *reader, struct toml_value *table)
{
    struct toml_value *value;
    struct toml_key key;

    if (read_key(reader, &key) < 0)
        return -1;
    while (take_dot(reader)) {
        table = toml_enter_dotted(reader, table, &key);
        if (!table || read_key(reader, &key) < 0)
            return -1;
    }
    value = toml_add_member(reader, table, &key);
    if (!value)
        return -1;
    if (!toml_take(reader, '='))
        return toml_expected(reader, "'=' after the key");
    toml_skip_blanks(reader);
    return toml_read_value(reader, value);
}

/* [KEY] or [[KEY]]. The table that the following lines belong to, or NULL. */
static struct toml_value *read_header(struct toml_reader *reader, struct toml_value *root)
{
    struct toml_value *table = root;
    struct toml_key key;
    int is_array;

    reader->p++;
    is_array = toml_take(reader, '[');
    toml_skip_blanks(reader);
    if (read_key(reader, &key) < 0)
        return NULL;
    while (take_dot(reader)) {
        table = toml_enter_header(reader, table, &key);
        if (!table || read_key(reader, &key) < 0)
            return NULL;
    }
    if (!toml_take(reader, ']') || (is_array && !toml_take(reader, ']'))) {
        toml_expected(reader, is_array ? "']]' after the key" : "']' after the key");
        return NULL;
    }
    return is_array ? toml_define_element(reader, table, &key) : toml_define_table(reader, table, &key);
}

static int read_statements(struct toml_reader *reader, struct toml_value *root)
{
    struct toml_value *table = root;

    for (;;) {
        if (toml_skip_lines(reader) < 0)
            return -1;
        if (reader->p == reader->end)
            return 0;
        if (toml_next_is(reader, '['))
            table = read_header(reader, root);
        else if (toml_read_pair(reader, table) < 0)
            return -1;
        if (!table || toml_read_line_end(reader) < 0)
            return -1;
    }
}

const struct toml_value *toml_parse(const char *name, const char *bytes, size_t length, struct arena *arena,
                                    enum err_id id, struct err *err)
{
    struct toml_file *file = arena_alloc(arena, sizeof(*file));
    struct toml_value *root = arena_alloc(arena, sizeof(*root));
    struct toml_reader reader = {.file = file,
                                 .start = bytes,
                                 .p = bytes,
                                 .end = bytes + length,
                                 .err = err,
                                 .marked = bytes,
                                 .place = {1, 1}};

    *file = (struct toml_file){str_quote(arena, name), id, arena};
    *root = (struct toml_value){.kind = TOML_TABLE,
                                .at = {1, 1},
                                .key_at = {1, 1},
                                .file = file,
                                .depth = 1,
                                .origin = TOML_BY_HEADER};
    if (toml_check_text(&reader) < 0 || read_statements(&reader, root) < 0)
        return NULL;
    return root;
}
