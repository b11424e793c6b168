/*
 * lzo - decodes LZO1X, under the name that libsquashfuse calls.
 *
 * liblzo2 is GPL and would make coracle-fuse so. Written from the description of
 * the stream in the kernel's Documentation/staging/lzo.rst; compared with
 * liblzo2's output by the tests.
 */
#ifndef CORACLE_SQUASH_LZO_H
#define CORACLE_SQUASH_LZO_H

#include <stddef.h>

/* What the caller tests for. */
enum { LZO_OK = 0, LZO_ERROR = -1 };

/*
 * Decodes IN_LENGTH bytes to OUT, which has room for *OUT_LENGTH, and sets that to
 * the bytes written. LZO_OK; LZO_ERROR where the input is not a whole stream or
 * would not fit. WORK is not used.
 */
int lzo1x_decompress_safe(const unsigned char *in, size_t in_length, unsigned char *out, size_t *out_length,
                          void *work);

#endif
