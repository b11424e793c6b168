/*
 * checksum - digests of bytes, written as images write them: "sha256:" and 64, "sha512:"
 * and 128 of 0-9a-f.
 *
 * Source: OCI image-spec, descriptor.md. The functions are libcrypto's. Whether a text
 * is such a digest says oci_digest_is_valid() (oci/descriptor.h).
 */
#ifndef CORACLE_CHECKSUM_CHECKSUM_H
#define CORACLE_CHECKSUM_CHECKSUM_H

#include <stddef.h>

enum { CHECKSUM_TEXT = 7 + 128 + 1 };

struct checksum {
    void *context; /* EVP_MD_CTX; NULL where libcrypto failed, and then nothing is equal */
    const char *algorithm;
};

/* Begins with the algorithm of LIKE, "sha512:" or else sha256; what was begun before is dropped. */
void checksum_begin(struct checksum *sum, const char *like);
void checksum_add(struct checksum *sum, const void *bytes, size_t length);
/* Writes the digest of all that was added, "" where libcrypto failed, and drops the rest. */
void checksum_end(struct checksum *sum, char text[CHECKSUM_TEXT]);
void checksum_drop(struct checksum *sum);

/* The digest of LENGTH bytes, written to TEXT. */
const char *checksum_of(char text[CHECKSUM_TEXT], const char *like, const void *bytes, size_t length);

#endif
