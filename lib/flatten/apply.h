/*
 * apply - layers become a tree.
 */
#ifndef CORACLE_FLATTEN_APPLY_H
#define CORACLE_FLATTEN_APPLY_H

#include "flatten/tree.h"

/* Applies the journals to TREE, bottom first. 0, or -1: an entry breaks a rule (ERR_LAYER). */
int apply_layers(struct tree *tree, struct err *err);

#endif
