/* An image that is a table of files, and what the room makes of it. */
#ifndef CORACLE_TEST_FOREIGN_MADE_H
#define CORACLE_TEST_FOREIGN_MADE_H

#include "foreign/foreign.h"

#include "../../tap.h"
#include "base/str.h"

struct made_file {
    const char *path;
    const char *text;         /* NULL: a directory */
    size_t length;            /* 0: as long as the text */
    enum foreign_found found; /* FOREIGN_ABSENT: it is there, and read */
};

static struct arena arena;
static struct err err;
static struct foreign foreign;
static int look_ups;

static const struct made_file *find_made(void *context, const char *path)
{
    look_ups++;
    for (const struct made_file *file = context; file->path; file++)
        if (strcmp(file->path, path) == 0)
            return file;
    return NULL;
}

static enum foreign_found read_made(void *context, const char *path, struct str *out)
{
    const struct made_file *file = find_made(context, path);

    if (!file || !file->text)
        return FOREIGN_ABSENT;
    if (file->found != FOREIGN_ABSENT)
        return file->found;
    if (out)
        str_add_bytes(out, file->text, file->length ? file->length : strlen(file->text));
    return FOREIGN_FOUND;
}

static int is_made_directory(void *context, const char *path)
{
    const struct made_file *file = find_made(context, path);

    return file && !file->text;
}

/* What is collected of FILES, which end with a zero one. */
static int collect_made(struct str *bytes, struct made_file *files)
{
    const struct foreign_source source = {read_made, is_made_directory, files};

    *bytes = (struct str){.arena = &arena};
    look_ups = 0;
    return foreign_collect(bytes, &source, &err);
}

/* Fills `foreign` with what FILES say. 0 or -1. */
__attribute__((unused)) static int parse_made(struct made_file *files)
{
    struct str bytes;

    memset(&foreign, 0xA5, sizeof(foreign));
    if (collect_made(&bytes, files) < 0)
        return -1;
    return foreign_parse(&foreign, bytes.data, bytes.length, &arena, &err);
}

/* "A=b|C=d|" */
__attribute__((unused)) static const char *made_variables(void)
{
    struct str out = {.arena = &arena};

    for (size_t i = 0; i < foreign.variable_count; i++)
        str_addf(&out, "%s=%s|", foreign.variables[i].name, foreign.variables[i].value);
    return str_text(&out);
}

/* "a|b|", NULL where LIST is. */
__attribute__((unused)) static const char *made_words(char *const *list)
{
    struct str out = {.arena = &arena};

    for (; list && *list; list++)
        str_addf(&out, "%s|", *list);
    return out.data;
}

#endif
