/* image-destination - what is written where an image is to be made, and is not meant as a file's name. */
#ifndef CORACLE_BIN_IMAGE_DESTINATION_H
#define CORACLE_BIN_IMAGE_DESTINATION_H

#include "base/arena.h"
#include "base/err.h"

/*
 * Whether TEXT, which has no prefix of a kind that the caller makes, can name a SquashFS file: 0, or -1
 * with ERR_USAGE. Refused are KIND:... of something that is only read, or that KIND is a slip of,
 * and names that end as files of another kind do. What has a slash before its colon is a path.
 */
int destination_check(const char *text, struct arena *arena, struct err *err);

#endif
