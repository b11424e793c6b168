/*
 * squashfs - what the files that write a SquashFS share.
 */
#ifndef CORACLE_PACK_SQUASHFS_H
#define CORACLE_PACK_SQUASHFS_H

#include <stddef.h>
#include <stdint.h>
#include <sqfs/block.h>
#include <sqfs/block_processor.h>
#include <sqfs/block_writer.h>
#include <sqfs/compressor.h>
#include <sqfs/frag_table.h>
#include <sqfs/inode.h>
#include <sqfs/io.h>
#include <sqfs/super.h>

#include "pack/pack.h"

/* The output as libsquashfs sees it. */
struct image_file {
    sqfs_file_t file;
    int fd;
    uint64_t size;
    int failed;  /* errno of the first failure; 0: none */
    int is_lost; /* what is in the file is of no use any more: nothing is written or read */
};

void image_file_init(struct image_file *output, int fd);

/* A content that was stored, or a block that small ones share. */
struct content {
    sqfs_inode_generic_t *inode; /* libsquashfs fills it until the processor has finished; NULL: small */
    uint64_t shared;             /* of a small content: the handle of its block; else 0 */
    uint32_t offset, length;     /* in that */
    uint32_t fragment;           /* of a block that is shared: its number from 1, when all are written */
    int is_shared;
};

/* Contents by handle, and small ones by their digest. */
struct contents;

struct packer {
    struct flatten_sink sink;
    struct image_file output;
    uint32_t block_size;
    sqfs_super_t super;
    sqfs_compressor_t *compressor;
    sqfs_frag_table_t *fragments;
    sqfs_block_writer_t *writer;
    sqfs_block_processor_t *processor;
    struct contents *contents;
    unsigned char *shared; /* the block that small files are being added to */
    uint32_t shared_length;
    uint64_t shared_handle; /* of that; 0: it has none yet */
    uint32_t size, done;    /* of the current file, where it is small: less than a block */
    int is_small;
    uint64_t left;   /* bytes that the current file still has */
    uint64_t handle; /* of the current file, where it is not small */
};

/* Blocks of files are compared with what is there by hash, then byte by byte. NULL: no memory. */
sqfs_block_writer_t *blocks_create(struct image_file *output);

/* NULL: no memory, or libcrypto gives no key. */
struct contents *contents_create(void);
void contents_destroy(struct contents *contents);
/* A new content; *HANDLE is its number, from 1. NULL: no memory. The pointer stays. */
struct content *contents_add(struct contents *contents, uint64_t *handle);
uint64_t contents_count(const struct contents *contents);
struct content *contents_get(const struct contents *contents, uint64_t handle);
/*
 * The handle of the content that is the LENGTH BYTES, or 0 where there is none: then it is
 * expected to be the next that is added. 0, or -1: no memory, or libcrypto fails.
 */
int contents_find(struct contents *contents, const void *bytes, size_t length, uint64_t *handle);

/* Writes all tables. 0 or -1. */
int tables_write(struct packer *packer, const struct flatten_tree *tree, struct err *err);

/* What libsquashfs's RESULT (not 0) means, in words. Returns -1. */
int packer_failed(struct packer *packer, int result, struct err *err);

#endif
