/* image-whole - whether an image in the cache is what it was when it was made. */
#ifndef CORACLE_BIN_IMAGE_WHOLE_H
#define CORACLE_BIN_IMAGE_WHOLE_H

#include "base/arena.h"

/*
 * Whether the file PATH is the image ID ("sha256:HEX" of its configuration, "file:HEX": it need
 * have none), as far as can be told without reading all of it: its length is what its superblock
 * says, its tables and its root can be read, and the configuration in it has the digest. What
 * is damaged within a file's contents is not noticed.
 */
int image_is_whole(const char *path, const char *id, struct arena *arena);

#endif
