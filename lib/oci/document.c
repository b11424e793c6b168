#include "oci/document.h"

#include <string.h>

#include "base/str.h"
#include "oci/section.h"
#include "oci/media-type.h"

/* Members by which readers tell what a document is. */
static const char *const telling[] = {"schemaVersion", "mediaType", "artifactType", "config",
                                      "layers",        "manifests", "fsLayers"};

static int is_in_other_letters(const char *name, const char *ours)
{
    return strcmp(name, ours) != 0 && !strchr(name, ';') && oci_media_is_same(name, ours);
}

static int check_letters(const struct section *top)
{
    for (const struct json_value *member = top->object->first; member; member = member->next)
        for (size_t i = 0; i < sizeof(telling) / sizeof(telling[0]); i++)
            if (is_in_other_letters(member->name, telling[i]))
                return err_set(top->err, top->id,
                               "the member %s is refused: some readers take it for %s, and some do not",
                               str_quote(top->arena, member->name), telling[i]);
    return 0;
}

static int fail_schema1(const struct section *top)
{
    return err_set(top->err, top->id,
                   "this is Docker schema 1, which is too old and not supported; `skopeo copy`, or a push "
                   "with a current tool, makes a newer one");
}

static int fail_media(const struct section *top, const char *media_type)
{
    return err_set(top->err, top->id, "the media type %s is not supported; supported are %s",
                   str_quote(top->arena, media_type), oci_media_documents);
}

/* What the media types say, OCI_MEDIA_SILENT where they say nothing. */
static int media_of(const struct section *top, const char *said, enum oci_media *media)
{
    const char *written;

    if (section_string(top, "mediaType", &written) < 0)
        return -1;
    if (oci_media_of(said) == OCI_MEDIA_SCHEMA1 || oci_media_of(written) == OCI_MEDIA_SCHEMA1)
        return fail_schema1(top);
    if (oci_media_of(said) == OCI_MEDIA_SILENT)
        said = NULL;
    if (said && written && *written && !oci_media_is_same(said, written))
        return err_set(top->err, top->id, "it came as %s, and its mediaType is %s",
                       str_quote(top->arena, said), str_quote(top->arena, written));
    if (!said && written && *written)
        said = written;
    *media = oci_media_of(said);
    if (said && *media != OCI_MEDIA_MANIFEST && *media != OCI_MEDIA_INDEX)
        return fail_media(top, said);
    return 0;
}

static int check_version(const struct section *top)
{
    const struct json_value *version = section_find(top, "schemaVersion");

    if (version && version->kind == JSON_NUMBER && strcmp(version->text, "2") == 0)
        return 0;
    if (version && version->kind == JSON_NUMBER && strcmp(version->text, "1") == 0)
        return fail_schema1(top);
    return err_set(top->err, top->id, version ? "schemaVersion must be 2" : "schemaVersion is missing");
}

/* Neither an index may have what makes a manifest, nor the other way round. */
static int check_one_kind(const struct section *top, enum oci_document_kind kind)
{
    static const char *const of_manifest[] = {"layers", "config", "fsLayers", NULL};
    static const char *const of_index[] = {"manifests", "fsLayers", NULL};

    for (const char *const *name = kind == OCI_DOCUMENT_INDEX ? of_manifest : of_index; *name; name++)
        if (section_find(top, *name))
            return err_set(top->err, top->id, "%s has the member %s: readers would differ on what it is",
                           kind == OCI_DOCUMENT_INDEX ? "an index" : "a manifest", *name);
    return 0;
}

static int find_kind(const struct section *top, const char *media_type, enum oci_document_kind *kind)
{
    enum oci_media media = OCI_MEDIA_SILENT;

    if (check_letters(top) < 0 || media_of(top, media_type, &media) < 0 || check_version(top) < 0)
        return -1;
    if (media == OCI_MEDIA_SILENT) {
        if (!section_find(top, "manifests") && !section_find(top, "layers"))
            return err_set(top->err, top->id,
                           "it has neither layers nor manifests: this is not an image; supported are %s",
                           oci_media_documents);
        *kind = section_find(top, "manifests") ? OCI_DOCUMENT_INDEX : OCI_DOCUMENT_MANIFEST;
    } else {
        *kind = media == OCI_MEDIA_INDEX ? OCI_DOCUMENT_INDEX : OCI_DOCUMENT_MANIFEST;
    }
    return check_one_kind(top, *kind);
}

static int parse(struct oci_document *document, const char *bytes, size_t length, const char *media_type,
                 struct section *top)
{
    if (section_read(top, bytes, length) < 0 || find_kind(top, media_type, &document->kind) < 0)
        return -1;
    return document->kind == OCI_DOCUMENT_INDEX ? oci_index_read(&document->index, top)
                                                : oci_manifest_read(&document->manifest, top);
}

int oci_document_parse(struct oci_document *document, const char *bytes, size_t length,
                       const char *media_type, struct arena *arena, struct err *err)
{
    struct section top = {NULL, "", arena, ERR_IMAGE_MANIFEST, err};

    memset(document, 0, sizeof(*document));
    if (parse(document, bytes, length, media_type, &top) < 0)
        return err_prefix(err, document->kind == OCI_DOCUMENT_INDEX ? "index" : "manifest");
    return 0;
}
