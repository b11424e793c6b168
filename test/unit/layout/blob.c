#include "layout/blob.h"

#include "made.h"

/* FIPS 180-2: of nothing, and of "abc". */
static const char empty_sha256[] = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
static const char abc_sha256[] = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
static const char abc_sha512[] = "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                                 "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";

static void test_blobs(void)
{
    const struct made made = {
        {{made_blob_name(abc_sha256), "abc", 3, '0', ""}, {made_blob_name(abc_sha512), "abd", 3, '0', ""}},
        2};
    const struct oci_descriptor good = {"x", abc_sha256, 3}, short_one = {"x", abc_sha256, 4},
                                changed = {"x", abc_sha512, 3}, missing = {"x", empty_sha256, 0};
    struct source source;
    struct extent extent;
    const char *bytes = NULL;

    TAP_OK(source_open(&source, made_directory(&made), 0, &arena, &err), err);
    TAP_OK(blob_read(&source, &good, &bytes), err);
    TAP_STR(bytes, "abc");
    TAP_OK(blob_find(&source, &good, &extent), err);
    TAP_INT(extent.size, 3);
    TAP_ERR(blob_read(&source, &short_one, &bytes), err, ERR_IMAGE_DAMAGED, "has 3 bytes, and 4 are said");
    TAP_ERR(blob_find(&source, &short_one, &extent), err, ERR_IMAGE_DAMAGED, "has 3 bytes, and 4 are said");
    TAP_ERR(blob_read(&source, &changed, &bytes), err, ERR_DIGEST, "it was changed; copy it again");
    TAP_OK(blob_find(&source, &changed, &extent), err); /* whoever reads it will see */
    TAP_ERR(blob_find(&source, &missing, &extent), err, ERR_IMAGE_DAMAGED,
            "is missing: the layout is not complete");
    TAP_OK(blob_verify(&source, abc_sha256, "abc", 3), err);
    TAP_ERR(blob_verify(&source, abc_sha256, "abc", 2), err, ERR_DIGEST, "has the digest sha256:");
    source_close(&source);
}

int main(void)
{
    made_begin();
    test_blobs();
    made_end();
    return tap_done();
}
