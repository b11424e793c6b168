/*
 * flatten-layers - layers to a SquashFS file or a directory, for tests.
 *
 *     flatten-layers [-c COMPRESSION] [-b BLOCK] [-j THREADS] [-C CONFIG] OUTPUT LAYER[=DIGEST[=DIFF_ID]]...
 *
 * The lowest layer comes first. OUTPUT is a directory where it ends with a slash.
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

static void __attribute__((noreturn)) fail(const char *text)
{
    fprintf(stderr, "%s\n", text);
    exit(1);
}

static void __attribute__((noreturn)) no_memory(void)
{
    fail("no memory");
}

static struct layer open_layer(char *argument)
{
    const char *name = strtok(argument, "=");
    struct layer layer = {.fd = open(name, O_RDONLY | O_CLOEXEC)};
    struct stat status;

    layer.digest = strtok(NULL, "=");
    layer.diff_id = strtok(NULL, "=");
    if (layer.fd < 0 || fstat(layer.fd, &status) < 0)
        fail(name);
    layer.size = (uint64_t)status.st_size;
    return layer;
}

static int is_folder(const char *output)
{
    return output[strlen(output) - 1] == '/';
}

int main(int argc, char **argv)
{
    static struct arena arena;
    struct pack_options options = {0};
    struct flatten_request request = {.config_dir = ".coracle", .config_name = "config.json"};
    struct flatten_counts counts;
    struct flatten_sink *sink;
    struct layer layers[256];
    struct err err = {0};
    int option, fd = -1;

    arena_init(&arena, no_memory);
    while ((option = getopt(argc, argv, "c:b:j:C:")) != -1) {
        if (option == 'c' && pack_parse_compression(optarg, &options, &err) < 0)
            fail(err.text);
        if (option == 'b')
            options.block_size = (uint32_t)atoi(optarg);
        if (option == 'j')
            options.threads = (unsigned)atoi(optarg);
        if (option == 'C')
            request.config = fd_read_file(AT_FDCWD, optarg, 0, 1 << 20, &arena, &request.config_length);
    }
    if (optind >= argc)
        fail("flatten-layers: OUTPUT LAYER...");
    for (int i = optind + 1; i < argc && request.layer_count < 256; i++)
        layers[request.layer_count++] = open_layer(argv[i]);
    request.layers = layers;
    if (is_folder(argv[optind])) {
        sink = folder_open(AT_FDCWD, argv[optind], &err);
    } else {
        fd = open(argv[optind], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        sink = fd < 0 ? NULL : pack_open(fd, &options, &err);
    }
    if (!sink || flatten(&request, sink, &counts, &arena, &err) < 0) {
        if (fd >= 0)
            unlink(argv[optind]);
        (is_folder(argv[optind]) ? folder_close : pack_close)(sink);
        arena_free(&arena);
        fprintf(stderr, "%s [%s]\n", err.text, err_name(err.id));
        return 1;
    }
    (is_folder(argv[optind]) ? folder_close : pack_close)(sink);
    arena_free(&arena);
    printf("entries %llu devices %llu attributes %llu stored %llu reread %llu\n",
           (unsigned long long)counts.entries, (unsigned long long)counts.devices,
           (unsigned long long)counts.attributes, (unsigned long long)counts.stored,
           (unsigned long long)counts.reread);
    return 0;
}
