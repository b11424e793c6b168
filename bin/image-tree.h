/*
 * image-tree - a root file system in a directory, a SquashFS, a SIF or a tar as one layer, for
 * image-source.
 */
#ifndef CORACLE_BIN_IMAGE_TREE_H
#define CORACLE_BIN_IMAGE_TREE_H

#include "image-source.h"

struct image_tree;

/* As image_source_open(), for the transports whose path has no layers; "tar:-" is standard input. */
int image_tree_open(struct image_source *source, const struct reference *reference, struct arena *arena,
                    struct err *err);

/* Warns of what was left out; after the layer was read. */
void image_tree_warn(const struct image_tree *tree);

/* Warns where the tree says in its own way what only a configuration tells docker; the same. */
void image_tree_warn_foreign(const struct image_tree *tree);

void image_tree_close(struct image_tree *tree);

#endif
