#include "oci/manifest.h"

#include <string.h>

#include "base/str.h"
#include "oci/section.h"
#include "oci/media-type.h"

static int fail_artifact(const struct oci_manifest *manifest, const struct section *top)
{
    const char *type;

    if (strncmp(manifest->config.media_type, "application/vnd.sylabs.sif.", 27) == 0)
        return err_set(
            top->err, top->id,
            "this is a SIF file in a registry and no container image: fetch it with `apptainer pull "
            "oras://...` or `oras pull`; coracle runs the file");
    if (section_string(top, "artifactType", &type) < 0)
        return -1;
    if (!type || !*type)
        type = manifest->config.media_type;
    return err_set(top->err, top->id,
                   "this is not a container image but an artifact of type %s: no tool can run it as an image",
                   str_quote(top->arena, type));
}

static int check_layer(struct oci_manifest_layer *layer, const struct section *section)
{
    switch (oci_media_of(layer->blob.media_type)) {
    case OCI_MEDIA_LAYER:
        return 0;
    case OCI_MEDIA_FOREIGN:
        layer->is_foreign = 1;
        return 0;
    case OCI_MEDIA_ENCRYPTED:
        return err_set(section->err, section->id, "%smediaType is %s: encrypted layers are not supported",
                       section->path, str_quote(section->arena, layer->blob.media_type));
    default:
        return err_set(section->err, section->id,
                       "%smediaType is %s, which is not supported; layers may be %s", section->path,
                       str_quote(section->arena, layer->blob.media_type), oci_media_layers);
    }
}

static int read_layers(struct oci_manifest *manifest, const struct section *top)
{
    const struct json_value *array;
    struct section section;
    size_t count = 0;

    if (json_member(top->object, "layers") && !section_find(top, "layers"))
        return 0; /* null: Go's empty list */
    if (section_need_array(top, "layers", &array) < 0)
        return -1;
    if (array->count > OCI_LAYERS_MAX)
        return err_set(top->err, top->id, "there are %zu layers, and %d is the limit", array->count,
                       OCI_LAYERS_MAX);
    manifest->layers = arena_alloc(top->arena, array->count * sizeof(*manifest->layers));
    for (const struct json_value *item = array->first; item; item = item->next) {
        struct oci_manifest_layer *layer = &manifest->layers[count];

        if (section_item(top, "layers", count++, item, &section) < 0 ||
            oci_descriptor_read(&layer->blob, &section) < 0 || check_layer(layer, &section) < 0)
            return -1;
    }
    manifest->layer_count = count;
    return 0;
}

int oci_manifest_read(struct oci_manifest *manifest, const struct section *top)
{
    struct section config;

    if (section_need_object(top, "config", &config) < 0 ||
        oci_descriptor_read(&manifest->config, &config) < 0)
        return -1;
    if (oci_media_of(manifest->config.media_type) != OCI_MEDIA_CONFIG)
        return fail_artifact(manifest, top);
    return read_layers(manifest, top);
}
