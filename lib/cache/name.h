/*
 * name - where an image is kept that was fetched or converted once.
 *
 *     CACHE/names/MACHINE/DOMAIN/REPOSITORY:TAG        a symbolic link to
 *     CACHE/images/sha256/HEX.sqfs                     the image whose configuration has this digest
 *     CACHE/layers/                                    what is being fetched
 *
 * A name that leads to a file is all that a launch has to look for: it runs the file. MACHINE
 * is the architecture, as nodes of several share a home: "x86_64-v3", "aarch64".
 *
 * An image that was converted has the name TRANSPORT/PATH@STAMP, PATH written with % for
 * what cannot stand in a name. The stamp is a digest of the path and of what tells that the
 * file is the one it was: its inode, size and mtime (not its device, which other nodes call
 * differently).
 */
#ifndef CORACLE_CACHE_NAME_H
#define CORACLE_CACHE_NAME_H

#include "base/arena.h"
#include "base/err.h"
#include "reference/reference.h"

#define CACHE_NAMES "names"
#define CACHE_IMAGES "images"
#define CACHE_LAYERS "layers"

/*
 * The cache of this user: CONFIGURED where that is not NULL, else $XDG_CACHE_HOME/coracle,
 * else $HOME/.cache/coracle; absolute. NULL: the environment names none.
 */
const char *cache_directory(const char *configured, char *const environment[], struct arena *arena);

/*
 * Fills in what REFERENCE, a name in a registry, leaves out: the domain REGISTRY, "library/" at
 * Docker Hub, "latest". 0, or -1 with ERR_USAGE where there is no domain and REGISTRY is NULL.
 */
int cache_complete(struct reference *reference, const char *registry, struct arena *arena, struct err *err);

/*
 * The path of the name of REFERENCE in DIRECTORY, in a registry (complete) or an archive, a
 * layout, a tar. 0 and *NAME, which may lead nowhere; -1: what it names is not there
 * (ERR_IMAGE_MISSING, ERR_IMAGE_UNREADABLE), or the name is longer than a file's can be.
 */
int cache_name(const char **name, const char *directory, const struct reference *reference,
               struct arena *arena, struct err *err);

#endif
