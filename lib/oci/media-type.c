#include "oci/media-type.h"

#include <stddef.h>
#include <string.h>

#define OCI "application/vnd.oci.image."
#define DOCKER "application/vnd.docker."

const char oci_media_accept[] =
    OCI "manifest.v1+json, " OCI "index.v1+json, " DOCKER "distribution.manifest.v2+json, " DOCKER
        "distribution.manifest.list.v2+json";
const char oci_media_documents[] =
    "manifests and indexes of OCI images (" OCI "manifest.v1+json, " OCI
    "index.v1+json) and of Docker schema 2 (" DOCKER "distribution.manifest.v2+json, " DOCKER
    "distribution.manifest.list.v2+json)";
const char oci_media_layers[] = "tar, tar+gzip and tar+zstd of OCI (" OCI
                                "layer.v1.tar ...) and of Docker (" DOCKER "image.rootfs.diff.tar ...)";

static const struct {
    const char *text;
    enum oci_media media;
} types[] = {
    {"application/json", OCI_MEDIA_SILENT},
    {"application/octet-stream", OCI_MEDIA_SILENT},
    {"binary/octet-stream", OCI_MEDIA_SILENT}, /* of S3, where nobody says another */
    {"text/plain", OCI_MEDIA_SILENT},
    {OCI "manifest.v1+json", OCI_MEDIA_MANIFEST},
    {OCI "index.v1+json", OCI_MEDIA_INDEX},
    {OCI "config.v1+json", OCI_MEDIA_CONFIG},
    {OCI "layer.v1.tar", OCI_MEDIA_LAYER},
    {OCI "layer.v1.tar+gzip", OCI_MEDIA_LAYER},
    {OCI "layer.v1.tar+zstd", OCI_MEDIA_LAYER},
    {OCI "layer.nondistributable.v1.tar", OCI_MEDIA_FOREIGN},
    {OCI "layer.nondistributable.v1.tar+gzip", OCI_MEDIA_FOREIGN},
    {OCI "layer.nondistributable.v1.tar+zstd", OCI_MEDIA_FOREIGN},
    {DOCKER "distribution.manifest.v2+json", OCI_MEDIA_MANIFEST},
    {DOCKER "distribution.manifest.list.v2+json", OCI_MEDIA_INDEX},
    {DOCKER "distribution.manifest.v1+json", OCI_MEDIA_SCHEMA1},
    {DOCKER "distribution.manifest.v1+prettyjws", OCI_MEDIA_SCHEMA1},
    {DOCKER "container.image.v1+json", OCI_MEDIA_CONFIG},
    {DOCKER "image.rootfs.diff.tar", OCI_MEDIA_LAYER},
    {DOCKER "image.rootfs.diff.tar.gzip", OCI_MEDIA_LAYER},
    {DOCKER "image.rootfs.diff.tar.zstd", OCI_MEDIA_LAYER},
    {DOCKER "image.rootfs.foreign.diff.tar", OCI_MEDIA_FOREIGN},
    {DOCKER "image.rootfs.foreign.diff.tar.gzip", OCI_MEDIA_FOREIGN},
    {DOCKER "image.rootfs.foreign.diff.tar.zstd", OCI_MEDIA_FOREIGN},
};

/* The length of the type itself, without parameters and the blanks before them. */
static size_t bare_length(const char *text)
{
    size_t length = strcspn(text, ";");

    while (length && (text[length - 1] == ' ' || text[length - 1] == '\t'))
        length--;
    return length;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

int oci_media_is_same(const char *a, const char *b)
{
    size_t length = bare_length(a);

    if (bare_length(b) != length)
        return 0;
    for (size_t i = 0; i < length; i++)
        if (lower(a[i]) != lower(b[i]))
            return 0;
    return 1;
}

static int is_encrypted(const char *text)
{
    static const char suffix[] = "+encrypted";
    size_t length = bare_length(text);

    return length > strlen(suffix) && oci_media_is_same(text + length - strlen(suffix), suffix);
}

enum oci_media oci_media_of(const char *text)
{
    if (!text || !bare_length(text))
        return OCI_MEDIA_SILENT;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (oci_media_is_same(text, types[i].text))
            return types[i].media;
    return is_encrypted(text) ? OCI_MEDIA_ENCRYPTED : OCI_MEDIA_UNKNOWN;
}
