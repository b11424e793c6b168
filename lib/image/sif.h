/*
 * sif - finds the file system in a Singularity Image Format file.
 *
 * Pure. The source is the layout of sylabs/sif, version 01: a global header,
 * an array of descriptors, each 585 bytes; numbers are little-endian here, as
 * on every machine that we run on.
 */
#ifndef CORACLE_IMAGE_SIF_H
#define CORACLE_IMAGE_SIF_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { SIF_HEADER_SIZE = 128, SIF_DESCRIPTOR_SIZE = 585, SIF_DESCRIPTORS_LIMIT = 4096 };

/* Where the descriptors of a file are. */
struct sif_table {
    uint64_t offset;
    uint32_t count;
};

/* What a descriptor says of a file system. */
struct sif_partition {
    uint64_t offset, length;
};

int sif_has_magic(const unsigned char *bytes, size_t length);

/* Reads the global header of a file of ROOM bytes. 0, or -1 with ERR_IMAGE_DAMAGED. */
int sif_read_header(struct sif_table *table, const unsigned char bytes[SIF_HEADER_SIZE], uint64_t room,
                    struct err *err);

/*
 * Looks at one descriptor of a file of ROOM bytes. 1: it is the primary system
 * partition, a SquashFS; *PARTITION is filled. 0: something else. -1 with
 * ERR_IMAGE_UNKNOWN (the primary partition is of another kind, encrypted for
 * one) or ERR_IMAGE_DAMAGED.
 */
int sif_read_descriptor(struct sif_partition *partition, const unsigned char bytes[SIF_DESCRIPTOR_SIZE],
                        uint64_t room, struct err *err);

#endif
