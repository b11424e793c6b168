/* sample - what documents of images are made of, for the tests of them. */
#ifndef CORACLE_TEST_OCI_SAMPLE_H
#define CORACLE_TEST_OCI_SAMPLE_H

#include "oci/document.h"
#include "../../tap.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SHA256 "sha256:" HEX64
#define SHA512 "sha512:" HEX64 HEX64

#define OCI "application/vnd.oci.image."
#define DOCKER "application/vnd.docker."
#define MANIFEST_TYPE OCI "manifest.v1+json"
#define INDEX_TYPE OCI "index.v1+json"
#define DOCKER_TYPE DOCKER "distribution.manifest.v2+json"
#define LIST_TYPE DOCKER "distribution.manifest.list.v2+json"

/* A descriptor; MORE is ",member" or "". */
#define BLOB(type, size, more) "{\"mediaType\":\"" type "\",\"digest\":\"" SHA256 "\",\"size\":" size more "}"
#define CONFIG BLOB(OCI "config.v1+json", "7", "")
#define LAYER BLOB(OCI "layer.v1.tar+gzip", "32", "")
/* Documents: MORE is "member," or "". */
#define MANIFEST(more, layers) "{\"schemaVersion\":2," more "\"config\":" CONFIG ",\"layers\":[" layers "]}"
#define INDEX(more, entries) "{\"schemaVersion\":2," more "\"manifests\":[" entries "]}"
#define MEDIA(type) "\"mediaType\":\"" type "\","
#define PLATFORM(os, architecture, more) \
    ",\"platform\":{\"os\":\"" os "\",\"architecture\":\"" architecture "\"" more "}"
#define VARIANT(variant) ",\"variant\":\"" variant "\""
#define ENTRY(platform) BLOB(MANIFEST_TYPE, "100", platform)

static struct arena arena;
static struct err err;
static struct oci_document document;

/* Reads a copy that is exactly as long as the text: valgrind and ASan see a look past the end. */
static inline int parse_as(const char *text, const char *media_type)
{
    size_t length = strlen(text);
    char *copy = malloc(length ? length : 1);
    int result;

    if (!copy)
        tap_no_memory();
    memcpy(copy, text, length);
    result = oci_document_parse(&document, copy, length, media_type, &arena, &err);
    free(copy);
    return result;
}

#endif
