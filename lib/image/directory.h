/*
 * directory - what other systems keep in the directory of an image.
 */
#ifndef CORACLE_IMAGE_DIRECTORY_H
#define CORACLE_IMAGE_DIRECTORY_H

#include "base/err.h"
#include "base/str.h"

/*
 * foreign_collect() of the image that is open as DIR (O_PATH will do). No link is
 * followed, wherever on the way it stands: one that leads out of the image would be
 * resolved on the host.
 */
int directory_collect(struct str *bytes, int dir, struct err *err);

#endif
