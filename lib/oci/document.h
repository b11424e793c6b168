/*
 * document - what a registry, or a blob of a layout, has under an image's name: a manifest
 * or an index, of OCI or of Docker schema 2.
 *
 * Source: OCI image-spec 1.1, manifest.md and image-index.md, with CVE-2021-41190: readers
 * must not differ on what a document is. So
 *
 * - the media type by which it was asked for or sent, and its member mediaType, must agree
 *   where both are there; either may be missing, and then its members decide;
 * - a manifest with the member manifests, and an index with layers or config, are refused,
 *   and so is a member of ours in other letters (Layers), which other readers would take;
 * - the JSON reader refuses a member that is there twice.
 *
 * Docker schema 1 is refused as too old.
 */
#ifndef CORACLE_OCI_DOCUMENT_H
#define CORACLE_OCI_DOCUMENT_H

#include "oci/index.h"
#include "oci/manifest.h"

enum { OCI_DOCUMENT_MAX = 4 * 1024 * 1024 }; /* bytes; what registries take, distribution-spec 1.1 */

enum oci_document_kind { OCI_DOCUMENT_MANIFEST, OCI_DOCUMENT_INDEX };

struct oci_document {
    enum oci_document_kind kind;
    struct oci_manifest manifest; /* of OCI_DOCUMENT_MANIFEST */
    struct oci_index index;       /* of OCI_DOCUMENT_INDEX */
};

/*
 * Fills *DOCUMENT from LENGTH bytes. MEDIA_TYPE is what the sender's Content-Type or a
 * descriptor says, or NULL; "application/json" and the like say nothing. Strings belong to
 * ARENA and do not point into BYTES. 0, or -1 and ERR_IMAGE_MANIFEST with a text that begins
 * "manifest: " or "index: "; the caller puts the image's name before it.
 */
int oci_document_parse(struct oci_document *document, const char *bytes, size_t length,
                       const char *media_type, struct arena *arena, struct err *err);

#endif
