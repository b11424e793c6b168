#include "layout/blob.h"

#include <openssl/evp.h>
#include <string.h>

#include "oci/document.h"

/* "blobs/sha256/HEX" */
static const char *name_of(struct arena *arena, const char *digest)
{
    char *name = arena_join(arena, "blobs/", digest, NULL);

    *strchr(name, ':') = '/';
    return name;
}

void blob_digest(char digest[BLOB_DIGEST_MAX], const char *like, const void *bytes, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    const int is_sha512 = strncmp(like, "sha512:", strlen("sha512:")) == 0;
    unsigned char value[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    char *out = digest + strlen("sha256:");

    memcpy(digest, is_sha512 ? "sha512:" : "sha256:", strlen("sha256:"));
    /* It fails where the library lacks the algorithm: no digest then, which equals none. */
    if (!EVP_Digest(bytes, length, value, &size, is_sha512 ? EVP_sha512() : EVP_sha256(), NULL))
        size = 0;
    for (unsigned i = 0; i < size; i++) {
        *out++ = digits[value[i] >> 4];
        *out++ = digits[value[i] & 15];
    }
    *out = '\0';
}

int blob_verify(const struct source *source, const char *digest, const char *bytes, size_t length)
{
    char found[BLOB_DIGEST_MAX];

    blob_digest(found, digest, bytes, length);
    if (strcmp(found, digest) == 0)
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
