/* image-download - the layers of an image in a registry, for image-source. */
#ifndef CORACLE_BIN_IMAGE_DOWNLOAD_H
#define CORACLE_BIN_IMAGE_DOWNLOAD_H

#include "image-source.h"

struct image_download;

/* As image_source_open(), image_source_fetch(): they fill SOURCE. 0 or -1. */
int image_download_open(struct image_source *source, const struct reference *reference,
                        const struct image_source_options *options, struct arena *arena, struct err *err);
int image_download_fetch(struct image_source *source, const char *folder, struct err *err);
/* As image_source_wait(). */
int image_download_wait(struct image_download *download, size_t index, struct err *err);

/* As image_source_fetch_config(). */
int image_download_config(struct image_source *source, const char *folder, struct err *err);

void image_download_discard(struct image_download *download);
void image_download_close(struct image_download *download);

#endif
