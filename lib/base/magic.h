/*
 * magic - how files of foreign formats begin: strings without a zero byte in them.
 *
 * RFC 1952, RFC 8878, xz-file-format.txt 2.1.1, bzip2's own; lz4_Frame_format.md; POSIX pax(1), ustar.
 */
#ifndef CORACLE_BASE_MAGIC_H
#define CORACLE_BASE_MAGIC_H

#include <stddef.h>
#include <string.h>

#define MAGIC_GZIP "\x1F\x8B"
#define MAGIC_ZSTD "\x28\xB5\x2F\xFD"
#define MAGIC_XZ \
    "\xFD"       \
    "7zXZ"
#define MAGIC_BZIP2 "BZh"
#define MAGIC_LZ4 "\x04\x22\x4D\x18"
#define MAGIC_TAR "ustar"

enum { MAGIC_TAR_OFFSET = 257 };

/* Whether MAGIC is at OFFSET of the LENGTH bytes with which a file begins. */
static inline int magic_is(const void *bytes, size_t length, size_t offset, const char *magic)
{
    const size_t size = strlen(magic);

    return offset + size <= length && memcmp((const char *)bytes + offset, magic, size) == 0;
}

#endif
