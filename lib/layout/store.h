/*
 * store - files that are written one after the other, into a directory or a tar archive, which
 * get their names when they are complete; and so does the whole. For the files of this room.
 *
 * Names are of this room's making: "index.json", "blobs/sha256/HEX", up to 100 bytes.
 */
#ifndef CORACLE_LAYOUT_STORE_H
#define CORACLE_LAYOUT_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

#define STORE_BLOBS "blobs/sha256"

enum { STORE_NAME = 256, STORE_TEMPORARY = 32 };

struct store {
    int is_archive, replace;
    int is_there;                    /* a directory, which gets more files */
    const char *path;                /* as the user wrote it */
    const char *shown;               /* the same for messages */
    int parent;                      /* of what is made */
    char name[STORE_NAME];           /* in it */
    char temporary[STORE_TEMPORARY]; /* the same, as long as it is not complete; "": nothing is there */
    int fd;                          /* the archive, or the directory */
    int blobs, file;                 /* of a directory: blobs/sha256, and the file that is written */
    char file_name[STORE_TEMPORARY]; /* of that file; "": none */
    uint64_t start, position;        /* of the current file and of what is next, in the archive or file */
    const char **names; /* files that were made; in a directory that is there: that were not there */
    size_t count, room;
    struct arena *arena;
};

/* For a new directory or archive PATH. 0, or -1 with ERR_OUTPUT: it is there, or cannot be made. */
int store_open(struct store *store, const char *path, int is_archive, int replace, struct arena *arena,
               struct err *err);
/* For the directory PATH, which is there: first to be looked at (store->fd), then to get more files. */
int store_open_read(struct store *store, const char *path, struct arena *arena, struct err *err);
int store_open_more(struct store *store, struct err *err);

/* Of an archive that is not complete. */
const char *store_temporary_path(const struct store *store);

/* Each 0, or -1 with ERR_OUTPUT. begin, write as often as needed, end: one file. */
int store_begin(struct store *store, struct err *err);
int store_write(struct store *store, const void *bytes, size_t length, struct err *err);
/* What was written of the current file is forgotten. */
int store_rewind(struct store *store, struct err *err);
/* NAME may be there: the new file is as good. */
int store_end(struct store *store, const char *name, struct err *err);
int store_put(struct store *store, const char *name, const void *bytes, size_t length, struct err *err);

/* All files are there: the whole gets its name. 0, or -1 with ERR_OUTPUT. */
int store_publish(struct store *store, struct err *err);

/* What was not published is removed. */
void store_close(struct store *store);

/* A directory, at the beginning of an archive: who unpacks it as a user makes none of others. */
int archive_directory(struct store *store, const char *name, struct err *err);

/* For store.c: the same for one file of an archive. */
int archive_end(struct store *store, const char *name, struct err *err);
int archive_finish(struct store *store, struct err *err);
int store_failed(const struct store *store, struct err *err);
/* Writes at POSITION of FD. 0, or -1 and errno. */
int store_write_at(int fd, const void *bytes, size_t length, uint64_t position);

#endif
