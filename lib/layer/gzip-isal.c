/* gzip with ISA-L: twice as fast as zlib. */
#include "layer/decoder.h"

#include <isa-l/igzip_lib.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>

struct gzip {
    struct inflate_state state;
    int ended; /* the next byte begins a member */
};

static void begin_member(struct gzip *gzip)
{
    isal_inflate_reset(&gzip->state);
    gzip->state.crc_flag = ISAL_GZIP;
    gzip->ended = 0;
}

static enum decoder_result gzip_step(void *opaque, struct decoder_step *step)
{
    struct gzip *gzip = opaque;
    struct inflate_state *state = &gzip->state;
    size_t input = step->input_left < INT_MAX ? step->input_left : INT_MAX;
    size_t room = step->room < INT_MAX ? step->room : INT_MAX;
    int result;

    if (gzip->ended)
        begin_member(gzip);
    /* The library does not write to its input. */
    state->next_in = (uint8_t *)(uintptr_t)step->input;
    state->avail_in = (uint32_t)input;
    state->next_out = step->output;
    state->avail_out = (uint32_t)room;
    result = isal_inflate(state);
    step->input += input - state->avail_in;
    step->input_left -= input - state->avail_in;
    step->output += room - state->avail_out;
    step->room -= room - state->avail_out;
    if (result < 0 || result == ISAL_NEED_DICT)
        return DECODER_DAMAGED;
    gzip->ended = state->block_state == ISAL_BLOCK_FINISH;
    return gzip->ended ? DECODER_END : DECODER_MORE;
}

static void gzip_destroy(void *gzip)
{
    free(gzip);
}

void *decoder_isal(const struct decoder **decoder)
{
    static const struct decoder gzip_decoder = {"gzip", gzip_step, gzip_destroy};
    struct gzip *gzip = malloc(sizeof(*gzip));

    *decoder = &gzip_decoder;
    if (!gzip)
        return NULL;
    isal_inflate_init(&gzip->state);
    gzip->ended = 1;
    return gzip;
}
