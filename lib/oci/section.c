#include "oci/section.h"

#include <string.h>

#include "base/num.h"
#include "base/str.h"
#include "oci/document.h"

int section_read(struct section *top, const char *bytes, size_t length)
{
    if (length > OCI_DOCUMENT_MAX)
        return err_set(top->err, top->id, "it has %zu bytes, and %d is the limit", length, OCI_DOCUMENT_MAX);
    top->object = json_read(bytes, length, top->arena, top->id, top->err);
    if (!top->object)
        return -1;
    return top->object->kind == JSON_OBJECT ? 0
                                            : err_set(top->err, top->id, "it must be an object and is %s",
                                                      json_kind_name(top->object->kind));
}

const struct json_value *section_find(const struct section *section, const char *name)
{
    const struct json_value *value = json_member(section->object, name);

    return value && value->kind != JSON_NULL ? value : NULL;
}

const char *section_name(const struct section *section, const char *name)
{
    return arena_join(section->arena, section->path, name, NULL);
}

static int fail_kind(const struct section *section, const char *name, const char *expected,
                     const struct json_value *value)
{
    return err_set(section->err, section->id, "%s%s must be %s and is %s", section->path, name, expected,
                   json_kind_name(value->kind));
}

static int fail_missing(const struct section *section, const char *name)
{
    return err_set(section->err, section->id, "%s%s is missing", section->path, name);
}

int section_string(const struct section *section, const char *name, const char **text)
{
    const struct json_value *value = section_find(section, name);

    *text = NULL;
    if (!value)
        return 0;
    if (value->kind != JSON_STRING)
        return fail_kind(section, name, "a string", value);
    *text = value->text;
    return 0;
}

int section_need_string(const struct section *section, const char *name, const char **text)
{
    if (section_string(section, name, text) < 0)
        return -1;
    if (!*text || !**text)
        return fail_missing(section, name);
    return 0;
}

int section_array(const struct section *section, const char *name, const struct json_value **array)
{
    *array = section_find(section, name);
    if (*array && (*array)->kind != JSON_ARRAY)
        return fail_kind(section, name, "an array", *array);
    return 0;
}

int section_need_array(const struct section *section, const char *name, const struct json_value **array)
{
    if (section_array(section, name, array) < 0)
        return -1;
    return *array ? 0 : fail_missing(section, name);
}

int section_object(const struct section *section, const char *name, struct section *inner)
{
    const struct json_value *value = section_find(section, name);

    *inner = *section;
    inner->object = value;
    inner->path = arena_join(section->arena, section->path, name, ".", NULL);
    if (value && value->kind != JSON_OBJECT)
        return fail_kind(section, name, "an object", value);
    return 0;
}

int section_need_object(const struct section *section, const char *name, struct section *inner)
{
    if (section_object(section, name, inner) < 0)
        return -1;
    return inner->object ? 0 : fail_missing(section, name);
}

int section_item(const struct section *section, const char *name, size_t index, const struct json_value *item,
                 struct section *inner)
{
    const char *numbered = arena_printf(section->arena, "%s[%zu]", name, index);

    if (item->kind != JSON_OBJECT)
        return fail_kind(section, numbered, "an object", item);
    *inner = *section;
    inner->object = item;
    inner->path = arena_join(section->arena, section->path, numbered, ".", NULL);
    return 0;
}

int section_need_size(const struct section *section, const char *name, uint64_t *size)
{
    const struct json_value *value = section_find(section, name);

    if (!value)
        return fail_missing(section, name);
    if (value->kind != JSON_NUMBER)
        return fail_kind(section, name, "a number", value);
    if (num_parse(value->text, INT64_MAX, size) < 0)
        return err_set(section->err, section->id, "%s%s must be a number of bytes and is %s", section->path,
                       name, str_quote(section->arena, value->text));
    return 0;
}
