/* answer - what the operations and the loop share; private to the room. */
#ifndef CORACLE_FUSE_ANSWER_H
#define CORACLE_FUSE_ANSWER_H

#include <linux/fuse.h>
#include <stddef.h>
#include <stdint.h>

#include "fuse/serve.h"

/*
 * An operation gets the request's header and its LENGTH bytes of BODY, which
 * end with a zero byte that is not counted. It puts its answer into
 * serve->answer and returns its length; or -errno.
 */
typedef int64_t operation(struct serve *serve, const struct fuse_in_header *header, const char *body,
                          size_t length);

/* operations.c: the operation of OPCODE; NULL: we have none. */
operation *operation_of(uint32_t opcode);

/* directory.c */
operation op_readdir, op_readdirplus;

/* attributes.c: a year, in seconds: for ever. */
#define KEEP_SECONDS 31536000ull
int attributes_of_node(const struct serve *serve, uint64_t node, struct fuse_attr *attr);
void attributes_of_inode(const struct serve *serve, const struct squash_node *node, struct fuse_attr *attr);
/* An entry's answer for NODE, which has ATTR. */
void fill_entry(struct fuse_entry_out *entry, uint64_t node, const struct fuse_attr *attr);
/* Reads the image's inode NODE (no graft). 0 or -1 and errno. */
int node_read(const struct serve *serve, uint64_t node, struct squash_node *inode);

#endif
