#include "oci/media-type.h"

#include "../../tap.h"

static void test_media(void)
{
    static const struct {
        const char *text;
        enum oci_media media;
    } rows[] = {
        {NULL, OCI_MEDIA_SILENT},
        {"", OCI_MEDIA_SILENT},
        {" ", OCI_MEDIA_SILENT},
        {"; charset=utf-8", OCI_MEDIA_SILENT},
        {"application/json", OCI_MEDIA_SILENT},
        {"application/json; charset=utf-8", OCI_MEDIA_SILENT},
        {"application/octet-stream", OCI_MEDIA_SILENT},
        {"binary/octet-stream", OCI_MEDIA_SILENT},
        {"application/vnd.oci.image.manifest.v1+json", OCI_MEDIA_MANIFEST},
        {"APPLICATION/VND.OCI.IMAGE.MANIFEST.V1+JSON", OCI_MEDIA_MANIFEST},
        {"application/vnd.oci.image.manifest.v1+json ;x=y", OCI_MEDIA_MANIFEST},
        {"application/vnd.oci.image.manifest.v1+jsonx", OCI_MEDIA_UNKNOWN},
        {"application/vnd.oci.image.manifest.v1", OCI_MEDIA_UNKNOWN},
        {"application/vnd.docker.distribution.manifest.v2+json", OCI_MEDIA_MANIFEST},
        {"application/vnd.oci.image.index.v1+json", OCI_MEDIA_INDEX},
        {"application/vnd.docker.distribution.manifest.list.v2+json", OCI_MEDIA_INDEX},
        {"application/vnd.docker.distribution.manifest.v1+prettyjws", OCI_MEDIA_SCHEMA1},
        {"application/vnd.docker.distribution.manifest.v1+json", OCI_MEDIA_SCHEMA1},
        {"application/vnd.oci.image.config.v1+json", OCI_MEDIA_CONFIG},
        {"application/vnd.docker.container.image.v1+json", OCI_MEDIA_CONFIG},
        {"application/vnd.oci.image.layer.v1.tar", OCI_MEDIA_LAYER},
        {"application/vnd.docker.image.rootfs.diff.tar.gzip", OCI_MEDIA_LAYER},
        {"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", OCI_MEDIA_FOREIGN},
        {"application/vnd.oci.image.layer.v1.tar+gzip+encrypted", OCI_MEDIA_ENCRYPTED},
        {"+encrypted", OCI_MEDIA_UNKNOWN},
        {"text/html", OCI_MEDIA_UNKNOWN},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap.row = rows[i].text;
        TAP_INT(oci_media_of(rows[i].text), rows[i].media);
    }
    tap.row = NULL;
}

/* Each type that a registry is asked for is one that we read. */
static void test_accept(void)
{
    char copy[512];
    int count = 0;

    snprintf(copy, sizeof(copy), "%s", oci_media_accept);
    for (char *type = strtok(copy, ", "); type; type = strtok(NULL, ", "), count++)
        TAP_TRUE(oci_media_of(type) == OCI_MEDIA_MANIFEST || oci_media_of(type) == OCI_MEDIA_INDEX);
    TAP_INT(count, 4);
}

int main(void)
{
    test_media();
    test_accept();
    return tap_done();
}
