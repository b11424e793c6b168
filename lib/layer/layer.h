/*
 * layer - the tar in a layer of an image, checked while it is read.
 *
 * A layer is a range of an open file: a blob of a registry or of an OCI layout, or a
 * part of an archive, from which nothing has to be extracted. What the range is, is
 * recognised by its first bytes: a tar, or one compressed with gzip (any number of
 * members, RFC 1952) or zstd (any number of frames, skippable ones too, RFC 8878). What is no
 * image's layer but a tar that a user has packed may be compressed with xz (any number of
 * streams, xz-file-format.txt 1.1.0) or bzip2 (the same), where the libraries were found.
 *
 *     struct layer_reader *reader = layer_open(&layer, err);
 *     while ((result = layer_read(reader, &bytes, &length, err)) == 0 && length) ...
 *     layer_finish(reader, err)      the digests are right: only now may it be trusted
 *     layer_close(reader)
 *
 * What layer_read() gives is not verified yet: whoever makes something of it keeps it
 * to himself until layer_finish() has said yes.
 *
 * One thread at a time may use a reader. Only pread() is called on the descriptor, so
 * several readers can share one.
 *
 * A layer may be a stream instead: a pipe, or what a thread makes while it is read. Its
 * size is not known, and it is read once, from its beginning.
 */
#ifndef CORACLE_LAYER_LAYER_H
#define CORACLE_LAYER_LAYER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct layer_stream {
    /* Up to ROOM bytes into BYTES: how many, 0 at the end, or -1 with ERR. */
    ssize_t (*read)(struct layer_stream *stream, void *bytes, size_t room, struct err *err);
    int begun; /* layer_open() was here */
};

struct layer {
    int fd;                      /* open for reading and pread; several layers can be in one file */
    uint64_t offset, size;       /* the range, compressed or not */
    const char *digest;          /* of the range: "sha256:...", "sha512:..."; NULL: is not checked */
    const char *diff_id;         /* of the tar in it; NULL: is not checked */
    struct layer_stream *stream; /* not NULL: instead of the range */
    int is_tar;                  /* a user's tar, for which the rules of layers do not hold */
};

/*
 * A stream that is what a descriptor gives until its end: a pipe's, standard input. No byte at
 * all is an error: in a pipe, the program that should have written has failed.
 */
struct layer_pipe {
    struct layer_stream stream;
    int fd, has_begun;
    int (*go_on)(struct err *err); /* asked while nothing comes: 0, or -1 with ERR; NULL: it is waited for */
};

/* FD stays the caller's; it and *PIPE must stay until layer_close(). */
struct layer layer_of_pipe(struct layer_pipe *pipe, int fd);

/* The tar of one layer may have this many bytes: a megabyte of gzip can stand for a gigabyte. */
#define LAYER_TAR_LIMIT (UINT64_C(1) << 40)

/*
 * What stands before an entry of the tar, its extended headers and the map of its holes, may have this
 * many bytes. libarchive keeps the map in memory, twice as large, and what is alike compresses to nothing.
 */
enum { LAYER_HEADER_LIMIT = 16 * 1024 * 1024 };

/* Whether LENGTH bytes that libarchive was given for one are within it: 0, or -1 with ERR_LAYER. */
int layer_check_header(uint64_t length, struct err *err);

/*
 * The greatest window that a zstd frame, or dictionary that an xz stream may ask for, as a power
 * of two: what zstd(1) itself accepts without --long, and twice what xz -9 makes. It is memory
 * that the reader takes. ERR_LAYER beyond it.
 */
enum { LAYER_WINDOW = 27 };

struct layer_reader;

/*
 * Begins to read LAYER, whose strings and descriptor must stay until layer_close().
 * NULL: what the range holds is not a layer (or not a tar), or a stream was begun before (ERR_LAYER), the
 * digest is none that we know (ERR_DIGEST), an I/O error (ERR_IMAGE_UNREADABLE) or
 * ERR_NO_MEMORY.
 */
struct layer_reader *layer_open(const struct layer *layer, struct err *err);

/* Gets the range as it is, piece by piece, while it is read. 0, or -1 with ERR, which ends the reading. */
struct layer_copy {
    int (*write)(struct layer_copy *copy, const void *bytes, size_t length, struct err *err);
};
struct layer_reader *layer_open_copy(const struct layer *layer, struct layer_copy *copy, struct err *err);

/* How the range is compressed: "gzip" or "zstd", of a tar "xz" or "bzip2" too; NULL: not at all. */
const char *layer_compression(const struct layer_reader *reader);

/*
 * Sets *BYTES and *LENGTH to the next bytes of the tar, which are valid until the next
 * call; *LENGTH is 0 at the end. 0, or -1: cut off or damaged (ERR_LAYER) or an I/O
 * error; every later call fails too.
 */
int layer_read(struct layer_reader *reader, const void **bytes, size_t *length, struct err *err);

/*
 * Reads what is left, and compares: 0, or -1 where the range is damaged (ERR_LAYER) or
 * is not what digest or diff_id names (ERR_DIGEST).
 */
int layer_finish(struct layer_reader *reader, struct err *err);

/* How much of the range was read: for progress. */
uint64_t layer_position(const struct layer_reader *reader);

/* NULL is fine. */
void layer_close(struct layer_reader *reader);

/* What a tree without a file is refused with where it is a mistake: ERR_IMAGE_EMPTY. Returns -1. */
int layer_refuse_empty(struct err *err);

#endif
