/*
 * manifest - the manifest of one image: its configuration and its layers.
 *
 * Sources: OCI image-spec 1.1, manifest.md; Docker Image Manifest V2, Schema 2.
 * oci_document_parse() (document.h) tells whether bytes are a manifest and reads it.
 *
 * Layers are tar, tar+gzip and tar+zstd of OCI and of Docker, mixed as they come. Those
 * called nondistributable or foreign are the same and are taken from where the others are:
 * a registry that does not have them refuses, and then `is_foreign` explains it. Encrypted
 * layers are refused, and so is a manifest whose configuration is not an image's: an
 * artifact (a chart, a signature, a plugin).
 */
#ifndef CORACLE_OCI_MANIFEST_H
#define CORACLE_OCI_MANIFEST_H

#include <stddef.h>

#include "oci/descriptor.h"

enum { OCI_LAYERS_MAX = 1024 }; /* Docker makes 127 at most */

struct oci_manifest_layer {
    struct oci_descriptor blob;
    int is_foreign;
};

struct oci_manifest {
    struct oci_descriptor config;
    struct oci_manifest_layer *layers; /* the lowest first; one digest may be there several times */
    size_t layer_count;                /* may be 0 */
};

/* For document.c: fills *MANIFEST from the document's object. */
int oci_manifest_read(struct oci_manifest *manifest, const struct section *top);

#endif
