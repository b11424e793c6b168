/* gzip with zlib, where there is no ISA-L. */
#include "layer/decoder.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

struct gzip {
    z_stream stream;
    int ended; /* the next byte begins a member */
};

/* For inflateInit2(): the largest window, and a gzip header and trailer around it. */
enum { GZIP_WINDOW = 15 + 16 };

static enum decoder_result gzip_step(void *opaque, struct decoder_step *step)
{
    struct gzip *gzip = opaque;
    z_stream *stream = &gzip->stream;
    size_t input = step->input_left < INT_MAX ? step->input_left : INT_MAX;
    size_t room = step->room < INT_MAX ? step->room : INT_MAX;
    int result;

    if (gzip->ended && inflateReset(stream) != Z_OK)
        return DECODER_DAMAGED;
    /* The library does not write to its input. */
    stream->next_in = (Bytef *)(uintptr_t)step->input;
    stream->avail_in = (uInt)input;
    stream->next_out = step->output;
    stream->avail_out = (uInt)room;
    result = inflate(stream, Z_NO_FLUSH);
    step->input += input - stream->avail_in;
    step->input_left -= input - stream->avail_in;
    step->output += room - stream->avail_out;
    step->room -= room - stream->avail_out;
    gzip->ended = result == Z_STREAM_END;
    if (gzip->ended)
        return DECODER_END;
    return result == Z_OK || result == Z_BUF_ERROR ? DECODER_MORE : DECODER_DAMAGED;
}

static void gzip_destroy(void *opaque)
{
    struct gzip *gzip = opaque;

    inflateEnd(&gzip->stream);
    free(gzip);
}

void *decoder_zlib(const struct decoder **decoder)
{
    static const struct decoder gzip_decoder = {"gzip", gzip_step, gzip_destroy};
    struct gzip *gzip = calloc(1, sizeof(*gzip));

    *decoder = &gzip_decoder;
    if (gzip && inflateInit2(&gzip->stream, GZIP_WINDOW) != Z_OK) {
        free(gzip);
        return NULL;
    }
    return gzip;
}
