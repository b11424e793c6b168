#include "oci/rootfs.h"

#include <string.h>

#include "base/str.h"
#include "oci/document.h"
#include "oci/section.h"

static int read_diff_ids(struct oci_rootfs *rootfs, const struct section *section)
{
    const struct json_value *array;
    size_t count = 0;

    if (section_array(section, "diff_ids", &array) < 0)
        return -1;
    if (!array) /* null: Go's empty list */
        return 0;
    if (array->count > OCI_LAYERS_MAX)
        return err_set(section->err, section->id, "there are %zu rootfs.diff_ids, and %d is the limit",
                       array->count, OCI_LAYERS_MAX);
    rootfs->diff_ids = arena_alloc(section->arena, array->count * sizeof(*rootfs->diff_ids));
    for (const struct json_value *item = array->first; item; item = item->next) {
        if (item->kind != JSON_STRING || !oci_digest_is_valid(item->text))
            return err_set(section->err, section->id,
                           "rootfs.diff_ids[%zu] is %s and must be a digest, sha256:HEX or sha512:HEX", count,
                           item->kind == JSON_STRING ? str_quote(section->arena, item->text)
                                                     : json_kind_name(item->kind));
        rootfs->diff_ids[count++] = item->text;
    }
    rootfs->count = count;
    return 0;
}

static int read_platform(struct oci_rootfs *rootfs, const struct section *top)
{
    const char *os, *architecture, *variant;

    if (section_string(top, "os", &os) < 0 || section_string(top, "architecture", &architecture) < 0 ||
        section_string(top, "variant", &variant) < 0)
        return -1;
    rootfs->platform = oci_platform_make(os ? os : "", architecture ? architecture : "", variant, top->arena);
    return 0;
}

static int parse(struct oci_rootfs *rootfs, const char *bytes, size_t length, struct section *top)
{
    struct section section;
    const char *type;

    if (section_read(top, bytes, length) < 0 || read_platform(rootfs, top) < 0 ||
        section_need_object(top, "rootfs", &section) < 0 || section_string(&section, "type", &type) < 0)
        return -1;
    if (type && strcmp(type, "layers") != 0)
        return err_set(top->err, top->id, "rootfs.type is %s and must be layers",
                       str_quote(top->arena, type));
    return read_diff_ids(rootfs, &section);
}

int oci_rootfs_parse(struct oci_rootfs *rootfs, const char *bytes, size_t length, struct arena *arena,
                     struct err *err)
{
    struct section top = {NULL, "", arena, ERR_IMAGE_CONFIG, err};

    memset(rootfs, 0, sizeof(*rootfs));
    if (parse(rootfs, bytes, length, &top) < 0)
        return err_prefix(err, "image configuration");
    return 0;
}
