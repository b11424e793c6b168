#include "oci/layout-file.h"

#include <string.h>

#include "base/str.h"
#include "oci/section.h"

static int check(const char *bytes, size_t length, struct section *top)
{
    const char *version;

    top->object = json_read(bytes, length, top->arena, top->id, top->err);
    if (!top->object)
        return -1;
    if (top->object->kind != JSON_OBJECT)
        return err_set(top->err, top->id, "it must be an object and is %s",
                       json_kind_name(top->object->kind));
    if (section_need_string(top, "imageLayoutVersion", &version) < 0)
        return -1;
    if (strncmp(version, "1.0.", strlen("1.0.")) != 0)
        return err_set(top->err, top->id, "imageLayoutVersion is %s, and 1.0.0 is supported",
                       str_quote(top->arena, version));
    return 0;
}

int oci_layout_file_check(const char *bytes, size_t length, struct arena *arena, struct err *err)
{
    struct section top = {NULL, "", arena, ERR_IMAGE_MANIFEST, err};

    return check(bytes, length, &top) < 0 ? err_prefix(err, "oci-layout") : 0;
}
