/*
 * An image as lib/layout/write.h writes it, for tests:
 *
 *     layout-write [-f] [-z] [-l LEVEL] [-C CONFIG] DESTINATION SOURCE...
 *
 * Each SOURCE is a layer, lowest first: a directory or SquashFS (as a stream), "-" (standard
 * input), a tar file, or one of oci:, oci-archive: and docker-archive: with all its layers and its
 * configuration. -f: replace; -z: zstd.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "layout/layout.h"
#include "layout/write.h"
#include "stream/stream.h"

enum { MOST = 64 };

static struct arena arena;
static struct layer layers[MOST];
static struct layout_write job = {.layers = layers};
static struct stream *streams[MOST];
static struct layout_image images[MOST];
static struct layer_pipe input;
static int fds[MOST];
static size_t stream_count_, image_count, fd_count;

static void __attribute__((noreturn)) no_memory(void)
{
    fputs("no memory\n", stderr);
    exit(1);
}

static int add_image(const char *name, struct err *err)
{
    const struct oci_platform platform = oci_platform_make("linux", "amd64", NULL, &arena);
    struct layout_image *image = &images[image_count++];
    struct reference reference;

    if (reference_parse(&reference, name, &arena, ERR_USAGE, err) < 0 ||
        layout_open(image, &reference, &platform, -1, &arena, err) < 0)
        return -1;
    for (size_t i = 0; i < image->layer_count && job.layer_count < MOST; i++)
        layers[job.layer_count++] = image->layers[i];
    job.config = image->config;
    job.config_length = image->config_length;
    job.manifest = image->manifest;
    job.manifest_length = image->manifest_length;
    return 0;
}

static int is_squashfs(int fd)
{
    char magic[4];

    return pread(fd, magic, 4, 0) == 4 && memcmp(magic, "hsqs", 4) == 0;
}

static int add_stream(struct stream *stream, struct err *err)
{
    const char *config;
    size_t length;
    int found;

    if (!stream)
        return -1;
    streams[stream_count_++] = stream;
    found = stream_config(stream, &config, &length, &arena, err);
    if (found == 1) {
        job.config = config;
        job.config_length = length;
    }
    layers[job.layer_count++] = stream_layer(stream);
    return found;
}

static int add_source(const char *name, struct err *err)
{
    struct stat st;
    int fd;

    if (strcmp(name, "-") == 0) {
        layers[job.layer_count++] = layer_of_pipe(&input, STDIN_FILENO);
        return 0;
    }
    if (strchr(name, ':') && stat(name, &st) < 0)
        return add_image(name, err);
    if (stat(name, &st) == 0 && S_ISDIR(st.st_mode))
        return add_stream(stream_of_directory(name, &arena, err), err);
    fd = fds[fd_count++] = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, ERR_USAGE, "%s cannot be opened", name);
    if (is_squashfs(fd))
        return add_stream(stream_of_file(fd, name, &arena, err), err);
    layers[job.layer_count++] = (struct layer){.fd = fd, .size = (uint64_t)st.st_size};
    return 0;
}

static int write_image(const char *destination, int replace, struct err *err)
{
    struct layout_writer *writer;
    struct reference reference;
    int result;

    if (reference_parse(&reference, destination, &arena, ERR_USAGE, err) < 0)
        return -1;
    writer = layout_create(&reference, replace, &arena, err);
    result = writer ? layout_write(writer, &job, err) : -1;
    layout_writer_close(writer);
    return result;
}

int main(int argc, char **argv)
{
    int option, replace = 0, result = 0;
    struct err err = {0};
    size_t length = 0;
    const char *config = NULL;

    arena_init(&arena, no_memory);
    job.platform = oci_platform_make("linux", "amd64", NULL, &arena);
    while ((option = getopt(argc, argv, "fzl:C:")) != -1) {
        if (option == 'f')
            replace = 1;
        if (option == 'z')
            job.compression = LAYOUT_ZSTD;
        if (option == 'l')
            job.level = (unsigned)atoi(optarg);
        if (option == 'C')
            config = fd_read_file(AT_FDCWD, optarg, 0, 1 << 20, &arena, &length);
    }
    for (int i = optind + 1; i < argc && i < MOST && result >= 0; i++)
        result = add_source(argv[i], &err);
    if (config) {
        job.config = config;
        job.config_length = length;
    }
    if (result >= 0)
        result = optind < argc ? write_image(argv[optind], replace, &err) : -1;
    for (size_t i = 0; i < stream_count_; i++)
        stream_close(streams[i]);
    for (size_t i = 0; i < image_count; i++)
        layout_close(&images[i]);
    for (size_t i = 0; i < fd_count; i++)
        close(fds[i]);
    arena_free(&arena);
    if (result < 0)
        fprintf(stderr, "%s [%s]\n", err.text, err_name(err.id));
    return result < 0;
}
