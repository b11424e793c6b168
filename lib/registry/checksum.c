#include "registry/checksum.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

int checksum_is_digest(const char *text)
{
    size_t digits = strncmp(text, "sha256:", 7) == 0 ? 64 : strncmp(text, "sha512:", 7) == 0 ? 128 : 0;

    return digits && strlen(text) == 7 + digits && strspn(text + 7, "0123456789abcdef") == digits;
}

void checksum_begin(struct checksum *hash, const char *digest)
{
    const int is_512 = strncmp(digest, "sha512:", 7) == 0;

    checksum_drop(hash);
    hash->algorithm = is_512 ? "sha512" : "sha256";
    hash->context = EVP_MD_CTX_new();
    if (hash->context && EVP_DigestInit_ex(hash->context, is_512 ? EVP_sha512() : EVP_sha256(), NULL) != 1)
        checksum_drop(hash);
}

void checksum_add(struct checksum *hash, const void *bytes, size_t length)
{
    if (hash->context && EVP_DigestUpdate(hash->context, bytes, length) != 1)
        checksum_drop(hash);
}

void checksum_end(struct checksum *hash, char text[CHECKSUM_TEXT])
{
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    int used;

    *text = 0;
    if (!hash->context || EVP_DigestFinal_ex(hash->context, raw, &length) != 1)
        length = 0;
    if (length) {
        used = snprintf(text, CHECKSUM_TEXT, "%s:", hash->algorithm);
        for (unsigned i = 0; i < length && i < 64; i++)
            used += snprintf(text + used, (size_t)(CHECKSUM_TEXT - used), "%02x", raw[i]);
    }
    checksum_drop(hash);
}

void checksum_drop(struct checksum *hash)
{
    EVP_MD_CTX_free(hash->context);
    hash->context = NULL;
}
