#include "image-tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "checksum/checksum.h"
#include "image-interrupt.h"
#include "stream/stream.h"

struct image_tree {
    const char *name;
    struct stream *stream; /* of a directory or SquashFS */
    struct layer_pipe pipe;
    struct layer layer;
    int fd; /* of a file */
};

static int open_file(struct image_tree *tree, const char *path, struct arena *arena, struct err *err)
{
    struct stat st;

    tree->fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (tree->fd < 0 || fstat(tree->fd, &st) < 0)
        return err_set(err, errno == ENOENT || errno == ENOTDIR ? ERR_IMAGE_MISSING : ERR_IMAGE_UNREADABLE,
                       "cannot open the image %s: %s", str_quote(arena, path), err_reason(errno));
    if (!S_ISREG(st.st_mode))
        return err_set(err, ERR_IMAGE_UNKNOWN, "the image %s is not a file", str_quote(arena, path));
    tree->layer = (struct layer){.fd = tree->fd, .size = (uint64_t)st.st_size, .is_tar = 1};
    return 0;
}

static int open_tar(struct image_tree *tree, const char *path, struct arena *arena, struct err *err)
{
    if (strcmp(path, "-") != 0 && open_file(tree, path, arena, err) < 0)
        return -1;
    if (tree->fd >= 0)
        return tree->layer.size
                   ? 0
                   : err_set(err, ERR_IMAGE_UNKNOWN, "the image %s is an empty file", str_quote(arena, path));
    tree->layer = layer_of_pipe(&tree->pipe, STDIN_FILENO);
    tree->layer.is_tar = 1;
    tree->pipe.go_on = interrupt_check; /* a pipe may be silent for ever */
    return 0;
}

/* Its layer, and its configuration where it has one. */
static int take_stream(struct image_source *source, struct image_tree *tree, struct arena *arena,
                       struct err *err)
{
    char *id = arena_alloc(arena, CHECKSUM_TEXT);
    int result;

    if (!tree->stream)
        return -1;
    result = stream_config(tree->stream, &source->config, &source->config_length, arena, err);
    if (result < 0)
        return err_prefix(err, "the image %s", source->name);
    if (result)
        source->id = checksum_of(id, "sha256:", source->config, source->config_length);
    tree->layer = stream_layer(tree->stream);
    return 0;
}

/* Nothing can be run in an image that is made of one. */
static int check_not_empty(const char *path, struct arena *arena, struct err *err)
{
    DIR *directory = opendir(path);
    const struct dirent *entry;
    int is_empty = directory != NULL;

    while (is_empty && (entry = readdir(directory)))
        is_empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    if (directory)
        closedir(directory);
    return is_empty
               ? err_set(err, ERR_IMAGE_EMPTY, "the image %s is an empty directory", str_quote(arena, path))
               : 0;
}

static int open_tree(struct image_source *source, struct image_tree *tree, const struct reference *reference,
                     struct arena *arena, struct err *err)
{
    if (reference->transport == REFERENCE_TAR)
        return open_tar(tree, reference->path, arena, err);
    if (reference->transport == REFERENCE_DIR && check_not_empty(reference->path, arena, err) < 0)
        return -1;
    if (reference->transport == REFERENCE_DIR)
        tree->stream = stream_of_directory(reference->path, arena, err);
    else if (open_file(tree, reference->path, arena, err) == 0)
        tree->stream = stream_of_file(tree->fd, reference->path, arena, err);
    return take_stream(source, tree, arena, err);
}

int image_tree_open(struct image_source *source, const struct reference *reference, struct arena *arena,
                    struct err *err)
{
    struct image_tree *tree = arena_alloc(arena, sizeof(*tree));

    *tree = (struct image_tree){.name = source->name, .fd = -1};
    source->tree = tree;
    source->layers = &tree->layer;
    source->layer_count = 1;
    return open_tree(source, tree, reference, arena, err);
}

void image_tree_warn(const struct image_tree *tree)
{
    struct stream_counts counts;

    if (!tree->stream)
        return;
    stream_count(tree->stream, &counts);
    if (counts.mounts)
        log_warning("%s: what is mounted in it at %llu places was left out", tree->name,
                    (unsigned long long)counts.mounts);
    if (counts.devices + counts.sockets)
        log_warning("%s: %llu devices and %llu sockets were left out", tree->name,
                    (unsigned long long)counts.devices, (unsigned long long)counts.sockets);
}

void image_tree_warn_foreign(const struct image_tree *tree)
{
    struct stream_counts counts;

    if (!tree->stream)
        return;
    stream_count(tree->stream, &counts);
    if (counts.foreign)
        log_warning("%s: its environment and command, in /%s, are not in the configuration of what was made: "
                    "give them where it is run",
                    tree->name, counts.foreign);
}

void image_tree_close(struct image_tree *tree)
{
    stream_close(tree->stream);
    fd_close(&tree->fd);
}
