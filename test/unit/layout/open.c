/* What is common to all sources: names in errors, descriptors, many layers. */
#include "layout/layout.h"

#include <sys/resource.h>

#include "made.h"

static int open_count(void)
{
    int count = 0;

    for (int fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static struct made made_many(int count)
{
    struct made made = {.count = 0};
    const char **layers = arena_alloc(&arena, ((size_t)count + 1) * sizeof(*layers));

    for (int i = 0; i < count; i++)
        layers[i] = arena_printf(&arena, "layer %d", i);
    made_layout(&made, made_image(&made, "amd64", layers, ""));
    return made;
}

static void test_errors(void)
{
    struct layout_image image;

    TAP_ERR(made_open(&image, "oci:", "/nonexistent", ":a", "amd64"), err, ERR_IMAGE_MISSING,
            "image oci:/nonexistent:a: there is no directory /nonexistent");
    layout_close(&image);
    TAP_ERR(made_open(&image, "docker-archive:", "/nonexistent", "", "amd64"), err, ERR_IMAGE_MISSING,
            "image docker-archive:/nonexistent: there is no file /nonexistent");
    layout_close(&image);
    TAP_INT(image.fd_count, 0);
}

/* Layers of a directory are files of their own, those of an archive ranges of one; none stays open. */
static void test_descriptors(void)
{
    const struct made made = made_many(20);
    const char *directory = made_directory(&made), *archive = made_archive(&made);
    const int before = open_count();
    struct layout_image image;

    TAP_OK(made_open(&image, "oci:", directory, "", "amd64"), err);
    TAP_INT(image.layer_count, 20);
    TAP_INT(open_count(), before + 20);
    TAP_TRUE(fcntl(image.layers[19].fd, F_GETFD) & FD_CLOEXEC);
    TAP_STR(image.layers[7].diff_id, made_digest("layer 7"));
    TAP_STR(image.layers[7].digest, made_digest("layer 7"));
    layout_close(&image);
    layout_close(&image);
    TAP_INT(open_count(), before);
    TAP_OK(made_open(&image, "oci-archive:", archive, "", "amd64"), err);
    TAP_INT(open_count(), before + 1);
    TAP_TRUE(image.layers[0].fd == image.layers[19].fd && image.layers[0].offset != image.layers[19].offset);
    layout_close(&image);
    TAP_INT(open_count(), before);
}

/* A failure with layers open already. */
static void test_failure(void)
{
    struct made made = made_many(20);
    const int before = open_count();
    struct layout_image image;

    made_find(&made, made_blob_name(made_digest("layer 19")))->length = 0;
    TAP_ERR(made_open(&image, "oci:", made_directory(&made), "", "amd64"), err, ERR_IMAGE_DAMAGED,
            "has 0 bytes, and 8 are said");
    layout_close(&image);
    TAP_INT(open_count(), before);
}

/* More layers than the process may have files open. */
static void test_limit(void)
{
    const struct made made = made_many(30);
    const char *directory = made_directory(&made);
    const int before = open_count(), next = dup(0);
    struct rlimit limit, low;
    struct layout_image image;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        made_fail("getrlimit");
    close(next);
    low = (struct rlimit){(rlim_t)next + 8, limit.rlim_max};
    setrlimit(RLIMIT_NOFILE, &low);
    TAP_ERR(made_open(&image, "oci:", directory, "", "amd64"), err, ERR_LIMIT, "ulimit -n");
    layout_close(&image);
    setrlimit(RLIMIT_NOFILE, &limit);
    TAP_INT(open_count(), before);
}

static void test_digests(void)
{
    const struct made made = made_many(1);
    struct layout_image image;

    TAP_OK(made_open(&image, "oci:", made_directory(&made), "", "amd64"), err);
    TAP_STR(image.config_digest, made_digest(image.config));
    TAP_INT(image.config_length, strlen(image.config));
    TAP_TRUE(made_blob_name(image.digest) && strncmp(image.digest, "sha256:", 7) == 0);
    TAP_STR(image.platform.architecture, "amd64");
    layout_close(&image);
}

int main(void)
{
    made_begin();
    test_errors();
    test_descriptors();
    test_failure();
    test_limit();
    test_digests();
    made_end();
    return tap_done();
}
