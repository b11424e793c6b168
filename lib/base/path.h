/*
 * path - file names as text. Nothing here asks the file system.
 */
#ifndef CORACLE_BASE_PATH_H
#define CORACLE_BASE_PATH_H

#include "base/arena.h"

/*
 * PATH without repeated slashes, "." components and a trailing slash. ".."
 * stays: what it means depends on links that text does not show.
 */
char *path_clean(struct arena *arena, const char *path);

/* "DIR/NAME", cleaned; NAME itself where it is absolute. */
char *path_join(struct arena *arena, const char *dir, const char *name);

/* Whether PATH is DIR or lies beneath it. Both absolute and clean. */
int path_is_beneath(const char *path, const char *dir);

/* Whether PATH has a component "..". */
int path_has_dotdot(const char *path);

/* What follows the last slash. */
const char *path_basename(const char *path);

/* The directory that the absolute PATH, which is clean, is in: "/" of "/a". */
const char *path_parent(struct arena *arena, const char *path);

#endif
