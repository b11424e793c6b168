#include "oci/descriptor.h"

#include "sample.h"

/* Descriptors themselves are tried in manifest.c, where they stand. */
static void test_digest(void)
{
    static const struct {
        const char *text;
        int is_valid;
    } rows[] = {
        {SHA256, 1},
        {SHA512, 1},
        {"", 0},
        {":", 0},
        {"sha256", 0},
        {"sha256:", 0},
        {"sha256:0", 0},
        {"sha256:" HEX64 HEX64, 0},
        {"sha512:" HEX64, 0},
        {" sha256:" HEX64, 0},
        {"SHA256:" HEX64, 0},
        {"md5:" HEX64, 0},
        {SHA256 "\n", 0},
        {SHA256 "/../x", 0},
        {"sha384:" HEX64 "0123456789abcdef0123456789abcdef", 0},
        {"sha256+b64u:LCa0a2j_xo_5m0U8HTBBNBNCLXBkg7-g-YpeiGJm564", 0},
        {"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdeF", 0},
        {"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde/", 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap.row = rows[i].text;
        TAP_INT(oci_digest_is_valid(rows[i].text), rows[i].is_valid);
    }
    tap.row = NULL;
}

int main(void)
{
    (void)parse_as;
    (void)arena;
    (void)err;
    (void)document;
    test_digest();
    return tap_done();
}
