/*
 * A docker-archive, by its manifest.json: configuration and layers are files of the archive
 * that it names. Docker's older forms have ID/layer.tar, of which some are links, and HEX.json;
 * newer ones blobs/sha256/HEX; other tools HEX.tar, HEX.tar.gz and sha256:HEX.
 */
#include <string.h>

#include "checksum/checksum.h"
#include "layout/blob.h"
#include "layout/choose.h"
#include "oci/document.h"
#include "oci/saved.h"

static int fail_no_manifest(const struct choice *choice)
{
    struct extent extent;

    if (source_find(choice->source, "index.json", &extent) == 1)
        return err_set(choice->err, ERR_IMAGE_UNKNOWN,
                       "it has no manifest.json but an index.json: this is an oci-archive:");
    if (source_find(choice->source, "repositories", &extent) == 1)
        return err_set(
            choice->err, ERR_IMAGE_UNKNOWN,
            "it has no manifest.json: Docker before 1.10 wrote it, which is too old; `docker load` "
            "and `docker save` make a newer one");
    return err_set(choice->err, ERR_IMAGE_UNKNOWN, "it has no manifest.json: `docker save` did not write it");
}

static int read_saved(const struct choice *choice, struct oci_saved *saved)
{
    const char *bytes;
    size_t length;
    int found = source_read(choice->source, "manifest.json", OCI_DOCUMENT_MAX, &bytes, &length);

    if (found <= 0)
        return found ? -1 : fail_no_manifest(choice);
    return oci_saved_parse(saved, bytes, length, choice->arena, choice->err);
}

static const char *skip_prefix(const char *text, const char *prefix)
{
    const size_t length = strlen(prefix);

    return strncmp(text, prefix, length) == 0 ? text + length : text;
}

/* NAME without what Docker adds to names of its own registry. */
static const char *familiar(const char *name)
{
    return skip_prefix(skip_prefix(skip_prefix(name, "index.docker.io/"), "docker.io/"), "library/");
}

/* Whether TAG, "REPOSITORY:TAG", is what the reference says. */
static int is_meant(const struct choice *choice, const char *tag)
{
    const struct reference *reference = choice->reference;
    const char *name = reference->repository;
    size_t length;

    if (reference->domain)
        name = arena_join(choice->arena, reference->domain, "/", name, NULL);
    name = familiar(name);
    tag = familiar(tag);
    length = strlen(name);
    if (strncmp(tag, name, length) != 0)
        return 0;
    if (!reference->tag)
        return tag[length] == '\0' || (tag[length] == ':' && !strchr(tag + length, '/'));
    return tag[length] == ':' && strcmp(tag + length + 1, reference->tag) == 0;
}

static int has_meant(const struct choice *choice, const struct oci_saved_image *image)
{
    for (size_t i = 0; i < image->tag_count; i++)
        if (is_meant(choice, image->tags[i]))
            return 1;
    return 0;
}

static const char *list_tags(const struct choice *choice, const struct oci_saved *saved)
{
    struct listing listing = {.text = {.arena = choice->arena}};

    for (size_t i = 0; i < saved->count; i++) {
        for (size_t j = 0; j < saved->images[i].tag_count; j++)
            listing_add(&listing, str_quote(choice->arena, saved->images[i].tags[j]));
        if (!saved->images[i].tag_count)
            listing_add(&listing, arena_printf(choice->arena, "@%zu", i));
    }
    return listing_text(&listing);
}

static const struct oci_saved_image *choose_image(const struct choice *choice, const struct oci_saved *saved)
{
    const struct reference *reference = choice->reference;
    const struct oci_saved_image *found = NULL;
    size_t count = 0;

    if (reference->index >= 0 && (size_t)reference->index < saved->count)
        return &saved->images[reference->index];
    for (size_t i = 0; i < saved->count; i++)
        if (reference->index < 0 && (!reference->repository || has_meant(choice, &saved->images[i]))) {
            found = &saved->images[i];
            count++;
        }
    if (count == 1)
        return found;
    if (!saved->count)
        err_set(choice->err, ERR_IMAGE_MISSING, "its manifest.json lists no image");
    else if (count)
        err_set(choice->err, ERR_IMAGE_AMBIGUOUS, "it holds several images: name one of %s, after a colon",
                list_tags(choice, saved));
    else
        err_set(choice->err, ERR_IMAGE_MISSING, "it does not hold that image; it holds %s",
                list_tags(choice, saved));
    return NULL;
}

/* The digest that a file's name says it has: blobs/sha256/HEX, sha256:HEX or HEX.json. NULL: it says none. */
static const char *digest_in(struct arena *arena, const char *name)
{
    static const char blobs[] = "blobs/";
    const size_t length = strlen(name), suffix = strlen(".json");
    char *digest = NULL;

    if (oci_digest_is_valid(name))
        return name;
    if (strncmp(name, blobs, strlen(blobs)) == 0 && strchr(name + strlen(blobs), '/')) {
        digest = arena_strdup(arena, name + strlen(blobs));
        *strchr(digest, '/') = ':';
    } else if (length > suffix && strcmp(name + length - suffix, ".json") == 0) {
        digest = arena_join(arena, "sha256:", name, NULL);
        digest[strlen(digest) - suffix] = '\0';
    }
    return digest && oci_digest_is_valid(digest) ? digest : NULL;
}

static int read_config(const struct choice *choice, const char *name)
{
    struct layout_image *image = choice->image;
    char digest[CHECKSUM_TEXT];
    int found = source_read(choice->source, name, OCI_DOCUMENT_MAX, &image->config, &image->config_length);

    if (found < 0)
        return -1;
    if (!found)
        return err_set(choice->err, ERR_IMAGE_DAMAGED, "%s is missing: the archive is not complete",
                       str_quote(choice->arena, name));
    image->config_digest = digest_in(choice->arena, name);
    if (image->config_digest)
        return blob_verify(choice->source, image->config_digest, image->config, image->config_length);
    image->config_digest =
        arena_strdup(choice->arena, checksum_of(digest, "sha256:", image->config, image->config_length));
    return 0;
}

static int find_layer(const struct choice *choice, const char *name, struct layer *layer)
{
    struct extent extent;
    int found = source_find(choice->source, name, &extent);

    if (found < 0)
        return -1;
    if (!found)
        return err_set(choice->err, ERR_IMAGE_DAMAGED, "layer %s is missing: the archive is not complete",
                       str_quote(choice->arena, name));
    layer->fd = extent.fd;
    layer->offset = extent.offset;
    layer->size = extent.size;
    if (strncmp(name, "blobs/", strlen("blobs/")) == 0)
        layer->digest = digest_in(choice->arena, name);
    return 0;
}

int choose_docker(const struct choice *choice)
{
    const struct oci_saved_image *saved_image;
    struct oci_saved saved;

    if (read_saved(choice, &saved) < 0)
        return -1;
    saved_image = choose_image(choice, &saved);
    if (!saved_image || read_config(choice, saved_image->config) < 0 ||
        choose_layers(choice, saved_image->layer_count) < 0)
        return -1;
    for (size_t i = 0; i < saved_image->layer_count; i++)
        if (find_layer(choice, saved_image->layers[i], &choice->image->layers[i]) < 0)
            return -1;
    return 0;
}
