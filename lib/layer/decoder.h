/*
 * decoder - undoes one kind of compression, step by step.
 */
#ifndef CORACLE_LAYER_DECODER_H
#define CORACLE_LAYER_DECODER_H

#include <stddef.h>

enum decoder_result {
    DECODER_MORE,      /* wants more input or more room */
    DECODER_END,       /* a member or frame is complete; another may begin with the next byte */
    DECODER_DAMAGED,   /* this is not what it should be */
    DECODER_TOO_LARGE, /* its window has more bytes than 2^LAYER_WINDOW: layer.h */
    DECODER_NO_MEMORY,
};

/* Moves on as it is used up and filled. */
struct decoder_step {
    const unsigned char *input;
    size_t input_left;
    unsigned char *output;
    size_t room;
};

struct decoder {
    const char *name; /* "gzip" */
    enum decoder_result (*step)(void *state, struct decoder_step *step);
    void (*destroy)(void *state);
};

/* Sets *DECODER and returns the state to give to it, or NULL: no memory. */
void *decoder_isal(const struct decoder **decoder); /* gzip, twice as fast as the next */
void *decoder_zlib(const struct decoder **decoder);
void *decoder_zstd(const struct decoder **decoder);
void *decoder_xz(const struct decoder **decoder);
void *decoder_bzip2(const struct decoder **decoder);

#endif
