/*
 * store - files that are written one after the other, into a directory or a tar archive; the whole
 * gets its name when it is complete. For the files of this room.
 *
 *     store_open() or store_open_read()    what is there
 *     store_start()                         from here on there is something to be taken away
 *     store_put() ...                      files, none of which others see
 *     store_lock()                         where a directory gets more files
 *     store_publish()                      all of them have their names
 *     store_close()
 *
 * What grows is beside its place (base/unfinished.h); what a directory gets more grows within it, and
 * is moved to its places while the store is locked. So nobody sees a file that may be taken away
 * again, and relies on it.
 *
 * Names are of this room's making: "index.json", "blobs/sha256/HEX", up to 100 bytes.
 */
#ifndef CORACLE_LAYOUT_STORE_H
#define CORACLE_LAYOUT_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/unfinished.h"

#define STORE_BLOBS "blobs/sha256"
#define STORE_MARK "oci-layout" /* says that a directory is a layout */

enum { STORE_NAME = 256 };

struct store {
    int is_archive, replace;
    int is_there;                 /* a directory, which gets more files */
    const char *path;             /* as the user wrote it */
    const char *shown;            /* the same for messages */
    int parent;                   /* of what is made */
    char name[STORE_NAME];        /* in it */
    int place;                    /* the directory that is there */
    struct unfinished unfinished; /* the archive; or a directory with what is made */
    int fd;                       /* the archive, or the directory that is filled */
    int blobs, file;              /* of that: blobs/sha256, and the file that is written */
    int lock;                     /* of a directory that is there */
    int place_blobs;              /* its blobs/sha256 */
    uint64_t start, position;     /* of the current file and of what is next, in the archive or file */
    const char **names;           /* files that were made, each once */
    size_t count, room;
    struct arena *arena;
};

/* Of nothing: for store_close(). */
void store_init(struct store *store);

/* For a new directory or archive PATH. 0, or -1 with ERR_OUTPUT: it is there, or cannot be made. */
int store_open(struct store *store, const char *path, int is_archive, int replace, struct arena *arena,
               struct err *err);
/* For the directory PATH, which is there: to be looked at (store->place), and to get more files. */
int store_open_read(struct store *store, const char *path, struct arena *arena, struct err *err);

/* Takes away what killed ones have left in the place, and begins. 0, or -1 with ERR_OUTPUT. */
int store_start(struct store *store, struct err *err);

/* Each 0, or -1 with ERR_OUTPUT. begin, write as often as needed, end: one file. */
int store_begin(struct store *store, struct err *err);
int store_write(struct store *store, const void *bytes, size_t length, struct err *err);
/* What was written of the current file is forgotten. */
int store_rewind(struct store *store, struct err *err);
/* NAME may be there: the new file is as good. */
int store_end(struct store *store, const char *name, struct err *err);
int store_put(struct store *store, const char *name, const void *bytes, size_t length, struct err *err);

/*
 * Nobody else changes the directory that is there until store_close(); 0 at once where there is none. Before
 * what is in it is read to be changed. 0, or -1 with ERR_OUTPUT: another is at it, and does not end.
 */
int store_lock(struct store *store, struct err *err);

/* All files are there: the whole gets its name. 0, or -1 with ERR_OUTPUT. */
int store_publish(struct store *store, struct err *err);

/* What was not published is removed. */
void store_close(struct store *store);

/* A directory, at the beginning of an archive: who unpacks it as a user makes none of others. */
int archive_directory(struct store *store, const char *name, struct err *err);

/* Whether NAME is one of the files that were made; and that it is. */
int store_has(const struct store *store, const char *name);
void store_note(struct store *store, const char *name);

/* For store.c: the same for one file of an archive. */
int archive_end(struct store *store, const char *name, struct err *err);
int archive_finish(struct store *store, struct err *err);
int store_failed(const struct store *store, struct err *err);
/* Writes at POSITION of FD. 0, or -1 and errno. */
int store_write_at(int fd, const void *bytes, size_t length, uint64_t position);

#endif
