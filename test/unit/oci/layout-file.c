#include "oci/layout-file.h"

#include "../../tap.h"

static struct arena arena;
static struct err err;

static int check(const char *text)
{
    return oci_layout_file_check(text, strlen(text), &arena, &err);
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    TAP_OK(check("{\"imageLayoutVersion\": \"1.0.0\"}\n"), err);
    TAP_OK(check("{\"imageLayoutVersion\":\"1.0.1\",\"other\":1}"), err);
    TAP_ERR(check("{\"imageLayoutVersion\":\"1.1.0\"}"), err, ERR_IMAGE_MANIFEST,
            "oci-layout: imageLayoutVersion is 1.1.0");
    TAP_ERR(check("{\"imageLayoutVersion\":1}"), err, ERR_IMAGE_MANIFEST, "must be a string and is a number");
    TAP_ERR(check("{}"), err, ERR_IMAGE_MANIFEST, "imageLayoutVersion is missing");
    TAP_ERR(check("[]"), err, ERR_IMAGE_MANIFEST, "oci-layout: it must be an object and is an array");
    TAP_ERR(check(""), err, ERR_IMAGE_MANIFEST, "oci-layout: line 1, column 1");
    arena_free(&arena);
    return tap_done();
}
