/*
 * A directory, SquashFS or SIF through lib/stream, for tests:
 *
 *     stream-image [-j THREADS] SOURCE OUTPUT
 *
 * OUTPUT is "-": the tar goes to standard output; NAME/: a directory is made; else a SquashFS
 * file is, with the configuration of SOURCE.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "pack/folder.h"
#include "pack/pack.h"
#include "stream/stream.h"

static void __attribute__((noreturn)) no_memory(void)
{
    fputs("no memory\n", stderr);
    exit(1);
}

static struct stream *open_source(const char *path, int *fd, struct arena *arena, struct err *err)
{
    struct stat st;

    if (stat(path, &st) < 0 || S_ISDIR(st.st_mode))
        return stream_of_directory(path, arena, err);
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    return stream_of_file(*fd, path, arena, err);
}

static int print_tar(const struct layer *layer, struct err *err)
{
    struct layer_reader *reader = layer_open(layer, err);
    const void *bytes;
    size_t length = 1;
    int result = reader ? 0 : -1;

    while (result == 0 && length) {
        result = layer_read(reader, &bytes, &length, err);
        if (result == 0 && fd_write_all(STDOUT_FILENO, bytes, length) < 0)
            result = err_set(err, ERR_OUTPUT, "standard output cannot be written");
    }
    if (result == 0)
        result = layer_finish(reader, err);
    layer_close(reader);
    return result;
}

static int make_image(struct flatten_request *request, const char *output, unsigned threads,
                      struct arena *arena, struct err *err)
{
    const int is_folder = output[strlen(output) - 1] == '/';
    const struct pack_options options = {.threads = threads};
    FD_CLEANUP int fd = -1;
    struct flatten_sink *sink;
    int result;

    request->config_dir = ".coracle";
    request->config_name = "config.json";
    if (!is_folder)
        fd = open(output, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    sink = is_folder ? folder_open(AT_FDCWD, output, err) : pack_open(fd, &options, err);
    result = sink ? flatten(request, sink, NULL, arena, err) : -1;
    (is_folder ? folder_close : pack_close)(sink);
    return result;
}

int main(int argc, char **argv)
{
    static struct arena arena;
    struct flatten_request request = {.layer_count = 1};
    struct stream_counts counts;
    struct stream *stream;
    struct layer layer;
    unsigned threads = 0;
    struct err err = {0};
    const char *config;
    int fd = -1, result = -1, option;

    arena_init(&arena, no_memory);
    while ((option = getopt(argc, argv, "j:")) != -1)
        threads = (unsigned)atoi(optarg);
    if (argc - optind != 2) {
        fputs("stream-image [-j THREADS] SOURCE OUTPUT\n", stderr);
        return 2;
    }
    stream = open_source(argv[optind], &fd, &arena, &err);
    if (stream && stream_config(stream, &config, &request.config_length, &arena, &err) >= 0) {
        request.config = request.config_length ? config : NULL;
        layer = stream_layer(stream);
        request.layers = &layer;
        result = strcmp(argv[optind + 1], "-") == 0
                     ? print_tar(&layer, &err)
                     : make_image(&request, argv[optind + 1], threads, &arena, &err);
    }
    if (result == 0) {
        stream_count(stream, &counts);
        fprintf(stderr, "entries %llu devices %llu sockets %llu mounts %llu attributes %llu\n",
                (unsigned long long)counts.entries, (unsigned long long)counts.devices,
                (unsigned long long)counts.sockets, (unsigned long long)counts.mounts,
                (unsigned long long)counts.attributes);
    } else {
        fprintf(stderr, "%s [%s]\n", err.text, err_name(err.id));
    }
    stream_close(stream);
    close(fd);
    arena_free(&arena);
    return result == 0 ? 0 : 1;
}
