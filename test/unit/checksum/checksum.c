#include "checksum/checksum.h"

#include "../../tap.h"

static const char *hash_of(const char *like, const char *text, char out[CHECKSUM_TEXT])
{
    struct checksum hash = {0};

    checksum_begin(&hash, like);
    checksum_add(&hash, text, strlen(text) / 2);
    checksum_add(&hash, text + strlen(text) / 2, strlen(text) - strlen(text) / 2);
    checksum_end(&hash, out);
    return out;
}

int main(void)
{
    char text[CHECKSUM_TEXT];
    struct checksum hash = {0};

    /* FIPS 180-4's "abc", and nothing */
    TAP_STR(hash_of("sha256:", "abc", text),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    TAP_STR(hash_of("sha256:", "", text),
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    TAP_STR(hash_of("sha512:", "abc", text),
            "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
    TAP_STR(checksum_of(text, "sha256:", "abc", 3),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    checksum_begin(&hash, "sha256:");
    checksum_begin(&hash, "sha512:");
    checksum_drop(&hash);
    checksum_add(&hash, "x", 1);
    checksum_end(&hash, text);
    TAP_STR(text, "");
    return tap_done();
}
