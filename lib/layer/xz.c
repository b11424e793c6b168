/* xz, of what users have packed themselves. */
#include "layer/decoder.h"
#include "layer/layer.h"

#include <lzma.h>
#include <stdlib.h>

/* Beside the dictionary the library takes some hundred kilobytes. */
#define MEMORY ((UINT64_C(1) << LAYER_WINDOW) + (UINT64_C(1) << 20))

struct xz {
    lzma_stream stream;
    int ended; /* the next byte begins a stream */
};

static lzma_ret begin(struct xz *xz)
{
    xz->ended = 0;
    return lzma_stream_decoder(&xz->stream, MEMORY, 0);
}

static enum decoder_result xz_step(void *opaque, struct decoder_step *step)
{
    struct xz *xz = opaque;
    lzma_stream *stream = &xz->stream;
    lzma_ret result;

    if (xz->ended && begin(xz) != LZMA_OK)
        return DECODER_NO_MEMORY;
    stream->next_in = step->input;
    stream->avail_in = step->input_left;
    stream->next_out = step->output;
    stream->avail_out = step->room;
    result = lzma_code(stream, LZMA_RUN);
    step->input = stream->next_in;
    step->input_left = stream->avail_in;
    step->output = stream->next_out;
    step->room = stream->avail_out;
    xz->ended = result == LZMA_STREAM_END;
    if (xz->ended)
        return DECODER_END;
    if (result == LZMA_MEMLIMIT_ERROR)
        return DECODER_TOO_LARGE;
    if (result == LZMA_MEM_ERROR)
        return DECODER_NO_MEMORY;
    return result == LZMA_OK || result == LZMA_BUF_ERROR ? DECODER_MORE : DECODER_DAMAGED;
}

static void xz_destroy(void *opaque)
{
    struct xz *xz = opaque;

    lzma_end(&xz->stream);
    free(xz);
}

void *decoder_xz(const struct decoder **decoder)
{
    static const struct decoder xz_decoder = {"xz", xz_step, xz_destroy};
    static const lzma_stream nothing = LZMA_STREAM_INIT;
    struct xz *xz = calloc(1, sizeof(*xz));

    *decoder = &xz_decoder;
    if (!xz)
        return NULL;
    xz->stream = nothing;
    if (begin(xz) == LZMA_OK)
        return xz;
    xz_destroy(xz);
    return NULL;
}
