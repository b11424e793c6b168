/*
 * work - what the files of this room share while a tar is made.
 */
#ifndef CORACLE_STREAM_WORK_H
#define CORACLE_STREAM_WORK_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "stream/stream.h"

struct archive;
struct archive_entry;

enum {
    WORK_PATH_LIMIT = 4095,       /* as in layers: flatten/flatten.h */
    WORK_DEPTH_LIMIT = 2048,      /* the same */
    WORK_ENTRY_LIMIT = 16 << 20,  /* the same */
    WORK_ATTRIBUTES_LIMIT = 256,  /* of an entry; more are left out */
    WORK_ATTRIBUTES_SIZE = 65536, /* of an entry, bytes */
    WORK_EXTENTS_LIMIT = 65536,   /* of a file; behind the last all is data */
    WORK_BUFFER_SIZE = 256 * 1024,
    WORK_PENDING_SIZE = 64 * 1024,
    WORK_CONFIG_LIMIT = 4 << 20, /* what image/server-message.h allows */
};

/* A map from two numbers to a path. */
struct links_slot {
    uint64_t a, b;
    const char *path; /* NULL: free */
};
struct links {
    struct links_slot *slots;
    size_t count, mask;
};

/* The path noted for A and B, or NULL. */
const char *links_find(const struct links *links, uint64_t a, uint64_t b);
/* Notes PATH, which must stay. 0, or -1: no memory. */
int links_add(struct links *links, uint64_t a, uint64_t b, const char *path);
void links_free(struct links *links);

struct extent {
    uint64_t offset, length; /* of data; between them are holes */
};

/* Of one file, in their order; 0 of all at first. */
struct extents {
    struct extent *items; /* free(3) */
    size_t count, room;
};

/* 0, or -1: no memory. */
int extents_add(struct extents *extents, uint64_t offset, uint64_t length);

struct attribute {
    char name[256];
    const void *value;
    size_t length;
};

/* What becomes an entry of the tar. */
struct member {
    const char *path; /* "usr/lib", "" for the root */
    uint32_t mode;    /* with the type */
    uint32_t uid, gid;
    int64_t mtime;
    uint64_t size;                /* of a regular file */
    const char *target;           /* of a symbolic link */
    const char *hard_link;        /* another name of the same, which is in the tar already */
    const struct extent *extents; /* of a regular file that has holes; NULL: it has none */
    size_t extent_count;
};

struct stream {
    struct layer_stream base;
    pthread_t thread;
    int started, joined;
    int output, input; /* the pipe */
    int result;        /* of make() */
    struct err err;    /* where that is -1 */
    struct stream_counts counts;
    struct arena arena;
    const char *name; /* quoted, for messages */
    /* What a kind of source is. */
    int (*make)(struct stream *stream); /* in the thread: all members. 0, or -1 with stream->err */
    int (*config)(struct stream *stream, const char **bytes, size_t *length, struct arena *arena,
                  struct err *err);
    void (*close)(struct stream *stream);
    void *source;
    /* For make(). */
    struct archive *archive;
    struct archive_entry *entry;
    int write_error;      /* errno of the pipe; what is written after that goes nowhere */
    size_t pending_count; /* bytes of pending[] that are not written yet */
    struct links links;
    char *buffer;                 /* WORK_BUFFER_SIZE */
    struct attribute *attributes; /* of the next member */
    size_t attribute_count, attributes_used;
    char *values; /* WORK_ATTRIBUTES_SIZE: what they point to */
    char pending[WORK_PENDING_SIZE];
};

/* A stream without a source. NULL: no memory. */
struct stream *stream_create(const char *name, struct arena *arena, struct err *err);

/*
 * Between begin and end of a regular file that is no hard link: data and holes, SIZE bytes in
 * all, as the extents say. Each 0, or -1 with stream->err.
 */
int tar_open(struct stream *stream);
int tar_begin(struct stream *stream, const struct member *member);
int tar_data(struct stream *stream, const void *bytes, size_t length);
int tar_hole(struct stream *stream, uint64_t length);
int tar_end(struct stream *stream);
int tar_close(struct stream *stream);

/* Whether the attribute is kept; counts it where it is not. */
int attribute_is_kept(struct stream *stream, const char *name);
/* Room for the value of an attribute of the next member: *ROOM bytes; NULL: it has too many. */
char *attribute_room(struct stream *stream, size_t *room);
/* Adds it: LENGTH bytes of that room. */
void attribute_add(struct stream *stream, const char *name, size_t length);

/* owners.mtree of a directory. */
struct owner {
    const char *path;
    uint32_t uid, gid, mode; /* with the type */
};
struct owners {
    struct owner *items; /* sorted by path */
    size_t count;
};
/* Reads BYTES, an mtree. 0, or -1 with ERR_IMAGE_DAMAGED. Everything belongs to ARENA. */
int owners_parse(struct owners *owners, const char *bytes, size_t length, struct arena *arena,
                 struct err *err);
const struct owner *owners_find(const struct owners *owners, const char *path);

#endif
