/*
 * work - what the files of this room share while layers are flattened.
 */
#ifndef CORACLE_FLATTEN_WORK_H
#define CORACLE_FLATTEN_WORK_H

#include "flatten/flatten.h"

enum entry_kind {
    ENTRY_INODE,    /* a directory, a file, a symbolic link ... */
    ENTRY_LINK,     /* a hard link */
    ENTRY_DEVICE,   /* left out, but hides what is below */
    ENTRY_WHITEOUT, /* path is what is hidden */
    ENTRY_OPAQUE,   /* path is the directory */
    ENTRY_IGNORED,
};

/* A member of a layer's tar. */
struct entry {
    const char *path; /* cleaned: "usr/lib", "" for the root */
    union {
        struct flatten_inode *inode; /* ENTRY_INODE */
        const char *target;          /* ENTRY_LINK: cleaned */
    };
    enum entry_kind kind;
};

/* All members of a layer, in their order. */
struct journal {
    struct entry *entries;
    size_t count, room;
};

struct work {
    const struct flatten_request *request;
    struct flatten_sink *sink;
    struct flatten_counts counts;
    struct journal *journals; /* one for each layer */
    struct arena *arena;      /* everything that the journals and the tree point to */
    struct seen *seen;
    struct flatten_inode *config; /* of the image's configuration; NULL: none */
    uint64_t done;                /* bytes of layers read before the current one */
    uint64_t stored;              /* bytes of files that went to the sink, holes included */
    uint64_t walked;              /* bytes of links' targets on the way of names */
    uint64_t memory;              /* about as many bytes are taken for what layers list */
};

/* BYTES more of memory are needed for what the layers list. 0, or -1: they list too much. */
int work_take(struct work *work, uint64_t bytes, struct err *err);

/* handle of an inode whose contents were passed over, but are wanted. */
#define HANDLE_WANTED UINT64_MAX

/* PATH cleaned as text, into the arena; NULL with ERR where it is too long or is a bad whiteout's. */
const char *name_clean(struct work *work, const char *path, struct err *err);

/*
 * ERR is about the entry PATH; WHAT stands before its name. Of a long one the beginning is named.
 * Returns -1.
 */
int name_blame(const char *path, const char *what, struct err *err);

/* What PATH, which is cleaned, is for a layer: sets kind and path of ENTRY. 0 or -1. */
int name_classify(struct work *work, const char *path, struct entry *entry, struct err *err);

/*
 * seen - which names upper layers hide, by their text alone. Links are not followed, so
 * it can be wrong in both ways; the tree decides in the end.
 */
struct seen *seen_create(void);
void seen_destroy(struct seen *seen);
/* Adds ENTRY of layer LAYER. 0, or -1: no memory. */
int seen_add(struct seen *seen, size_t layer, const struct entry *entry);
/* Whether a layer above LAYER hides the file PATH, and no hard link waits for it. */
int seen_hides(struct seen *seen, size_t layer, const char *path);

/* Reads layer INDEX into its journal, contents that are not hidden into the sink. 0 or -1. */
int read_layer(struct work *work, size_t index, struct err *err);
/* Reads it again, for the inodes whose handle is HANDLE_WANTED. 0 or -1. */
int reread_layer(struct work *work, size_t index, struct err *err);

#endif
