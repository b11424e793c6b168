#include "layer/sum.h"

#include <openssl/evp.h>
#include <string.h>

enum { DIGEST_TEXT_LIMIT = sizeof("sha512:") + 2 * EVP_MAX_MD_SIZE };

static const struct {
    const char *prefix;
    size_t digits;
    const EVP_MD *(*function)(void);
} algorithms[] = {
    {"sha256:", 64, EVP_sha256},
    {"sha512:", 128, EVP_sha512},
};

static const EVP_MD *find_algorithm(const char *digest)
{
    for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
        size_t length = strlen(algorithms[i].prefix);

        if (strncmp(digest, algorithms[i].prefix, length) == 0 &&
            strspn(digest + length, "0123456789abcdef") == algorithms[i].digits &&
            strlen(digest + length) == algorithms[i].digits)
            return algorithms[i].function();
    }
    return NULL;
}

int sum_begin(struct sum *sum, const char *expected, struct err *err)
{
    const EVP_MD *algorithm;

    *sum = (struct sum){.expected = expected};
    if (!expected)
        return 0;
    algorithm = find_algorithm(expected);
    if (!algorithm)
        return err_set(err, ERR_DIGEST,
                       "\"%.200s\" is not a digest that can be checked: sha256 or sha512, a colon, and the "
                       "hexadecimal digits in lower case",
                       expected);
    sum->context = EVP_MD_CTX_new();
    if (!sum->context || EVP_DigestInit_ex(sum->context, algorithm, NULL) != 1) {
        sum_end(sum);
        return err_set(err, ERR_NO_MEMORY, "no memory to check the digest of a layer");
    }
    return 0;
}

void sum_add(struct sum *sum, const void *bytes, size_t length)
{
    if (sum->context)
        EVP_DigestUpdate(sum->context, bytes, length);
}

int sum_compare(struct sum *sum, const char *what, struct err *err)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[EVP_MAX_MD_SIZE];
    char text[DIGEST_TEXT_LIMIT];
    unsigned length = 0;
    char *end;

    if (!sum->context)
        return 0;
    EVP_DigestFinal_ex(sum->context, bytes, &length);
    end = stpncpy(text, sum->expected, strlen("sha256:"));
    for (unsigned i = 0; i < length; i++) {
        *end++ = digits[bytes[i] >> 4];
        *end++ = digits[bytes[i] & 15];
    }
    *end = '\0';
    if (strcmp(text, sum->expected) == 0)
        return 0;
    return err_set(err, ERR_DIGEST,
                   "%s has the digest %s instead of %s: it was damaged or changed on its way; fetch it again",
                   what, text, sum->expected);
}

void sum_end(struct sum *sum)
{
    EVP_MD_CTX_free(sum->context);
    sum->context = NULL;
}
