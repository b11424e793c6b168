#include "oci/index.h"

#include <string.h>

#include "base/str.h"
#include "oci/section.h"
#include "oci/media-type.h"

enum { LIST_BYTES_MAX = 700 }; /* of an error's text */

static int read_platform(struct oci_entry *entry, const struct section *section)
{
    const char *os, *architecture, *variant;
    struct section platform;

    if (section_object(section, "platform", &platform) < 0)
        return -1;
    if (!platform.object)
        return 0;
    if (section_string(&platform, "os", &os) < 0 ||
        section_string(&platform, "architecture", &architecture) < 0 ||
        section_string(&platform, "variant", &variant) < 0)
        return -1;
    if (os && *os && architecture && *architecture)
        entry->platform = oci_platform_make(os, architecture, variant, section->arena);
    else if ((os && *os) || (architecture && *architecture))
        return err_set(section->err, section->id, "%s needs both os and architecture",
                       section_name(section, "platform"));
    return 0;
}

/* Whether this is what a builder says about an image, and no image. */
static int is_attestation(const struct oci_entry *entry, const char *reference_type)
{
    return (reference_type && strcmp(reference_type, "attestation-manifest") == 0) ||
           (entry->platform.os && strcmp(entry->platform.os, "unknown") == 0 &&
            strcmp(entry->platform.architecture, "unknown") == 0);
}

static enum oci_entry_kind kind_of(const struct oci_entry *entry, const char *artifact_type,
                                   const char *reference_type)
{
    if (is_attestation(entry, reference_type))
        return OCI_ENTRY_OTHER;
    if (artifact_type && *artifact_type && oci_media_of(artifact_type) != OCI_MEDIA_CONFIG)
        return OCI_ENTRY_OTHER;
    switch (oci_media_of(entry->blob.media_type)) {
    case OCI_MEDIA_MANIFEST:
        return OCI_ENTRY_MANIFEST;
    case OCI_MEDIA_INDEX:
        return OCI_ENTRY_INDEX;
    default:
        return OCI_ENTRY_OTHER;
    }
}

static int read_entry(struct oci_entry *entry, const struct section *section)
{
    const char *artifact_type, *reference_type = NULL;
    struct section annotations;

    if (oci_descriptor_read(&entry->blob, section) < 0 || read_platform(entry, section) < 0 ||
        section_string(section, "artifactType", &artifact_type) < 0 ||
        section_object(section, "annotations", &annotations) < 0)
        return -1;
    if (annotations.object &&
        (section_string(&annotations, "org.opencontainers.image.ref.name", &entry->name) < 0 ||
         section_string(&annotations, "io.containerd.image.name", &entry->full_name) < 0 ||
         section_string(&annotations, "vnd.docker.reference.type", &reference_type) < 0))
        return -1;
    if (entry->name && !*entry->name)
        entry->name = NULL;
    if (entry->full_name && !*entry->full_name)
        entry->full_name = NULL;
    entry->kind = kind_of(entry, artifact_type, reference_type);
    return 0;
}

int oci_index_read(struct oci_index *index, const struct section *top)
{
    const struct json_value *array;
    struct section section;
    size_t count = 0;

    if (section_need_array(top, "manifests", &array) < 0)
        return -1;
    if (array->count > OCI_ENTRIES_MAX)
        return err_set(top->err, top->id, "there are %zu manifests, and %d is the limit", array->count,
                       OCI_ENTRIES_MAX);
    index->entries = arena_alloc(top->arena, array->count * sizeof(*index->entries));
    for (const struct json_value *item = array->first; item; item = item->next, count++)
        if (section_item(top, "manifests", count, item, &section) < 0 ||
            read_entry(&index->entries[count], &section) < 0)
            return -1;
    index->count = count;
    return 0;
}

/* The platforms that there are, each once, as far as they fit. */
static const char *list_platforms(const struct oci_index *index, struct arena *arena)
{
    struct str out = {.arena = arena};
    size_t left_out = 0;

    for (size_t i = 0; i < index->count; i++) {
        const struct oci_entry *entry = &index->entries[i];
        size_t j = 0;

        if (entry->kind == OCI_ENTRY_OTHER || !entry->platform.os)
            continue;
        while (j < i && (index->entries[j].kind == OCI_ENTRY_OTHER || !index->entries[j].platform.os ||
                         oci_platform_compare(&index->entries[j].platform, &entry->platform) != 0))
            j++;
        if (j < i)
            continue;
        if (out.length > LIST_BYTES_MAX)
            left_out++;
        else
            str_addf(&out, "%s%s", out.length ? ", " : "", oci_platform_text(&entry->platform, arena));
    }
    if (left_out)
        str_addf(&out, " and %zu more", left_out);
    return out.data;
}

static const struct oci_entry *fail_choice(const struct oci_index *index, const struct oci_platform *wanted,
                                           size_t unnamed, struct arena *arena, struct err *err)
{
    const char *list = list_platforms(index, arena), *text = oci_platform_text(wanted, arena);

    if (list)
        err_set(err, ERR_IMAGE_PLATFORM, "there is no image for %s: there are images for %s (--platform)",
                text, list);
    else if (unnamed)
        err_set(
            err, ERR_IMAGE_PLATFORM,
            "there are %zu images that do not say for which platform they are: name the one for %s by its "
            "digest",
            unnamed, text);
    else
        err_set(err, ERR_IMAGE_PLATFORM, "there is no image in it, for %s or any other platform", text);
    return NULL;
}

const struct oci_entry *oci_index_choose(const struct oci_index *index, const struct oci_platform *wanted,
                                         struct arena *arena, struct err *err)
{
    const struct oci_entry *best = NULL, *unnamed = NULL;
    size_t unnamed_count = 0;
    int best_rank = 0;

    for (size_t i = 0; i < index->count; i++) {
        const struct oci_entry *entry = &index->entries[i];
        int rank;

        if (entry->kind == OCI_ENTRY_OTHER)
            continue;
        if (!entry->platform.os) {
            if (!unnamed || strcmp(unnamed->blob.digest, entry->blob.digest) != 0)
                unnamed_count++;
            unnamed = entry;
            continue;
        }
        rank = oci_platform_rank(wanted, &entry->platform);
        if (rank > best_rank) {
            best = entry;
            best_rank = rank;
        }
    }
    if (best)
        return best;
    return unnamed_count == 1 ? unnamed : fail_choice(index, wanted, unnamed_count, arena, err);
}
