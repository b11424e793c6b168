/* zstd. The library goes over skippable frames by itself. */
#include "layer/decoder.h"
#include "layer/layer.h"

#include <zstd.h>
#include <zstd_errors.h>

static enum decoder_result zstd_step(void *state, struct decoder_step *step)
{
    ZSTD_inBuffer input = {step->input, step->input_left, 0};
    ZSTD_outBuffer output = {step->output, step->room, 0};
    size_t result = ZSTD_decompressStream(state, &output, &input);

    step->input += input.pos;
    step->input_left -= input.pos;
    step->output += output.pos;
    step->room -= output.pos;
    switch (ZSTD_getErrorCode(result)) {
    case ZSTD_error_no_error:
        return result == 0 ? DECODER_END : DECODER_MORE;
    case ZSTD_error_frameParameter_windowTooLarge:
        return DECODER_TOO_LARGE;
    case ZSTD_error_memory_allocation:
        return DECODER_NO_MEMORY;
    default:
        return DECODER_DAMAGED;
    }
}

static void zstd_destroy(void *state)
{
    ZSTD_freeDStream(state);
}

void *decoder_zstd(const struct decoder **decoder)
{
    static const struct decoder zstd_decoder = {"zstd", zstd_step, zstd_destroy};
    ZSTD_DStream *stream = ZSTD_createDStream();

    *decoder = &zstd_decoder;
    if (stream && ZSTD_isError(ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, LAYER_WINDOW))) {
        ZSTD_freeDStream(stream);
        return NULL;
    }
    return stream;
}
