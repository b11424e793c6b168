/*
 * Mutants of the images of the fuzz corpus become layers: none crashes, computes without end or
 * takes memory without end; each comes out or is refused.
 */
#include "../squash/mutants.h"
#include "stream/stream.h"

enum { REFUSED = MUTANT_REFUSED, NOT_OPENED, READ, TOO_LARGE };
#define BYTES_LIMIT (UINT64_C(1) << 28) /* a mutant may say that it has more than we have time for */

/* What becomes of the image in FD. */
static int read_stream(int fd)
{
    struct err err = {0};
    struct stream *stream = stream_of_file(fd, "mutant", &arena, &err);
    struct layer_reader *reader;
    uint64_t total = 0;
    const void *bytes;
    size_t length = 1;
    struct layer layer;
    int failed = 0;

    if (!stream)
        return *err.text ? NOT_OPENED : EXIT_FAILURE;
    layer = stream_layer(stream);
    reader = layer_open(&layer, &err);
    failed = !reader;
    while (!failed && length && total < BYTES_LIMIT) {
        failed = layer_read(reader, &bytes, &length, &err) < 0;
        total += failed ? 0 : length;
    }
    layer_close(reader);
    stream_close(stream);
    if (failed)
        return *err.text && (err.id == ERR_IMAGE_DAMAGED || err.id == ERR_LIMIT) ? REFUSED : EXIT_FAILURE;
    return length ? TOO_LARGE : READ;
}

static int is_survived(const char *image, size_t length, uint64_t number)
{
    pid_t child = fork();

    if (child == 0)
        _exit(read_stream(mutant_begin(image, length, number)));
    return mutant_survived(child, number);
}

int main(void)
{
    mutants_try(is_survived);
    printf("# %d mutants refused while they were read, %d before, %d read, %d too large\n", mutant_counts[0],
           mutant_counts[1], mutant_counts[2], mutant_counts[3]);
    TAP_TRUE(mutant_counts[0] > 0 && mutant_counts[1] > 0 && mutant_counts[2] > 0);
    return tap_done();
}
