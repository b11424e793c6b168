/*
 * directory - what the files share that read a directory.
 */
#ifndef CORACLE_STREAM_DIRECTORY_H
#define CORACLE_STREAM_DIRECTORY_H

#include <sys/stat.h>

#include "stream/work.h"

/* The source: what stream_of_directory() has opened. */
struct directory {
    int fd;
    int mode_changed; /* its mode, status.st_mode, is to be set back in the end */
    struct stat status;
    struct owners owners;
};

struct walk {
    struct stream *stream;
    struct owners owners;
    uid_t owner, user; /* of the root directory; who runs this */
    dev_t device;      /* of the root directory */
    uint64_t mount;    /* the same; 0: the kernel does not tell */
    int current;       /* the directory that is being read */
    int depth;
    char path[WORK_PATH_LIMIT + 1]; /* of the current entry */
    size_t length;
};

int directory_make(struct stream *stream);

/* NAME, which is ST, and what is in it. 0, or -1 with stream->err. */
int directory_put(struct walk *walk, const char *name, const struct stat *st);

/*
 * The regular file FD, which is ST, as MEMBER. 0; 1: it changed meanwhile; -1 with
 * stream->err.
 */
int contents_put(struct walk *walk, int fd, const struct stat *st, struct member *member);

/* Attributes of FD for the next member. What cannot be read is not there. */
void attributes_read(struct stream *stream, int fd);

/* Names in a directory, in strcmp() order. */
struct names {
    char *bytes;
    size_t used, room;
    char **list;
    size_t count;
};

/* All but "." and ".." of FD, which is read from its beginning. 0, or -1 and errno; to be freed. */
int names_read(struct names *names, int fd);
void names_free(struct names *names);

#endif
