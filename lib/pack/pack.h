/*
 * pack - a sink that writes a SquashFS 4.0 file, through libsquashfs.
 *
 *     struct flatten_sink *sink = pack_open(fd, &options, err);
 *     flatten(&request, sink, NULL, &arena, err);
 *     pack_close(sink);
 *
 * The same tree gives the same bytes, whatever the number of threads. The time in the
 * superblock is the newest mtime in the tree.
 *
 * Each content is stored once: files of less than a block by a keyed digest, others by
 * comparing blocks. Files of less than a block share blocks (fragments). Blocks of zeros
 * take no place.
 *
 * Memory: about 400 bytes for each file, and for each thread up to ten blocks that wait,
 * PACK_BACKLOG in all.
 */
#ifndef CORACLE_PACK_PACK_H
#define CORACLE_PACK_PACK_H

#include "base/err.h"
#include "flatten/flatten.h"

enum pack_compression { PACK_ZSTD, PACK_LZ4, PACK_GZIP, PACK_XZ };

struct pack_options {
    enum pack_compression compression;
    unsigned level;      /* 0: zstd 1, gzip 6, xz 6; lz4 has none */
    uint32_t block_size; /* a power of two from 4096 to 1048576; 0: 131072 */
    unsigned threads;    /* that compress; 0: one for each processor that may be used */
};

/* Bytes in blocks that wait to be compressed or written. */
enum { PACK_BACKLOG = 32 * 1024 * 1024 };

/* "zstd", "zstd:3", "lz4", "gzip:9", "xz". 0, or -1 with ERR_USAGE. */
int pack_parse_compression(const char *text, struct pack_options *options, struct err *err);

/*
 * FD is an empty file, open for reading and writing; it stays the caller's. After a
 * failure what is in it is of no use. NULL: an option is wrong (ERR_USAGE), no memory,
 * or the file cannot be written (ERR_OUTPUT).
 */
struct flatten_sink *pack_open(int fd, const struct pack_options *options, struct err *err);

/* NULL is fine. */
void pack_close(struct flatten_sink *sink);

#endif
