#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/sif.h"
#include "image/superblock.h"
#include "stream/squashfs.h"

#define CONFIG_DIR ".coracle"
#define CONFIG_NAME "config.json"

static int find_sif(struct sif_partition *partition, int fd, uint64_t room, struct err *err)
{
    unsigned char bytes[SIF_DESCRIPTOR_SIZE];
    struct sif_table table;

    if (pread(fd, bytes, SIF_HEADER_SIZE, 0) != SIF_HEADER_SIZE)
        return err_set(err, ERR_IMAGE_DAMAGED, "it is cut off within its header");
    if (sif_read_header(&table, bytes, room, err) < 0)
        return -1;
    for (uint32_t i = 0; i < table.count; i++) {
        off_t at = (off_t)(table.offset + (uint64_t)i * SIF_DESCRIPTOR_SIZE);
        int found;

        if (pread(fd, bytes, sizeof(bytes), at) != (ssize_t)sizeof(bytes))
            return err_set(err, ERR_IMAGE_DAMAGED, "its descriptors cannot be read");
        found = sif_read_descriptor(partition, bytes, room, err);
        if (found)
            return found < 0 ? -1 : 0;
    }
    return err_set(err, ERR_IMAGE_UNKNOWN, "this SIF file has no primary system partition");
}

/* Where in FD the SquashFS is. 0 or -1. */
static int find_partition(struct sif_partition *partition, int fd, struct err *err)
{
    unsigned char magic[SIF_HEADER_SIZE] = {0};
    struct stat st;
    ssize_t n = pread(fd, magic, sizeof(magic), 0);

    if (n < 0 || fstat(fd, &st) < 0)
        return err_set(err, ERR_IMAGE_UNREADABLE, "it cannot be read: %s", err_reason(errno));
    *partition = (struct sif_partition){0, (uint64_t)st.st_size};
    if (superblock_has_magic(magic))
        return 0;
    if (sif_has_magic(magic, (size_t)n))
        return find_sif(partition, fd, (uint64_t)st.st_size, err);
    return err_set(err, ERR_IMAGE_UNKNOWN, "it is neither a SquashFS nor a SIF file");
}

/* NAME in the directory at REFERENCE. 1, 0: it is not there, -1 and errno. */
static int look_up(struct squash *squash, uint64_t reference, const char *name, struct squash_node *node)
{
    uint64_t found;
    int result;

    if (squash_node(squash, reference, node) < 0)
        return -1;
    if (!S_ISDIR(node->inode.base.mode))
        return 0;
    result = squash_lookup(squash, node, name, strlen(name), &found);
    if (result == 1 && squash_node(squash, found, node) < 0)
        return -1;
    return result;
}

static int config(struct stream *stream, const char **bytes, size_t *length, struct arena *arena,
                  struct err *err)
{
    struct squashfs *image = stream->source;
    struct squash_node node;
    int found = look_up(&image->squash, squash_root(&image->squash), CONFIG_DIR, &node);
    uint64_t size;
    char *buffer;

    if (found == 1)
        found = look_up(&image->squash, node.reference, CONFIG_NAME, &node);
    if (found == 0)
        return 0;
    size = found == 1 && S_ISREG(node.inode.base.mode) ? node.inode.xtra.reg.file_size : UINT64_MAX;
    if (size > WORK_CONFIG_LIMIT)
        return err_set(err, ERR_IMAGE_CONFIG, "%s: " CONFIG_DIR "/" CONFIG_NAME " %s", stream->name,
                       found < 0 ? "is damaged" : "is no file, or too large");
    buffer = arena_alloc(arena, (size_t)size + 1);
    if (size && squash_read(&image->squash, &node, 0, (size_t)size, buffer) != (int64_t)size)
        return err_set(err, ERR_IMAGE_DAMAGED, "%s: " CONFIG_DIR "/" CONFIG_NAME " cannot be read",
                       stream->name);
    *bytes = buffer;
    *length = (size_t)size;
    return 1;
}

static void close_squashfs(struct stream *stream)
{
    struct squashfs *image = stream->source;

    squash_close(&image->squash);
    free(image);
}

struct stream *stream_of_file(int fd, const char *name, struct arena *arena, struct err *err)
{
    struct stream *stream = stream_create(name, arena, err);
    struct sif_partition partition;
    struct squashfs *image;

    if (!stream)
        return NULL;
    image = calloc(1, sizeof(*image));
    stream->source = image;
    stream->make = squashfs_make;
    stream->config = config;
    stream->close = image ? close_squashfs : NULL;
    if (!image)
        err_set(err, ERR_NO_MEMORY, "no memory to read an image");
    else if (find_partition(&partition, fd, err) == 0 &&
             squash_open(&image->squash, fd, partition.offset, partition.length, err) == 0)
        return stream;
    if (image)
        err_prefix(err, "%s", stream->name);
    stream_close(stream);
    return NULL;
}
