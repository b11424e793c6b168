/*
 * sum - a digest as registries write it, "sha256:" and 64 hexadecimal digits in lower
 * case or "sha512:" and 128, compared with the bytes it should be of.
 * (OCI image specification, descriptor.md, "Digests")
 */
#ifndef CORACLE_LAYER_SUM_H
#define CORACLE_LAYER_SUM_H

#include <stddef.h>

#include "base/err.h"

struct sum {
    void *context;        /* NULL: nothing is to be compared */
    const char *expected; /* the digest, kept by reference */
};

/* EXPECTED may be NULL. 0, or -1: it is not a digest that we know (ERR_DIGEST), or no memory. */
int sum_begin(struct sum *sum, const char *expected, struct err *err);
void sum_add(struct sum *sum, const void *bytes, size_t length);

/* Compares: 0, or -1 with ERR_DIGEST, where WHAT is what was hashed. */
int sum_compare(struct sum *sum, const char *what, struct err *err);
void sum_end(struct sum *sum);

#endif
