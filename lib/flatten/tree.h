/*
 * tree - names while layers are applied to them.
 */
#ifndef CORACLE_FLATTEN_TREE_H
#define CORACLE_FLATTEN_TREE_H

#include "flatten/work.h"

/* A name that was there once stays, so that nothing that points to it is lost. */
struct node {
    struct flatten_node node; /* first and next: in no order; some are gone */
    uint32_t number;          /* of this node, for the table */
    uint32_t hash;            /* of parent and name */
    uint32_t live;            /* children that are not gone */
    uint16_t depth;
    uint8_t gone;
    uint8_t listed; /* among its parent's children */
};

struct tree {
    struct work *work;
    struct node *root;
    struct node **table; /* by parent and name; NULL: free */
    size_t count, mask;
    uint64_t seed;
};

/* A tree of a root alone. 0, or -1. tree_free() in any case. */
int tree_begin(struct tree *tree, struct work *work, struct err *err);
void tree_free(struct tree *tree);

/* The child NAME (LENGTH bytes) of DIR, or NULL. */
struct node *tree_find(struct tree *tree, struct node *dir, const char *name, size_t length);

/*
 * INODE gets the name, whatever had it; of a directory that is there already only the inode
 * changes. NULL: too deep, or no memory.
 */
struct node *tree_put(struct tree *tree, struct node *dir, const char *name, size_t length,
                      struct flatten_inode *inode, struct err *err);

/* NODE is gone, with what is beneath it; all children of DIR are gone. */
void tree_remove(struct node *node);
void tree_clear(struct node *dir);

/*
 * The directory PATH. Symbolic links are followed within the tree. What is missing is made
 * where MTIME is not NULL, else *DIR is NULL. 0 or -1.
 */
int tree_directory(struct tree *tree, const char *path, size_t length, const uint32_t *mtime,
                   struct node **dir, struct err *err);

/* Sorts what is left, counts links. 0 or -1. */
int tree_settle(struct tree *tree, struct flatten_tree *result, struct err *err);

#endif
