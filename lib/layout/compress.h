/* compress - a layer's tar becomes smaller while it is written. For the files of this room. */
#ifndef CORACLE_LAYOUT_COMPRESS_H
#define CORACLE_LAYOUT_COMPRESS_H

#include <stddef.h>

#include "base/err.h"
#include "layout/write.h"

struct compressor;

/* LEVEL 0: the usual one. NULL: ERR_USAGE (there is no such level) or ERR_NO_MEMORY. */
struct compressor *compressor_create(enum layout_compression compression, unsigned level, struct err *err);

/* Gives what comes out to PUT. IS_LAST: there is no more to come. 0, or -1 with ERR. */
typedef int compressor_put(void *data, const void *bytes, size_t length, struct err *err);
int compressor_add(struct compressor *compressor, const void *bytes, size_t length, int is_last,
                   compressor_put *put, void *data, struct err *err);

/* NULL is fine. */
void compressor_destroy(struct compressor *compressor);

#endif
