/*
 * An OCI image layout: oci-layout, index.json, and from one of its entries through indexes to
 * a manifest, its configuration and its layers.
 */
#include <string.h>

#include "layout/blob.h"
#include "layout/choose.h"
#include "oci/document.h"
#include "oci/layout-file.h"

enum { LAYOUT_FILE_MAX = 4096 };

static int fail_no_layout(const struct choice *choice, const char *name)
{
    struct extent extent;

    if (choice->source->is_archive && source_find(choice->source, "manifest.json", &extent) == 1)
        return err_set(choice->err, ERR_IMAGE_UNKNOWN,
                       "it has no file %s but a manifest.json: this is a docker-archive:", name);
    return err_set(choice->err, ERR_IMAGE_UNKNOWN, "it has no file %s: this is no OCI image layout", name);
}

static int read_file(const struct choice *choice, const char *name, size_t limit, const char **bytes,
                     size_t *length)
{
    int found = source_read(choice->source, name, limit, bytes, length);

    return found ? found : fail_no_layout(choice, name);
}

static int read_index(const struct choice *choice, struct oci_document *document)
{
    const char *bytes;
    size_t length;

    if (read_file(choice, "oci-layout", LAYOUT_FILE_MAX, &bytes, &length) < 0 ||
        oci_layout_file_check(bytes, length, choice->arena, choice->err) < 0 ||
        read_file(choice, "index.json", OCI_DOCUMENT_MAX, &bytes, &length) < 0)
        return -1;
    if (oci_document_parse(document, bytes, length, "application/vnd.oci.image.index.v1+json", choice->arena,
                           choice->err) < 0)
        return err_prefix(choice->err, "index.json");
    return 0;
}

/* What the entry is called on the command line: its name, or its place. */
static const char *label_of(const struct choice *choice, const struct oci_index *index, size_t i)
{
    const struct oci_entry *entry = &index->entries[i];

    if (entry->full_name || entry->name)
        return str_quote(choice->arena, entry->full_name ? entry->full_name : entry->name);
    return arena_printf(choice->arena, "@%zu", i);
}

static int is_equal(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Each label once. */
static const char *list_labels(const struct choice *choice, const struct oci_index *index)
{
    struct listing listing = {.text = {.arena = choice->arena}};

    for (size_t i = 0; i < index->count; i++) {
        const struct oci_entry *entry = &index->entries[i];
        size_t j = 0;

        while (j < i && (index->entries[j].kind == OCI_ENTRY_OTHER || (!entry->name && !entry->full_name) ||
                         !is_equal(index->entries[j].name, entry->name) ||
                         !is_equal(index->entries[j].full_name, entry->full_name)))
            j++;
        if (j == i && entry->kind != OCI_ENTRY_OTHER)
            listing_add(&listing, label_of(choice, index, i));
    }
    return listing_text(&listing);
}

static int fail_missing(const struct choice *choice, const struct oci_index *index)
{
    const char *list = list_labels(choice, index);

    if (!*list)
        return err_set(choice->err, ERR_IMAGE_MISSING, "index.json lists no image");
    return err_set(choice->err, ERR_IMAGE_MISSING, "index.json has no image of that name; it has %s", list);
}

static int fail_ambiguous(const struct choice *choice, const struct oci_index *index)
{
    return err_set(choice->err, ERR_IMAGE_AMBIGUOUS, "it holds several images: name one of %s, after a colon",
                   list_labels(choice, index));
}

static int is_wanted(const struct oci_entry *entry, const char *name, int by_full_name)
{
    if (entry->kind == OCI_ENTRY_OTHER)
        return 0;
    return !name || is_equal(by_full_name ? entry->full_name : entry->name, name);
}

/* The entries that the reference means. */
static struct oci_index select_entries(const struct choice *choice, const struct oci_index *index)
{
    const char *name = choice->reference->name;
    struct oci_index selected = {arena_alloc(choice->arena, index->count * sizeof(*index->entries)), 0};

    for (int by_full_name = 0; by_full_name <= 1 && !selected.count; by_full_name++)
        for (size_t i = 0; i < index->count; i++)
            if (is_wanted(&index->entries[i], name, by_full_name))
                selected.entries[selected.count++] = index->entries[i];
    return selected;
}

/* Whether the entries are one image, for one or several platforms. */
static int is_one_image(const struct oci_index *index)
{
    const struct oci_entry *first = &index->entries[0];
    int differ = 0, silent = 0;

    for (size_t i = 0; i < index->count; i++) {
        const struct oci_entry *entry = &index->entries[i];

        if (!is_equal(entry->name, first->name) || !is_equal(entry->full_name, first->full_name))
            return 0;
        differ |= strcmp(entry->blob.digest, first->blob.digest) != 0;
        silent |= !entry->platform.os;
    }
    return !differ || !silent;
}

static const struct oci_entry *choose_entry(const struct choice *choice, const struct oci_index *index)
{
    const int number = choice->reference->index;
    struct oci_index selected;

    if (number >= 0) {
        if ((size_t)number >= index->count || index->entries[number].kind == OCI_ENTRY_OTHER) {
            err_set(choice->err, ERR_IMAGE_MISSING,
                    "index.json has %zu entries, from @0, and number %d is %s", index->count, number,
                    (size_t)number < index->count ? "no image" : "not there");
            return NULL;
        }
        return &index->entries[number];
    }
    selected = select_entries(choice, index);
    if (!selected.count) {
        fail_missing(choice, index);
        return NULL;
    }
    if (!is_one_image(&selected)) {
        fail_ambiguous(choice, choice->reference->name ? &selected : index);
        return NULL;
    }
    if (selected.count == 1)
        return selected.entries;
    return oci_index_choose(&selected, choice->platform, choice->arena, choice->err);
}

/* From ENTRY down to a manifest; *PLATFORM is what the index says of it. */
static int find_manifest(const struct choice *choice, const struct oci_entry *entry,
                         struct oci_document *document, struct oci_platform *platform)
{
    for (int depth = 0; depth <= OCI_NESTING_MAX; depth++) {
        const struct oci_descriptor *blob = &entry->blob;
        const char *bytes;

        if (blob_read(choice->source, blob, &bytes) < 0)
            return -1;
        if (oci_document_parse(document, bytes, (size_t)blob->size, blob->media_type, choice->arena,
                               choice->err) < 0)
            return err_prefix(choice->err, "blob %s", blob->digest);
        if (document->kind == OCI_DOCUMENT_MANIFEST) {
            *platform = entry->platform;
            choice->image->digest = blob->digest;
            choice->image->manifest = bytes;
            choice->image->manifest_length = (size_t)blob->size;
            return 0;
        }
        entry = oci_index_choose(&document->index, choice->platform, choice->arena, choice->err);
        if (!entry)
            return -1;
    }
    return err_set(choice->err, ERR_IMAGE_MANIFEST, "indexes lie in indexes more than %d deep",
                   OCI_NESTING_MAX);
}

/* Layer NUMBER of the manifest: its file, or that of an equal one below. */
static int find_layer(const struct choice *choice, const struct oci_manifest *manifest, size_t number)
{
    const struct oci_descriptor *blob = &manifest->layers[number].blob;
    struct layer *layer = &choice->image->layers[number];
    struct extent extent;

    layer->digest = blob->digest;
    layer->size = blob->size;
    for (size_t i = 0; i < number; i++) {
        const struct layer *below = &choice->image->layers[i];

        if (strcmp(below->digest, blob->digest) != 0 || below->size != blob->size)
            continue;
        layer->fd = below->fd;
        layer->offset = below->offset;
        return 0;
    }
    if (blob_find(choice->source, blob, &extent) < 0)
        return manifest->layers[number].is_foreign
                   ? err_prefix(choice->err, "foreign layer, which may not be distributed")
                   : -1;
    layer->fd = extent.fd;
    layer->offset = extent.offset;
    return 0;
}

int choose_oci(const struct choice *choice)
{
    struct layout_image *image = choice->image;
    const struct oci_entry *entry;
    struct oci_document document;
    struct oci_platform platform;

    if (read_index(choice, &document) < 0)
        return -1;
    entry = choose_entry(choice, &document.index);
    if (!entry || find_manifest(choice, entry, &document, &platform) < 0)
        return -1;
    if (blob_read(choice->source, &document.manifest.config, &image->config) < 0)
        return err_prefix(choice->err, "configuration");
    image->config_length = (size_t)document.manifest.config.size;
    image->config_digest = document.manifest.config.digest;
    if (choose_layers(choice, document.manifest.layer_count) < 0)
        return -1;
    if (platform.os)
        image->platform = platform;
    for (size_t i = 0; i < document.manifest.layer_count; i++)
        if (find_layer(choice, &document.manifest, i) < 0)
            return -1;
    return 0;
}
