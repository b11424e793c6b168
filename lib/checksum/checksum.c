#include "checksum/checksum.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

void checksum_begin(struct checksum *sum, const char *like)
{
    const int is_512 = strncmp(like, "sha512:", 7) == 0;

    checksum_drop(sum);
    sum->algorithm = is_512 ? "sha512" : "sha256";
    sum->context = EVP_MD_CTX_new();
    if (sum->context && EVP_DigestInit_ex(sum->context, is_512 ? EVP_sha512() : EVP_sha256(), NULL) != 1)
        checksum_drop(sum);
}

void checksum_add(struct checksum *sum, const void *bytes, size_t length)
{
    if (sum->context && EVP_DigestUpdate(sum->context, bytes, length) != 1)
        checksum_drop(sum);
}

void checksum_end(struct checksum *sum, char text[CHECKSUM_TEXT])
{
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    int used;

    *text = 0;
    if (!sum->context || EVP_DigestFinal_ex(sum->context, raw, &length) != 1)
        length = 0;
    if (length) {
        used = snprintf(text, CHECKSUM_TEXT, "%s:", sum->algorithm);
        for (unsigned i = 0; i < length && i < 64; i++)
            used += snprintf(text + used, (size_t)(CHECKSUM_TEXT - used), "%02x", raw[i]);
    }
    checksum_drop(sum);
}

void checksum_drop(struct checksum *sum)
{
    EVP_MD_CTX_free(sum->context);
    sum->context = NULL;
}

const char *checksum_of(char text[CHECKSUM_TEXT], const char *like, const void *bytes, size_t length)
{
    struct checksum sum = {0};

    checksum_begin(&sum, like);
    checksum_add(&sum, bytes, length);
    checksum_end(&sum, text);
    return text;
}
