/*
 * media-type - what the media types of container images stand for.
 *
 * Sources: OCI image-spec 1.1, media-types.md; Docker Image Manifest V2, Schema 2.
 */
#ifndef CORACLE_OCI_MEDIA_TYPE_H
#define CORACLE_OCI_MEDIA_TYPE_H

enum oci_media {
    OCI_MEDIA_UNKNOWN,
    OCI_MEDIA_SILENT, /* NULL, "", application/json ...: says nothing about what it is */
    OCI_MEDIA_MANIFEST,
    OCI_MEDIA_INDEX, /* of OCI; Docker's manifest list */
    OCI_MEDIA_SCHEMA1,
    OCI_MEDIA_CONFIG,
    OCI_MEDIA_LAYER,   /* a tar, plain or compressed: which, the blob's first bytes say */
    OCI_MEDIA_FOREIGN, /* the same, "nondistributable" or "foreign" */
    OCI_MEDIA_ENCRYPTED,
};

/* TEXT may have parameters, as in HTTP ("; charset=utf-8"): they are ignored, and so is case. */
enum oci_media oci_media_of(const char *text);

/* Whether two media types are the same but for case and parameters. */
int oci_media_is_same(const char *a, const char *b);

/* What a registry must be told in Accept, so that it sends manifests and indexes as they are. */
extern const char oci_media_accept[];

/* Sentences for errors: what is supported. */
extern const char oci_media_documents[];
extern const char oci_media_layers[];

#endif
