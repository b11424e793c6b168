/*
 * flatten - the layers of an image become one tree.
 *
 * Layers are read once each, the top one first, so that the contents of a file that an
 * upper layer hides are passed over. Contents go to the sink at once; of the names a
 * journal is kept. When all layers were read the journals are applied in the image's
 * order, bottom first, in memory: that is where the rules are, and what is hidden,
 * linked or replaced is decided there, exactly. Where a file turns out to be needed
 * whose contents were passed over (a hard link to a name that an upper layer hides, a
 * name that a symbolic link leads to), its layer is read once more.
 *
 * The rules are those of the OCI image specification (layer.md), and where it is silent:
 * - Names are cleaned as text: "/b", "./b", "c/../b" and "../../b" are all b.
 * - A symbolic link that is a parent of a name is followed, within the tree: the link of
 *   a lower layer or an earlier one of the same. A directory entry replaces a link.
 * - A parent that no layer lists is a directory of root's, mode 755. A file in the place
 *   of a parent is replaced by such a directory.
 * - A whiteout hides what lower layers have, wherever in its layer it stands; so does an
 *   opaque marker. One of nothing hides nothing. ".wh.", ".wh.." and ".wh..." are errors.
 * - Of two entries with one name in a layer the last one counts.
 * - A hard link means what the name is at that moment: the layers below and what stands
 *   before it. One to nothing, to itself or to a directory is an error.
 * - Device nodes are left out and counted; they hide what is below.
 * - What aufs (".wh..wh.*") and eStargz ("stargz.index.json" and its landmarks) keep in
 *   layers for themselves is left out.
 * - Of extended attributes user.* and security.capability are kept, others counted.
 * - Times are whole seconds from 1970 to 2106; others become the nearest of these.
 */
#ifndef CORACLE_FLATTEN_FLATTEN_H
#define CORACLE_FLATTEN_FLATTEN_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "layer/layer.h"

/* What a tree may have; more is refused with ERR_LAYER. */
enum {
    FLATTEN_LAYER_LIMIT = 1024,
    FLATTEN_ENTRY_LIMIT = 16 * 1024 * 1024, /* of all layers together */
    FLATTEN_NAME_LIMIT = 255,               /* bytes of a name: what file systems have */
    FLATTEN_PATH_LIMIT = 4095,              /* of the path in a layer, and of a link's target */
    FLATTEN_DEPTH_LIMIT = 2048,             /* directories in each other */
    FLATTEN_LINK_LIMIT = 40,                /* symbolic links followed for one name, as the kernel does */
    FLATTEN_XATTR_LIMIT = 64 * 1024,        /* bytes of an entry's extended attributes */
};
/*
 * A hole has no bytes in a layer, a directory that no layer lists no entry, and what is alike
 * compresses to nothing: a few kilobytes of layer can stand for any tree. So there are limits
 * to what all entries together may cost.
 */
#define FLATTEN_FILE_LIMIT (UINT64_C(1) << 40)   /* bytes of all files that are stored, holes included */
#define FLATTEN_WALK_LIMIT (UINT64_C(1) << 32)   /* bytes of links' targets that names lead along */
#define FLATTEN_MEMORY_LIMIT (UINT64_C(2) << 30) /* bytes for names and what they are: 8 million files */

struct flatten_attribute {
    const char *name;
    const void *value;
    size_t length;
};

/* A file of any kind. Several names may have one: hard links. */
struct flatten_inode {
    uint32_t mode; /* with the type: S_IFREG, S_IFDIR, S_IFLNK, S_IFIFO or S_IFSOCK */
    uint32_t uid, gid;
    uint32_t mtime;
    uint32_t links; /* names; of a directory: 2, and one for each directory in it */
    uint32_t attribute_count;
    const struct flatten_attribute *attributes;
    const char *target; /* of a symbolic link */
    uint64_t size;      /* of a regular file */
    uint64_t handle;    /* what file_end() gave; 0: a file without contents */
    uint64_t sink_data; /* for the sink, 0 at first */
};

struct flatten_node {
    const char *name; /* "" of the root */
    struct flatten_inode *inode;
    struct flatten_node *parent; /* the root's is itself */
    struct flatten_node *first;  /* of a directory: names in strcmp() order */
    struct flatten_node *next;   /* in the same directory */
};

struct flatten_tree {
    struct flatten_node *root;
    uint64_t inode_count;
    uint32_t newest; /* the latest mtime of all */
};

/*
 * Where the tree goes. Functions return 0, or -1 with ERR. For each regular file that
 * is not empty: begin, then append and hole in any order until SIZE bytes are there,
 * end, which sets *HANDLE (not 0). Some of these files may not be in the tree later. Then
 * finish, once.
 */
struct flatten_sink {
    int (*file_begin)(struct flatten_sink *sink, uint64_t size, struct err *err);
    int (*file_append)(struct flatten_sink *sink, const void *bytes, size_t length, struct err *err);
    int (*file_hole)(struct flatten_sink *sink, uint64_t length, struct err *err);
    int (*file_end)(struct flatten_sink *sink, uint64_t *handle, struct err *err);
    int (*finish)(struct flatten_sink *sink, const struct flatten_tree *tree, struct err *err);
};

struct flatten_request {
    const struct layer *layers; /* the lowest first, as in a manifest */
    size_t layer_count;
    /*
     * The image's OCI configuration: it becomes DIR/NAME in the root, whatever the
     * layers have there. NULL: none.
     */
    const void *config;
    size_t config_length;
    const char *config_dir, *config_name;
    int needs_files;       /* layers that leave no name in the tree are refused: ERR_IMAGE_EMPTY */
    uint64_t memory_limit; /* 0: FLATTEN_MEMORY_LIMIT */
    /* Called before layer INDEX is read, which may only come now. 0 or -1. NULL: all are there. */
    int (*await)(void *data, size_t index, struct err *err);
    /* Called now and then; NULL: not. DONE bytes of the layers were read. */
    void (*progress)(void *data, uint64_t done);
    /* Called before the sink's finish, which may take a while; NULL: not. */
    void (*finishing)(void *data);
    void *progress_data; /* for these three */
};

struct flatten_counts {
    uint64_t entries;    /* of all layers */
    uint64_t devices;    /* left out */
    uint64_t attributes; /* extended attributes left out */
    uint64_t stored;     /* files whose contents went to the sink */
    uint64_t reread;     /* layers that had to be read twice */
    int is_empty;        /* no name of theirs is in the tree */
};

/*
 * Flattens the layers of REQUEST into SINK. COUNTS may be NULL. 0, or -1: a layer is not
 * what its digest says (ERR_DIGEST), damaged, or breaks a rule (ERR_LAYER; the text names
 * layer and entry), nothing is in them (ERR_IMAGE_EMPTY), or what the sink says. The sink's finish is called
 * only after all layers were verified. What the tree is made of belongs to ARENA.
 */
int flatten(const struct flatten_request *request, struct flatten_sink *sink, struct flatten_counts *counts,
            struct arena *arena, struct err *err);

#endif
