/*
 * nodes - what the kernel calls a file of the image.
 *
 * A node id is the reference of the inode, moved so that neither 0 (nothing) nor
 * 1 (the root) is another's: nothing has to be remembered, and FORGET is nothing
 * to do. Names that only the server knows have ids of their own, see grafts.h.
 */
#ifndef CORACLE_FUSE_NODES_H
#define CORACLE_FUSE_NODES_H

#include <stdint.h>

#define NODE_ROOT 1ull
#define NODE_GRAFT (1ull << 62)

static inline uint64_t node_of_reference(uint64_t reference, uint64_t root)
{
    return reference == root ? NODE_ROOT : reference + 2;
}

static inline uint64_t reference_of_node(uint64_t node, uint64_t root)
{
    return node == NODE_ROOT ? root : node - 2;
}

static inline int node_is_graft(uint64_t node)
{
    return (node & NODE_GRAFT) != 0;
}

#endif
