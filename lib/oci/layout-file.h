/*
 * layout-file - the file oci-layout, which says that a directory is an OCI image layout.
 *
 * Source: OCI image-spec 1.1, image-layout.md.
 */
#ifndef CORACLE_OCI_LAYOUT_FILE_H
#define CORACLE_OCI_LAYOUT_FILE_H

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

/* 0 where it names a version that we read, 1.0.x; else -1 and ERR_IMAGE_MANIFEST, "oci-layout: ...". */
int oci_layout_file_check(const char *bytes, size_t length, struct arena *arena, struct err *err);

#endif
