/*
 * index - the list of an image's manifests, one per platform, and which of them to take.
 *
 * Sources: OCI image-spec 1.1, image-index.md, annotations.md; Docker's manifest list.
 * oci_document_parse() (document.h) tells whether bytes are an index and reads it. The file
 * index.json of an OCI layout is one whose entries are images of their own.
 *
 * An entry that is no image is OCI_ENTRY_OTHER and is never chosen: one of an unknown media
 * type, as the specification asks, an artifact, or an attestation (BuildKit: platform
 * unknown/unknown).
 */
#ifndef CORACLE_OCI_INDEX_H
#define CORACLE_OCI_INDEX_H

#include <stddef.h>

#include "oci/descriptor.h"
#include "oci/platform.h"

enum {
    OCI_ENTRIES_MAX = 2048,
    OCI_NESTING_MAX = 4, /* indexes in indexes: for who follows them to keep */
};

enum oci_entry_kind { OCI_ENTRY_MANIFEST, OCI_ENTRY_INDEX, OCI_ENTRY_OTHER };

struct oci_entry {
    struct oci_descriptor blob;
    enum oci_entry_kind kind;
    struct oci_platform platform; /* os is NULL where none is given */
    const char *name;             /* annotation org.opencontainers.image.ref.name, or NULL */
    const char *full_name;        /* annotation io.containerd.image.name, or NULL: REPOSITORY:TAG */
};

struct oci_index {
    struct oci_entry *entries; /* as in the document */
    size_t count;
};

/*
 * The entry for WANTED: the best of those whose platform suits (oci_platform_rank()), the
 * first of equals; where none suits, the only one that gives no platform. It may be an
 * index again. NULL and ERR_IMAGE_PLATFORM where there is none; the text lists what exists.
 */
const struct oci_entry *oci_index_choose(const struct oci_index *index, const struct oci_platform *wanted,
                                         struct arena *arena, struct err *err);

/* For document.c: fills *INDEX from the document's object. */
int oci_index_read(struct oci_index *index, const struct section *top);

#endif
