#include "oci/descriptor.h"

#include <string.h>

#include "base/str.h"
#include "oci/section.h"

int oci_digest_is_valid(const char *text)
{
    static const struct {
        const char *prefix;
        size_t digits;
    } algorithms[] = {{"sha256:", 64}, {"sha512:", 128}};

    for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
        const size_t prefix = strlen(algorithms[i].prefix);

        if (strncmp(text, algorithms[i].prefix, prefix) == 0)
            return strspn(text + prefix, "0123456789abcdef") == algorithms[i].digits &&
                   !text[prefix + algorithms[i].digits];
    }
    return 0;
}

int oci_descriptor_read(struct oci_descriptor *descriptor, const struct section *section)
{
    if (section_need_string(section, "mediaType", &descriptor->media_type) < 0 ||
        section_need_string(section, "digest", &descriptor->digest) < 0 ||
        section_need_size(section, "size", &descriptor->size) < 0)
        return -1;
    if (!oci_digest_is_valid(descriptor->digest))
        return err_set(section->err, section->id,
                       "%sdigest is %s and must be sha256: or sha512: with 64 or 128 hexadecimal digits in "
                       "lower case",
                       section->path, str_quote(section->arena, descriptor->digest));
    return 0;
}
