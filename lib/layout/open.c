#include <string.h>

#include "base/fd.h"
#include "layout/choose.h"
#include "oci/rootfs.h"

enum { LISTING_BYTES_MAX = 700 };

void listing_add(struct listing *listing, const char *item)
{
    if (listing->text.length > LISTING_BYTES_MAX) {
        listing->left_out++;
        return;
    }
    if (listing->text.length)
        str_add(&listing->text, ", ");
    str_add(&listing->text, item);
}

const char *listing_text(struct listing *listing)
{
    if (listing->left_out)
        str_addf(&listing->text, " and %zu more", listing->left_out);
    return str_text(&listing->text);
}

int choose_layers(const struct choice *choice, size_t count)
{
    struct layout_image *image = choice->image;
    struct oci_rootfs rootfs;

    if (oci_rootfs_parse(&rootfs, image->config, image->config_length, choice->arena, choice->err) < 0)
        return -1;
    if (rootfs.count != count)
        return err_set(choice->err, ERR_IMAGE_MANIFEST,
                       "the manifest has %zu layers, and the configuration rootfs.diff_ids of %zu", count,
                       rootfs.count);
    image->platform = rootfs.platform;
    image->layers = arena_alloc(choice->arena, count * sizeof(*image->layers));
    image->layer_count = count;
    for (size_t i = 0; i < count; i++)
        image->layers[i] = (struct layer){.fd = -1, .diff_id = rootfs.diff_ids[i]};
    return 0;
}

/* The source's descriptors become the image's. */
static void hand_out(struct source *source, struct layout_image *image)
{
    if (source->is_archive) {
        image->fds = arena_alloc(source->arena, sizeof(int));
        image->fds[0] = fd_steal(&source->fd);
        image->fd_count = 1;
    } else {
        image->fds = source->fds;
        image->fd_count = source->fd_count;
        source->fd_count = 0;
    }
}

/* What was recognised as an archive and had to be laid down may be either. */
static int is_of_docker(const struct source *source, enum reference_transport transport)
{
    const struct tar_entry *entry;
    struct err ignored;

    return transport == REFERENCE_DOCKER_ARCHIVE ||
           (transport == REFERENCE_PATH &&
            tar_find(&source->tar, "manifest.json", &entry, source->arena, &ignored) == 1);
}

int layout_open(struct layout_image *image, const struct reference *reference,
                const struct oci_platform *platform, int archive, struct arena *arena, struct err *err)
{
    struct source source;
    const struct choice choice = {&source, reference, platform, image, arena, err};
    int result;

    memset(image, 0, sizeof(*image));
    result = archive < 0
                 ? source_open(&source, reference->path, reference->transport != REFERENCE_OCI, arena, err)
                 : source_open_archive(&source, archive, arena, err);
    if (result == 0)
        result = is_of_docker(&source, reference->transport) ? choose_docker(&choice) : choose_oci(&choice);
    if (result == 0)
        hand_out(&source, image);
    source_close(&source);
    if (result < 0)
        return err_prefix(err, "image %s", str_quote(arena, reference_print(reference, arena)));
    return 0;
}

void layout_close(struct layout_image *image)
{
    for (size_t i = 0; i < image->fd_count; i++)
        fd_close(&image->fds[i]);
    image->fd_count = 0;
}
