/* Images that are written, and read again. */
#include "layout/write.h"
#include <sys/mman.h>

#include "made.h"

static struct reference reference;

static int write_image(const char *destination, const struct layer *layers, size_t count, int replace,
                       unsigned level)
{
    struct layout_write write = {.layers = layers, .layer_count = count, .level = level};
    struct layout_writer *writer;
    int result;

    if (reference_parse(&reference, destination, &arena, ERR_USAGE, &err) < 0)
        return -1;
    writer = layout_create(&reference, replace, &arena, &err);
    if (!writer)
        return -1;
    result = layout_write(writer, &write, &err);
    layout_writer_close(writer);
    return result;
}

/* An empty tar, in a file; and the layer of it. */
static struct layer empty(size_t blocks)
{
    struct layer layer = {.fd = memfd_create("layer", MFD_CLOEXEC), .size = blocks * 512};

    if (layer.fd < 0 || ftruncate(layer.fd, (off_t)layer.size) < 0)
        made_fail("layer");
    return layer;
}

static int read_image(const char *name, struct layout_image *image)
{
    const struct oci_platform platform = oci_platform_make("linux", "amd64", NULL, &arena);

    if (reference_parse(&reference, name, &arena, ERR_USAGE, &err) < 0)
        return -1;
    return layout_open(image, &reference, &platform, -1, &arena, &err);
}

static int verify(const struct layer *layer)
{
    struct layer_reader *reader = layer_open(layer, &err);
    int result = reader ? layer_finish(reader, &err) : -1;

    layer_close(reader);
    return result;
}

static void check_round(const char *transport)
{
    const struct layer layers[] = {empty(2), empty(4), empty(2)};
    const char *path = made_path("image"), *name = arena_join(&arena, transport, path, NULL);
    struct layout_image image;

    tap.row = transport;
    TAP_OK(write_image(name, layers, 3, 0, 0), err);
    TAP_OK(read_image(name, &image), err);
    TAP_INT(image.layer_count, 3);
    for (size_t i = 0; i < image.layer_count; i++)
        TAP_OK(verify(&image.layers[i]), err);
    TAP_STR(image.layers[0].diff_id, image.layers[2].diff_id);
    TAP_ERR(write_image(name, layers, 1, 0, 0), err, ERR_OUTPUT, "already");
    TAP_OK(write_image(name, image.layers, 2, 1, 0), err);
    layout_close(&image);
    TAP_OK(read_image(name, &image), err);
    TAP_INT(image.layer_count, 2);
    layout_close(&image);
    tap.row = NULL;
    for (size_t i = 0; i < 3; i++)
        close(layers[i].fd);
}

static void check_bad(void)
{
    struct layer layer = empty(2);
    const char *path = made_path("image"), *name = arena_join(&arena, "oci:", path, NULL);

    TAP_ERR(write_image(name, &layer, 1, 0, 10), err, ERR_USAGE, "level 1 to 9, not 10");
    TAP_INT(access(path, F_OK), -1);
    layer.diff_id = made_digest("something else");
    TAP_ERR(write_image(name, &layer, 1, 0, 0), err, ERR_DIGEST, "layer 1 of 1");
    TAP_INT(access(path, F_OK), -1);
    layer.digest = layer.diff_id;
    TAP_ERR(write_image(name, &layer, 1, 0, 0), err, ERR_DIGEST, "layer 1 of 1: the layer has the digest");
    TAP_ERR(write_image(arena_join(&arena, name, ":@1", NULL), &layer, 1, 0, 0), err, ERR_USAGE, "");
    TAP_INT(access(path, F_OK), -1);
    TAP_INT(mkdir(path, 0700), 0);
    TAP_ERR(write_image(name, &layer, 1, 1, 0), err, ERR_OUTPUT, "no OCI image layout");
    TAP_INT(rmdir(path), 0);
    layout_writer_close(NULL);
    close(layer.fd);
}

int main(void)
{
    made_begin();
    check_round("oci:");
    check_round("oci-archive:");
    check_round("docker-archive:");
    check_bad();
    made_end();
    return tap_done();
}
