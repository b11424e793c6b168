/* A SquashFS: the tree first, then contents as they are stored. */
#include "stream/squashfs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int squashfs_damaged(struct stream *stream, const char *path)
{
    if (errno == ENOMEM)
        return err_set(&stream->err, ERR_NO_MEMORY, "no memory to read %s", stream->name);
    return err_set(&stream->err, ERR_IMAGE_DAMAGED, "%s: its /%.300s cannot be read", stream->name, path);
}

static int damaged(struct stream *stream, const char *what)
{
    const struct squashfs *image = stream->source;

    return err_set(&stream->err, ERR_IMAGE_DAMAGED, "%s: its /%.300s %s", stream->name, image->path, what);
}

/* Writes the path of NAME in DIRECTORY; NULL: NAME is the root. 0, or -1: it is too long. */
static int set_path(struct stream *stream, const struct squashfs_directory *directory, const char *name)
{
    struct squashfs *image = stream->source;
    size_t length = strlen(name), at;

    for (const struct squashfs_directory *up = directory; up && up->parent; up = up->parent)
        length += strlen(up->name) + 1;
    if (length > WORK_PATH_LIMIT)
        return err_set(&stream->err, ERR_LIMIT, "%s: a path has more than %d bytes, which no layer may have",
                       stream->name, WORK_PATH_LIMIT);
    at = length - strlen(name);
    strcpy(image->path + at, name);
    for (const struct squashfs_directory *up = directory; up && up->parent; up = up->parent) {
        image->path[--at] = '/';
        at -= strlen(up->name);
        memcpy(image->path + at, up->name, strlen(up->name));
    }
    return 0;
}

/* What NODE says of itself. 0 or -1. */
static int describe(struct stream *stream, const struct squash_node *node, struct member *member)
{
    struct squashfs *image = stream->source;

    *member = (struct member){.path = image->path,
                              .mode = (uint32_t)node->inode.base.mode,
                              .mtime = (uint32_t)node->inode.base.mtime};
    if (squash_ids(&image->squash, node, &member->uid, &member->gid) < 0)
        return squashfs_damaged(stream, image->path);
    return 0;
}

/* As in directory.c; a directory has no second name at all. */
static int find_link(struct stream *stream, const struct squash_node *node, struct member *member)
{
    struct squashfs *image = stream->source;

    if (S_ISDIR(member->mode) || node->inode.nlink > 1)
        member->hard_link = links_find(&stream->links, node->reference, 0);
    if (member->hard_link && S_ISDIR(member->mode))
        return damaged(stream, "is a directory that is also in another place");
    if (member->hard_link)
        return 0;
    if (++image->inodes > image->squash.fs.sb.inodes)
        return err_set(&stream->err, ERR_IMAGE_DAMAGED, "%s: it has more files than it says", stream->name);
    if (!S_ISDIR(member->mode) && node->inode.nlink < 2)
        return 0;
    return links_add(&stream->links, node->reference, 0, arena_strdup(&stream->arena, image->path)) < 0
               ? err_set(&stream->err, ERR_NO_MEMORY, "no memory for the names of %s", stream->name)
               : 0;
}

/* Puts NODE; contents are put where HAS_CONTENTS. 0 or -1. */
static int put(struct stream *stream, const struct squash_node *node, int has_contents)
{
    struct squashfs *image = stream->source;
    char target[WORK_PATH_LIMIT + 1];
    struct member member;

    if (describe(stream, node, &member) < 0 || find_link(stream, node, &member) < 0)
        return -1;
    if (S_ISLNK(member.mode)) {
        int64_t length = squash_readlink(&image->squash, node, target, sizeof(target) - 1);

        if (length < 0)
            return squashfs_damaged(stream, image->path);
        target[length] = '\0';
        member.target = target;
    }
    if (!member.hard_link && squashfs_attributes(stream, node) < 0)
        return -1;
    if (has_contents && !member.hard_link)
        return squashfs_contents(stream, node, &member);
    return tar_begin(stream, &member) < 0 ? -1 : tar_end(stream);
}

static int note_file(struct stream *stream, const struct squash_node *node,
                     const struct squashfs_directory *directory, const char *name)
{
    struct squashfs *image = stream->source;
    struct squashfs_file *file;

    image->files =
        arena_grow(&stream->arena, image->files, image->file_count, &image->file_room, sizeof(*image->files));
    file = &image->files[image->file_count];
    *file = (struct squashfs_file){
        .directory = directory, .name = name, .reference = node->reference, .number = image->file_count};
    image->file_count++;
    return squash_order(&image->squash, node, &file->order) < 0 ? squashfs_damaged(stream, image->path) : 0;
}

static int put_directory(struct stream *stream, const struct squash_node *node,
                         const struct squashfs_directory *directory);

/* The entry NAME of DIRECTORY. 0 or -1. */
static int put_entry(struct stream *stream, uint64_t reference, const struct squashfs_directory *directory,
                     const char *name)
{
    struct squashfs *image = stream->source;
    struct squash_node node;

    if (set_path(stream, directory, name) < 0)
        return -1;
    if (strcmp(image->path, ".coracle") == 0)
        return 0;
    if (++image->entries > WORK_ENTRY_LIMIT)
        return err_set(&stream->err, ERR_LIMIT, "%s: it has more than %d entries", stream->name,
                       WORK_ENTRY_LIMIT);
    if (squash_node(&image->squash, reference, &node) < 0)
        return squashfs_damaged(stream, image->path);
    switch (node.inode.base.mode & S_IFMT) {
    case S_IFDIR: {
        struct squashfs_directory *below = arena_alloc(&stream->arena, sizeof(*below));

        *below = (struct squashfs_directory){directory, name};
        return put_directory(stream, &node, below);
    }
    case S_IFREG:
        return node.inode.xtra.reg.file_size ? note_file(stream, &node, directory, name)
                                             : put(stream, &node, 0);
    case S_IFLNK:
    case S_IFIFO:
        return put(stream, &node, 0);
    case S_IFSOCK:
        stream->counts.sockets++;
        return 0;
    default:
        stream->counts.devices++;
        return 0;
    }
}

/* NODE, the path's directory, and what is in it. 0 or -1. */
static int put_directory(struct stream *stream, const struct squash_node *node,
                         const struct squashfs_directory *directory)
{
    struct squashfs *image = stream->source;
    struct squash_entries entries;
    struct squash_entry entry;
    int more;

    if (put(stream, node, 0) < 0)
        return -1;
    if (++image->depth > WORK_DEPTH_LIMIT)
        return err_set(&stream->err, ERR_LIMIT, "%s: more than %d directories are within each other",
                       stream->name, WORK_DEPTH_LIMIT);
    if (squash_entries(&image->squash, node, 0, &entries) < 0)
        return squashfs_damaged(stream, image->path);
    while ((more = squash_next(&image->squash, &entries, &entry)) > 0) {
        const char *name = arena_strndup(&stream->arena, entry.name, entry.length);

        if (put_entry(stream, entry.reference, directory, name) < 0)
            return -1;
    }
    image->depth--;
    if (more < 0 && set_path(stream, directory->parent, directory->name) == 0)
        return squashfs_damaged(stream, image->path);
    return more < 0 ? -1 : 0;
}

static int compare(const void *a, const void *b)
{
    const struct squashfs_file *x = a, *y = b;

    if (x->order.block != y->order.block)
        return x->order.block < y->order.block ? -1 : 1;
    if (x->order.within != y->order.within)
        return x->order.within < y->order.within ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

static int put_files(struct stream *stream)
{
    struct squashfs *image = stream->source;
    struct squash_node node;

    if (image->file_count)
        qsort(image->files, image->file_count, sizeof(*image->files), compare);
    for (size_t i = 0; i < image->file_count; i++) {
        const struct squashfs_file *file = &image->files[i];

        if (set_path(stream, file->directory, file->name) < 0)
            return -1;
        if (squash_node(&image->squash, file->reference, &node) < 0)
            return squashfs_damaged(stream, image->path);
        if (put(stream, &node, 1) < 0)
            return -1;
    }
    return 0;
}

int squashfs_make(struct stream *stream)
{
    static const struct squashfs_directory root = {NULL, ""};
    struct squashfs *image = stream->source;
    struct squash_node node;

    if (squash_node(&image->squash, squash_root(&image->squash), &node) < 0)
        return squashfs_damaged(stream, "");
    return put_directory(stream, &node, &root) < 0 ? -1 : put_files(stream);
}
