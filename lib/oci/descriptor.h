/*
 * descriptor - what a document says about another blob: type, digest, size.
 *
 * Source: OCI image-spec 1.1, descriptor.md. Of the digest algorithms registered there,
 * sha256 and sha512 are supported; a digest of another form is refused wherever it stands,
 * so that what is made of it (the name of a file, a part of a URL) cannot be a path.
 *
 * `urls` are never followed: whoever made the image would choose where we connect to.
 * `data` is ignored: the blob is fetched.
 */
#ifndef CORACLE_OCI_DESCRIPTOR_H
#define CORACLE_OCI_DESCRIPTOR_H

#include <stdint.h>

struct section;

struct oci_descriptor {
    const char *media_type; /* as written, not empty */
    const char *digest;     /* "sha256:" and 64 or "sha512:" and 128 of 0-9a-f */
    uint64_t size;          /* in bytes, up to INT64_MAX */
};

/* Whether TEXT is a digest of the form above. */
int oci_digest_is_valid(const char *text);

/* Fills *DESCRIPTOR from its object. 0, or -1 and an error. */
int oci_descriptor_read(struct oci_descriptor *descriptor, const struct section *section);

#endif
