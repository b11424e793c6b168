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
    if (ZSTD_isError(result))
        return ZSTD_getErrorCode(result) == ZSTD_error_frameParameter_windowTooLarge ? DECODER_TOO_LARGE
                                                                                     : DECODER_DAMAGED;
    return result == 0 ? DECODER_END : DECODER_MORE;
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
    if (stream && ZSTD_isError(ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, LAYER_ZSTD_WINDOW))) {
        ZSTD_freeDStream(stream);
        return NULL;
    }
    return stream;
}
