#include "oci/document.h"

#include "base/str.h"
#include "sample.h"

/* What a document is, by what was said and by what it says. */
static void test_kind(void)
{
    static const struct {
        const char *text;
        const char *media_type;
        enum oci_document_kind kind;
    } rows[] = {
        {MANIFEST("", LAYER), NULL, OCI_DOCUMENT_MANIFEST},
        {MANIFEST("", LAYER), "", OCI_DOCUMENT_MANIFEST},
        {MANIFEST("", LAYER), MANIFEST_TYPE, OCI_DOCUMENT_MANIFEST},
        {MANIFEST("", LAYER), "application/json", OCI_DOCUMENT_MANIFEST},
        {MANIFEST("", LAYER), "text/plain; charset=utf-8", OCI_DOCUMENT_MANIFEST},
        {MANIFEST("", LAYER), DOCKER_TYPE, OCI_DOCUMENT_MANIFEST},
        {MANIFEST(MEDIA(DOCKER_TYPE), LAYER), DOCKER_TYPE, OCI_DOCUMENT_MANIFEST},
        {MANIFEST(MEDIA(MANIFEST_TYPE), LAYER), NULL, OCI_DOCUMENT_MANIFEST},
        {MANIFEST(MEDIA(MANIFEST_TYPE), LAYER), "Application/vnd.OCI.image.manifest.v1+JSON ; charset=utf-8",
         OCI_DOCUMENT_MANIFEST},
        {MANIFEST("\"mediaType\":null,", LAYER), MANIFEST_TYPE, OCI_DOCUMENT_MANIFEST},
        {MANIFEST("\"mediaType\":\"\",\"manifests\":null,", LAYER), MANIFEST_TYPE, OCI_DOCUMENT_MANIFEST},
        {MANIFEST("", ""), NULL, OCI_DOCUMENT_MANIFEST},
        {INDEX("", ""), NULL, OCI_DOCUMENT_INDEX},
        {INDEX("", ENTRY("")), INDEX_TYPE, OCI_DOCUMENT_INDEX},
        {INDEX(MEDIA(LIST_TYPE), ENTRY("")), LIST_TYPE, OCI_DOCUMENT_INDEX},
        {INDEX(MEDIA(INDEX_TYPE) "\"layers\":null,", ENTRY("")), NULL, OCI_DOCUMENT_INDEX},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap.row = arena_printf(&arena, "%s as %s", rows[i].text, rows[i].media_type);
        TAP_OK(parse_as(rows[i].text, rows[i].media_type), err);
        TAP_INT(document.kind, rows[i].kind);
    }
    tap.row = NULL;
}

static void test_bad(void)
{
    static const struct {
        const char *text;
        const char *media_type;
        const char *error;
    } rows[] = {
        {"", NULL, "manifest: line 1, column 1: expected a value"},
        {"<html>", "text/html", "manifest: line 1, column 1: "},
        {"[]", NULL, "manifest: it must be an object and is an array"},
        {"{}", NULL, "schemaVersion is missing"},
        {"{\"schemaVersion\":\"2\"}", NULL, "schemaVersion must be 2"},
        {"{\"schemaVersion\":3}", NULL, "schemaVersion must be 2"},
        {"{\"schemaVersion\":2}", NULL, "neither layers nor manifests"},
        {"{\"schemaVersion\":2,\"layers\":null}", NULL, "neither layers nor manifests"},
        /* Twice, and twice for those who do not look at case. */
        {"{\"schemaVersion\":2,\"schemaVersion\":2}", NULL, "the object has the member schemaVersion twice"},
        {MANIFEST("\"Layers\":[],", LAYER), NULL,
         "the member Layers is refused: some readers take it for layers"},
        {MANIFEST("\"MEDIATYPE\":\"\",", LAYER), NULL, "the member MEDIATYPE is refused"},
        {MANIFEST("\"layers \":[],", LAYER), NULL, "the member 'layers ' is refused"},
        /* What was said against what it says. */
        {MANIFEST(MEDIA(MANIFEST_TYPE), LAYER), DOCKER_TYPE,
         "it came as " DOCKER_TYPE ", and its mediaType is " MANIFEST_TYPE},
        {MANIFEST(MEDIA(INDEX_TYPE), LAYER), MANIFEST_TYPE, "it came as " MANIFEST_TYPE},
        {MANIFEST("\"mediaType\":7,", LAYER), NULL, "mediaType must be a string and is a number"},
        {MANIFEST("", LAYER), "text/html",
         "the media type text/html is not supported; supported are manifests"},
        {MANIFEST("", LAYER), "application/vnd.oci.artifact.manifest.v1+json", "is not supported"},
        {MANIFEST(MEDIA("\\u001b[2J"), LAYER), NULL, "the media type $'\\x1b[2J' is not supported"},
        {MANIFEST("", LAYER), OCI "layer.v1.tar", "is not supported"},
        /* Both kinds at once. */
        {MANIFEST("\"manifests\":[],", LAYER), NULL, "index: an index has the member layers"},
        {MANIFEST("\"manifests\":[],", LAYER), MANIFEST_TYPE,
         "manifest: a manifest has the member manifests"},
        {INDEX("\"config\":{},", ENTRY("")), NULL, "index: an index has the member config"},
        {INDEX("\"layers\":[],", ENTRY("")), INDEX_TYPE, "index: an index has the member layers"},
        {MANIFEST("\"fsLayers\":[],", LAYER), NULL, "has the member fsLayers"},
        {MANIFEST("", LAYER), INDEX_TYPE, "index: an index has the member layers"},
        {INDEX("", ENTRY("")), MANIFEST_TYPE, "manifest: a manifest has the member manifests"},
        /* Too old. */
        {"{\"schemaVersion\":1,\"name\":\"a\",\"tag\":\"b\",\"fsLayers\":[]}", NULL,
         "Docker schema 1, which is too old"},
        {"{\"schemaVersion\":1}", DOCKER "distribution.manifest.v1+prettyjws", "Docker schema 1"},
        {MANIFEST(MEDIA(DOCKER "distribution.manifest.v1+json"), LAYER), NULL, "Docker schema 1"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap.row = arena_printf(&arena, "%s as %s", rows[i].text, rows[i].media_type);
        TAP_ERR(parse_as(rows[i].text, rows[i].media_type), err, ERR_IMAGE_MANIFEST, rows[i].error);
    }
    tap.row = NULL;
}

static void test_too_long(void)
{
    struct str text = {.arena = &arena};

    while (text.length <= OCI_DOCUMENT_MAX)
        str_add(&text, "                                                                ");
    TAP_ERR(parse_as(str_text(&text), NULL), err, ERR_IMAGE_MANIFEST, "and 4194304 is the limit");
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    test_kind();
    test_bad();
    test_too_long();
    arena_free(&arena);
    return tap_done();
}
