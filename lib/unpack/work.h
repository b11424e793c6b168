/* work - what the files of the room share; private to it. */
#ifndef CORACLE_UNPACK_WORK_H
#define CORACLE_UNPACK_WORK_H

#include "unpack/directories.h"
#include "unpack/seen.h"
#include "unpack/unpack.h"

/* What is being made: NAME in a directory, from NODE. */
struct item {
    struct squash_node node;
    uint32_t directory; /* its number */
    int fd;             /* of the directory */
    char name[SQUASH_NAME_LIMIT + 1];
};

struct level {
    uint32_t directory;
    struct squash_entries entries;
};

/* A file that has several names: the first of them. */
struct first_name {
    uint32_t directory;
    const char *name;
};

struct work {
    struct unpack *unpack;
    struct directories directories;
    struct descriptors here, there; /* of where we are; of where a link's other name is */
    struct level *levels;           /* the way from the root to where we are */
    size_t depth;
    struct seen seen_directories, seen_files; /* the note of a file: its first name */
    struct first_name *first_names;
    size_t first_name_count, first_name_room;
    uint64_t inodes; /* of the image, made or skipped */
    char *buffer;    /* of buffer_size bytes, a number of whole blocks */
    size_t buffer_size;
    char *names, *value; /* of attributes; ATTRIBUTES_ROOM bytes each, or NULL */
};

enum { ATTRIBUTES_ROOM = 65536, ATTRIBUTES_LIMIT = 64 };

/* 0, or -1: it was told to stop. */
int work_go_on(const struct work *work, struct err *err);
/*
 * What is in the image at ITEM cannot be read; what is to be made there cannot be made, and errno
 * says why.
 */
int work_damaged(const struct work *work, const struct item *item, struct err *err);
int work_failed(const struct work *work, const struct item *item, struct err *err);

/* file.c: makes the regular file ITEM with all that belongs to it. 0 or -1. */
int file_make(struct work *work, const struct item *item, struct err *err);
/* The attributes of ITEM to FD, as far as its file system takes them. Changes its status, so mode and time
 * follow. */
int file_set_attributes(struct work *work, const struct item *item, int fd, struct err *err);
/* Mode and time. 0, or -1 and errno. */
int file_set_mode(int fd, unsigned mode, uint32_t mtime);

#endif
