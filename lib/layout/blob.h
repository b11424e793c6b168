/*
 * blob - a layout's files that are named by their digest.
 *
 * Source: OCI image-spec 1.1, image-layout.md: blobs/ALGORITHM/HEX. The name is made of a
 * digest that is valid (oci/descriptor.h), so it is no path of somebody else's choice.
 */
#ifndef CORACLE_LAYOUT_BLOB_H
#define CORACLE_LAYOUT_BLOB_H

#include "layout/source.h"
#include "oci/descriptor.h"

/* 0, or -1 and ERR_DIGEST where the bytes do not have the digest. */
int blob_verify(const struct source *source, const char *digest, const char *bytes, size_t length);

/* The bytes of a small blob (OCI_DOCUMENT_MAX), verified. 0, or -1 and an error. */
int blob_read(struct source *source, const struct oci_descriptor *blob, const char **bytes);

/* Where the blob is; its size is that of the descriptor. 0, or -1 and an error. */
int blob_find(struct source *source, const struct oci_descriptor *blob, struct extent *extent);

#endif
