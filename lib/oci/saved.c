#include "oci/saved.h"

#include <string.h>

#include "oci/document.h"
#include "oci/section.h"

/* NAME as a list of strings that are not empty; null, and absent, are an empty list. */
static int read_strings(const struct section *section, const char *name, size_t limit, const char ***strings,
                        size_t *count)
{
    const struct json_value *array;

    if (section_array(section, name, &array) < 0)
        return -1;
    if (!array)
        return 0;
    if (array->count > limit)
        return err_set(section->err, section->id, "%s has %zu items, and %zu is the limit",
                       section_name(section, name), array->count, limit);
    *strings = arena_alloc(section->arena, array->count * sizeof(**strings));
    for (const struct json_value *item = array->first; item; item = item->next) {
        if (item->kind != JSON_STRING || !*item->text)
            return err_set(section->err, section->id, "%s[%zu] must be a string and is %s",
                           section_name(section, name), *count,
                           item->kind == JSON_STRING ? "empty" : json_kind_name(item->kind));
        (*strings)[(*count)++] = item->text;
    }
    return 0;
}

static int read_image(struct oci_saved_image *image, const struct section *section)
{
    if (section_need_string(section, "Config", &image->config) < 0 ||
        read_strings(section, "RepoTags", OCI_ENTRIES_MAX, &image->tags, &image->tag_count) < 0)
        return -1;
    return read_strings(section, "Layers", OCI_LAYERS_MAX, &image->layers, &image->layer_count);
}

static int parse(struct oci_saved *saved, const char *bytes, size_t length, const struct section *top)
{
    const struct json_value *array;
    struct section section;

    if (length > OCI_DOCUMENT_MAX)
        return err_set(top->err, top->id, "it has %zu bytes, and %d is the limit", length, OCI_DOCUMENT_MAX);
    array = json_read(bytes, length, top->arena, top->id, top->err);
    if (!array)
        return -1;
    if (array->kind != JSON_ARRAY)
        return err_set(top->err, top->id, "it must be an array and is %s", json_kind_name(array->kind));
    if (array->count > OCI_SAVED_MAX)
        return err_set(top->err, top->id, "there are %zu images, and %d is the limit", array->count,
                       OCI_SAVED_MAX);
    saved->images = arena_alloc(top->arena, array->count * sizeof(*saved->images));
    for (const struct json_value *item = array->first; item; item = item->next, saved->count++)
        if (section_item(top, "", saved->count, item, &section) < 0 ||
            read_image(&saved->images[saved->count], &section) < 0)
            return -1;
    return 0;
}

int oci_saved_parse(struct oci_saved *saved, const char *bytes, size_t length, struct arena *arena,
                    struct err *err)
{
    const struct section top = {NULL, "", arena, ERR_IMAGE_MANIFEST, err};

    memset(saved, 0, sizeof(*saved));
    if (parse(saved, bytes, length, &top) < 0)
        return err_prefix(err, "manifest.json");
    return 0;
}
