/*
 * Opens an image of a layout or archive as lib/layout does, for layout.sh:
 *
 *     layout-show REFERENCE PLATFORM           a line for each part: manifest, config, platform, layer
 *     layout-show REFERENCE PLATFORM config    the configuration
 *     layout-show REFERENCE PLATFORM N         the bytes of layer N
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "layout/layout.h"

static void __attribute__((noreturn)) no_memory(void)
{
    fputs("out of memory\n", stderr);
    exit(EXIT_FAILURE);
}

static void print(const struct layout_image *image, struct arena *arena)
{
    printf("manifest %s\n", image->digest ? image->digest : "-");
    printf("config %s\n", image->config_digest);
    printf("platform %s\n", oci_platform_text(&image->platform, arena));
    for (size_t i = 0; i < image->layer_count; i++)
        printf("layer %s %s %llu\n", image->layers[i].digest ? image->layers[i].digest : "-",
               image->layers[i].diff_id, (unsigned long long)image->layers[i].size);
}

static int copy_range(const struct layer *layer)
{
    char buffer[65536];
    uint64_t done = 0;

    while (done < layer->size) {
        uint64_t left = layer->size - done;
        ssize_t got = pread(layer->fd, buffer, left < sizeof(buffer) ? (size_t)left : sizeof(buffer),
                            (off_t)(layer->offset + done));

        if (got <= 0 || fd_write_all(STDOUT_FILENO, buffer, (size_t)got) < 0)
            return -1;
        done += (uint64_t)got;
    }
    return 0;
}

static int show(const struct layout_image *image, const char *what, struct arena *arena)
{
    uint64_t number;

    if (!what) {
        print(image, arena);
        return 0;
    }
    if (strcmp(what, "config") == 0)
        return fd_write_all(STDOUT_FILENO, image->config, image->config_length);
    if (num_parse(what, image->layer_count, &number) < 0 || number == image->layer_count)
        return -1;
    return copy_range(&image->layers[number]);
}

int main(int argc, char **argv)
{
    struct oci_platform platform;
    struct reference reference;
    struct layout_image image;
    struct arena arena;
    struct err err;
    int result;

    arena_init(&arena, no_memory);
    if (argc < 3 || reference_parse(&reference, argv[1], &arena, ERR_USAGE, &err) < 0 ||
        oci_platform_parse(&platform, argv[2], &arena, ERR_USAGE, &err) < 0 ||
        layout_open(&image, &reference, &platform, -1, &arena, &err) < 0) {
        fprintf(stderr, "%s\n", argc < 3 ? "layout-show REFERENCE PLATFORM [WHAT]" : err.text);
        return EXIT_FAILURE;
    }
    result = show(&image, argv[3], &arena);
    layout_close(&image);
    arena_free(&arena);
    return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
