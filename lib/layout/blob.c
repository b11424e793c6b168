#include "layout/blob.h"

#include <string.h>

#include "checksum/checksum.h"
#include "oci/document.h"

/* "blobs/sha256/HEX" */
static const char *name_of(struct arena *arena, const char *digest)
{
    char *name = arena_join(arena, "blobs/", digest, NULL);

    *strchr(name, ':') = '/';
    return name;
}

int blob_verify(const struct source *source, const char *digest, const char *bytes, size_t length)
{
    char found[CHECKSUM_TEXT];

    if (strcmp(checksum_of(found, digest, bytes, length), digest) == 0)
        return 0;
    return err_set(source->err, ERR_DIGEST, "blob %s has the digest %s: it was changed; copy it again",
                   digest, found);
}

static int check_found(const struct source *source, const struct oci_descriptor *blob, int found,
                       uint64_t size)
{
    if (found < 0)
        return -1;
    if (!found)
        return err_set(source->err, ERR_IMAGE_DAMAGED, "blob %s is missing: the %s is not complete",
                       blob->digest, source->is_archive ? "archive" : "layout");
    if (size != blob->size)
        return err_set(source->err, ERR_IMAGE_DAMAGED,
                       "blob %s has %llu bytes, and %llu are said: it is not complete, or was changed",
                       blob->digest, (unsigned long long)size, (unsigned long long)blob->size);
    return 0;
}

int blob_read(struct source *source, const struct oci_descriptor *blob, const char **bytes)
{
    size_t length = 0;
    int found = source_read(source, name_of(source->arena, blob->digest), OCI_DOCUMENT_MAX, bytes, &length);

    if (check_found(source, blob, found, length) < 0)
        return -1;
    return blob_verify(source, blob->digest, *bytes, length);
}

int blob_find(struct source *source, const struct oci_descriptor *blob, struct extent *extent)
{
    int found = source_find(source, name_of(source->arena, blob->digest), extent);

    return check_found(source, blob, found, extent->size);
}
