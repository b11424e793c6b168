/*
 * Fuzz target: archives, as oci-archive: and docker-archive:. The bytes come from whoever
 * made the archive. Checksums of headers are set right first, or hardly a change would reach
 * what lies behind them. Finds crashes, leaks, open descriptors and results that break the
 * contract of lib/layout/layout.h.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "layout/layout.h"

enum { BLOCK = 512, SIZE_AT = 124, CHECKSUM_AT = 148 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void __attribute__((noreturn)) no_memory(void)
{
    abort();
}

static void check(int holds)
{
    if (!holds)
        abort();
}

static void set_checksum(uint8_t *block)
{
    unsigned sum = 0;

    memset(block + CHECKSUM_AT, ' ', 8);
    for (int i = 0; i < BLOCK; i++)
        sum += block[i];
    snprintf((char *)block + CHECKSUM_AT, 8, "%06o", sum & 0777777);
}

/* From header to header, by their sizes. */
static void set_checksums(uint8_t *bytes, size_t length)
{
    size_t at = 0;

    while (length - at >= BLOCK) {
        char size[12];

        if (bytes[at])
            set_checksum(bytes + at);
        memcpy(size, bytes + at + SIZE_AT, sizeof(size) - 1);
        size[sizeof(size) - 1] = '\0';
        at += BLOCK + (strtoul(size, NULL, 8) % (1ul << 31) + BLOCK - 1) / BLOCK * BLOCK;
        if (at > length)
            return;
    }
}

static void check_image(const struct layout_image *image, size_t length)
{
    check(image->config && strlen(image->config) <= image->config_length);
    check(strlen(image->config_digest) > strlen("sha256:"));
    check(image->platform.os && image->platform.architecture && image->platform.variant);
    for (size_t i = 0; i < image->layer_count; i++) {
        const struct layer *layer = &image->layers[i];

        check(layer->fd >= 0 && layer->offset <= length && layer->size <= length - layer->offset);
        check(layer->diff_id && (!layer->digest || strlen(layer->digest) == strlen(layer->diff_id) ||
                                 strlen(layer->digest) > strlen("sha256:")));
    }
}

static void open_as(enum reference_transport transport, int fd, size_t length, struct arena *arena)
{
    const struct oci_platform platform = oci_platform_make("linux", "amd64", "v3", arena);
    const struct reference reference = {
        .transport = transport, .path = arena_printf(arena, "/proc/self/fd/%d", fd), .index = -1};
    struct err err = {.id = ERR_COUNT};
    struct layout_image image;

    if (layout_open(&image, &reference, &platform, -1, arena, &err) == 0)
        check_image(&image, length);
    else
        check(err.id != ERR_COUNT && strncmp(err.text, "image ", strlen("image ")) == 0 &&
              str_is_utf8(err.text, strlen(err.text)));
    layout_close(&image);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    int fd = memfd_create("archive", MFD_CLOEXEC), next;
    uint8_t *copy = malloc(length ? length : 1);
    struct arena arena;

    check(fd >= 0 && copy);
    memcpy(copy, bytes, length);
    set_checksums(copy, length);
    check(fd_write_all(fd, copy, length) == 0);
    free(copy);
    arena_init(&arena, no_memory);
    open_as(REFERENCE_OCI_ARCHIVE, fd, length, &arena);
    open_as(REFERENCE_DOCKER_ARCHIVE, fd, length, &arena);
    arena_free(&arena);
    next = dup(fd);
    check(next == fd + 1); /* nothing was left open */
    close(next);
    close(fd);
    return 0;
}
