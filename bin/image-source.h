/*
 * image-source - an image as layers and a configuration, wherever it comes from.
 *
 *     image_source_open(&source, &reference, &options, arena, err)   which image it is
 *     image_source_fetch(&source, folder, err)                       its layers begin to come
 *     image_source_wait(&source, i, err)                             this one is here
 *     image_source_close(&source)
 *
 * What the layers hold is verified while they are read (layer/layer.h), the
 * configuration is verified already.
 */
#ifndef CORACLE_BIN_IMAGE_SOURCE_H
#define CORACLE_BIN_IMAGE_SOURCE_H

#include "base/arena.h"
#include "base/err.h"
#include "config/config.h"
#include "image-progress.h"
#include "image-registry.h"
#include "layout/layout.h"
#include "oci/platform.h"
#include "reference/reference.h"

struct image_source_options {
    struct oci_platform platform; /* of several this one, and no image of another */
    int platform_given;           /* by an option: what says that it is of another is refused everywhere */
    int any_platform;  /* an image of one platform is taken, whichever it is: it is looked at alone */
    const char *spool; /* the directory where an archive that is compressed is laid down; NULL: refused */
    const struct config *config; /* NULL: none */
    struct registry_overrides registry;
    char *const *environment;
    struct progress *progress; /* NULL: nobody is told */
};

struct image_source {
    const char *name; /* as it was given, quoted, for messages */
    const char
        *id; /* the digest of its configuration: the image has it wherever it lies; NULL: it has none */
    const char *digest;   /* of its manifest; NULL: a docker-archive has none */
    const char *manifest; /* byte for byte; NULL too */
    size_t manifest_length;
    const char *config; /* the configuration, byte for byte; NULL: none; of a registry: once it is fetched */
    size_t config_length;
    const struct layer *layers; /* the lowest first; of a registry: open once they are fetched */
    size_t layer_count;

    struct progress *progress;
    struct layout_image layout;      /* of an archive or a layout */
    struct image_download *download; /* of a registry */
    struct image_tree *tree;         /* of a directory or file without layers */
};

/*
 * What TEXT names: the path of something that is there, or what is written. 0, or -1 with
 * ERR_USAGE.
 */
int image_source_parse(struct reference *reference, const char *text, struct arena *arena, struct err *err);

/*
 * Finds the image that REFERENCE names (a registry's with its domain) and what it is. What
 * OPTIONS point at must stay. 0, or -1; image_source_close() in either case.
 */
int image_source_open(struct image_source *source, const struct reference *reference,
                      const struct image_source_options *options, struct arena *arena, struct err *err);

/*
 * Has the configuration here, and begins to have the layers: those of a registry are fetched
 * into FOLDER, which is made where it is missing and must be the caller's alone, else refused;
 * what an earlier call has left there is gone on with. 0 or -1: then what was fetched stays.
 */
int image_source_fetch(struct image_source *source, const char *folder, struct err *err);

/* Waits until layer INDEX is here and open. 0 or -1. */
int image_source_wait(const struct image_source *source, size_t index, struct err *err);

/* Fetches the configuration alone. */
int image_source_fetch_config(struct image_source *source, const char *folder, struct err *err);

/*
 * Whether one without a file is a mistake: a bare directory or tar. An image that says what it is may be
 * empty, as "FROM scratch" is.
 */
int image_source_needs_files(const struct image_source *source);

/* What is wrong with a layer is told with the image's name. Returns -1. */
int image_source_failed(const struct image_source *source, struct err *err);

/*
 * Whether an image that says that it is for PLATFORM ("" in it: it does not say) is for the one that
 * OPTIONS ask for. 0, or -1 with ERR_IMAGE_PLATFORM.
 */
int image_source_check_platform(const struct image_source *source, const struct oci_platform *platform,
                                const struct image_source_options *options, struct arena *arena,
                                struct err *err);

/* Warns of what of the source was left out; after its layers were read. */
void image_source_warn(const struct image_source *source);

/* Removes from the folder what was fetched, and the folder where nothing else is in it. */
void image_source_discard(struct image_source *source);

/* Tells the progress which layers there are; FIRST as in progress_layers(). */
void image_source_show_layers(const struct image_source *source, size_t first);

void image_source_close(struct image_source *source);

#endif
