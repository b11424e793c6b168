/*
 * checksum - digests as images write them: "sha256:" and 64, "sha512:" and 128 of 0-9a-f.
 *
 * Source: OCI image-spec, descriptor.md. The functions are libcrypto's.
 */
#ifndef CORACLE_REGISTRY_CHECKSUM_H
#define CORACLE_REGISTRY_CHECKSUM_H

#include <stddef.h>

enum { CHECKSUM_TEXT = 7 + 128 + 1 };

/* Whether TEXT is such a digest. */
int checksum_is_digest(const char *text);

struct checksum {
    void *context; /* EVP_MD_CTX; NULL where libcrypto failed, and then nothing is equal */
    const char *algorithm;
};

/* Begins a hash with the algorithm of DIGEST, which is one; what was begun before is dropped. */
void checksum_begin(struct checksum *hash, const char *digest);
void checksum_add(struct checksum *hash, const void *bytes, size_t length);
/* Writes the digest of all that was added, "" where libcrypto failed, and drops the hash. */
void checksum_end(struct checksum *hash, char text[CHECKSUM_TEXT]);
void checksum_drop(struct checksum *hash);

#endif
