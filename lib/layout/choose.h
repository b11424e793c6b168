/* choose - which image of a source, and its parts. For the files of this room. */
#ifndef CORACLE_LAYOUT_CHOOSE_H
#define CORACLE_LAYOUT_CHOOSE_H

#include "base/str.h"
#include "layout/layout.h"
#include "layout/source.h"

struct choice {
    struct source *source;
    const struct reference *reference;
    const struct oci_platform *platform;
    struct layout_image *image; /* to be filled */
    struct arena *arena;
    struct err *err;
};

/* An OCI image layout; a docker-archive. 0, or -1 and an error. */
int choose_oci(const struct choice *choice);
int choose_docker(const struct choice *choice);

/*
 * Reads what the configuration (image->config) says and makes room for the layers, which are
 * COUNT by the manifest, with their diff_ids.
 */
int choose_layers(const struct choice *choice, size_t count);

/* Adds ITEM to a list for messages, as long as that is short; says at its end what was left out. */
struct listing {
    struct str text;
    size_t left_out;
};
void listing_add(struct listing *listing, const char *item);
const char *listing_text(struct listing *listing);

#endif
