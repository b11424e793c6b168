#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "pack/squashfs.h"

/* Half of a SHA-256 is enough: an image's author could only confuse his own files. */
enum { DIGEST_LENGTH = 16, CHUNK = 1024, FIRST_ROOM = 4096 };

struct named {
    unsigned char digest[DIGEST_LENGTH];
    uint64_t handle; /* 0: free */
};

struct contents {
    struct content **chunks; /* of CHUNK: their addresses stay */
    size_t chunk_count;
    uint64_t count;
    struct named *named;
    size_t named_count, mask;
};

struct contents *contents_create(void)
{
    struct contents *contents = calloc(1, sizeof(*contents));

    if (!contents)
        return NULL;
    contents->mask = FIRST_ROOM - 1;
    contents->named = calloc(FIRST_ROOM, sizeof(*contents->named));
    if (contents->named)
        return contents;
    free(contents);
    return NULL;
}

void contents_destroy(struct contents *contents)
{
    if (!contents)
        return;
    for (uint64_t handle = 1; handle <= contents->count; handle++)
        free(contents_get(contents, handle)->inode);
    for (size_t i = 0; i < contents->chunk_count; i++)
        free(contents->chunks[i]);
    free(contents->chunks);
    free(contents->named);
    free(contents);
}

uint64_t contents_count(const struct contents *contents)
{
    return contents->count;
}

struct content *contents_get(const struct contents *contents, uint64_t handle)
{
    return &contents->chunks[(handle - 1) / CHUNK][(handle - 1) % CHUNK];
}

struct content *contents_add(struct contents *contents, uint64_t *handle)
{
    if (contents->count == contents->chunk_count * CHUNK) {
        struct content **chunks = reallocarray(contents->chunks, contents->chunk_count + 1, sizeof(*chunks));

        if (!chunks)
            return NULL;
        contents->chunks = chunks;
        chunks[contents->chunk_count] = calloc(CHUNK, sizeof(**chunks));
        if (!chunks[contents->chunk_count])
            return NULL;
        contents->chunk_count++;
    }
    *handle = ++contents->count;
    return contents_get(contents, *handle);
}

static size_t first_place(const unsigned char *digest, size_t mask)
{
    size_t place;

    memcpy(&place, digest, sizeof(place));
    return place & mask;
}

static int grow(struct contents *contents)
{
    size_t room = (contents->mask + 1) * 2;
    struct named *named = calloc(room, sizeof(*named));

    if (!named)
        return -1;
    for (size_t i = 0; i <= contents->mask; i++) {
        if (contents->named[i].handle) {
            size_t at = first_place(contents->named[i].digest, room - 1);

            while (named[at].handle)
                at = (at + 1) & (room - 1);
            named[at] = contents->named[i];
        }
    }
    free(contents->named);
    contents->named = named;
    contents->mask = room - 1;
    return 0;
}

int contents_find(struct contents *contents, const void *bytes, size_t length, uint64_t *handle)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    size_t at;

    *handle = 0;
    if (contents->named_count * 2 > contents->mask && grow(contents) < 0)
        return -1;
    if (EVP_Digest(bytes, length, digest, NULL, EVP_sha256(), NULL) != 1)
        return -1;
    for (at = first_place(digest, contents->mask); contents->named[at].handle;
         at = (at + 1) & contents->mask) {
        if (memcmp(contents->named[at].digest, digest, DIGEST_LENGTH) == 0) {
            *handle = contents->named[at].handle;
            return 0;
        }
    }
    memcpy(contents->named[at].digest, digest, DIGEST_LENGTH);
    contents->named[at].handle = contents->count + 1;
    contents->named_count++;
    return 0;
}
