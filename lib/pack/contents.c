#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "pack/squashfs.h"

/*
 * A digest is the tag of AES-128-GCM over data that is only authenticated, with a random key
 * that nobody sees: two contents of less than a MiB, the largest block, have the same with a
 * chance of at most 2^-111, whoever made them (GHASH, NIST SP 800-38D). Processors with
 * instructions for AES make it several times faster than SHA-256.
 */
enum { DIGEST_LENGTH = 16, KEY_LENGTH = 16, IV_LENGTH = 12, CHUNK = 1024, FIRST_ROOM = 4096 };

/* The same each time: nothing is encrypted, and no tag leaves us. */
static const unsigned char fixed_iv[IV_LENGTH];

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
    EVP_CIPHER_CTX *digests;
};

static EVP_CIPHER_CTX *begin_digests(void)
{
    unsigned char key[KEY_LENGTH];
    EVP_CIPHER_CTX *digests = EVP_CIPHER_CTX_new();

    if (digests && RAND_bytes(key, sizeof(key)) == 1 &&
        EVP_EncryptInit_ex(digests, EVP_aes_128_gcm(), NULL, key, fixed_iv) == 1)
        return digests;
    EVP_CIPHER_CTX_free(digests);
    return NULL;
}

struct contents *contents_create(void)
{
    struct contents *contents = calloc(1, sizeof(*contents));

    if (!contents)
        return NULL;
    contents->mask = FIRST_ROOM - 1;
    contents->named = calloc(FIRST_ROOM, sizeof(*contents->named));
    contents->digests = begin_digests();
    if (contents->named && contents->digests)
        return contents;
    contents_destroy(contents);
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
    EVP_CIPHER_CTX_free(contents->digests);
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

static int digest_of(EVP_CIPHER_CTX *digests, const void *bytes, size_t length, unsigned char *digest)
{
    int ignored;

    if (EVP_EncryptInit_ex(digests, NULL, NULL, NULL, fixed_iv) == 1 &&
        EVP_EncryptUpdate(digests, NULL, &ignored, bytes, (int)length) == 1 &&
        EVP_EncryptFinal_ex(digests, digest, &ignored) == 1 &&
        EVP_CIPHER_CTX_ctrl(digests, EVP_CTRL_AEAD_GET_TAG, DIGEST_LENGTH, digest) == 1)
        return 0;
    return -1;
}

int contents_find(struct contents *contents, const void *bytes, size_t length, uint64_t *handle)
{
    unsigned char digest[DIGEST_LENGTH];
    size_t at;

    *handle = 0;
    if (contents->named_count * 2 > contents->mask && grow(contents) < 0)
        return -1;
    if (digest_of(contents->digests, bytes, length, digest) < 0)
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
