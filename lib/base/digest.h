/*
 * digest - whether two things are the same, in 16 bytes.
 *
 * SipHash-2-4 with a result of 128 bits and a fixed key (J.-P. Aumasson, D. J.
 * Bernstein: SipHash, a fast short-input PRF, 2012): equal results by accident
 * will not be seen. It is no defence against somebody who looks for two inputs
 * with one digest; what is hashed here comes from one user.
 */
#ifndef CORACLE_BASE_DIGEST_H
#define CORACLE_BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

struct digest {
    uint64_t words[2];
};

enum { DIGEST_TEXT = 33 };

/* The digest of LENGTH bytes. */
struct digest digest_bytes(const void *bytes, size_t length);

int digest_equal(const struct digest *a, const struct digest *b);

/* 32 hexadecimal digits and a zero byte. */
void digest_format(char text[DIGEST_TEXT], const struct digest *digest);

#endif
