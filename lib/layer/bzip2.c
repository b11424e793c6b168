/* bzip2, of what users have packed themselves. */
#include "layer/decoder.h"

#include <bzlib.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>

struct bzip2 {
    bz_stream stream;
    int begun;
};

static void end(struct bzip2 *bzip2)
{
    if (bzip2->begun)
        BZ2_bzDecompressEnd(&bzip2->stream);
    bzip2->begun = 0;
}

static enum decoder_result bzip2_step(void *opaque, struct decoder_step *step)
{
    struct bzip2 *bzip2 = opaque;
    bz_stream *stream = &bzip2->stream;
    const unsigned input = step->input_left < INT_MAX ? (unsigned)step->input_left : INT_MAX;
    const unsigned room = step->room < INT_MAX ? (unsigned)step->room : INT_MAX;
    int result;

    if (!bzip2->begun && BZ2_bzDecompressInit(stream, 0, 0) != BZ_OK)
        return DECODER_NO_MEMORY;
    bzip2->begun = 1;
    /* The library does not write to its input. */
    stream->next_in = (char *)(uintptr_t)step->input;
    stream->avail_in = input;
    stream->next_out = (char *)step->output;
    stream->avail_out = room;
    result = BZ2_bzDecompress(stream);
    step->input += input - stream->avail_in;
    step->input_left -= input - stream->avail_in;
    step->output += room - stream->avail_out;
    step->room -= room - stream->avail_out;
    if (result == BZ_STREAM_END) {
        end(bzip2);
        return DECODER_END;
    }
    if (result == BZ_MEM_ERROR)
        return DECODER_NO_MEMORY;
    return result == BZ_OK ? DECODER_MORE : DECODER_DAMAGED;
}

static void bzip2_destroy(void *opaque)
{
    end(opaque);
    free(opaque);
}

void *decoder_bzip2(const struct decoder **decoder)
{
    static const struct decoder bzip2_decoder = {"bzip2", bzip2_step, bzip2_destroy};

    *decoder = &bzip2_decoder;
    return calloc(1, sizeof(struct bzip2));
}
