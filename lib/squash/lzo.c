#include "squash/lzo.h"

#include <string.h>

/* How many literals the last instruction copied decides what the next one means. */
enum { MANY_LITERALS = 4 };

struct stream {
    const unsigned char *in, *in_end;
    unsigned char *out_start, *out, *out_end;
    unsigned state; /* 0 to 3 literals, or MANY_LITERALS */
};

static size_t left(const struct stream *stream)
{
    return (size_t)(stream->in_end - stream->in);
}

static int copy_literals(struct stream *stream, size_t length)
{
    if (length > left(stream) || length > (size_t)(stream->out_end - stream->out))
        return LZO_ERROR;
    memcpy(stream->out, stream->in, length);
    stream->in += length;
    stream->out += length;
    return LZO_OK;
}

/* Bytes that were written before; the copy may read what it writes. Then STATE literals. */
static int copy_match(struct stream *stream, size_t distance, size_t length, unsigned state)
{
    if (distance > (size_t)(stream->out - stream->out_start) ||
        length > (size_t)(stream->out_end - stream->out))
        return LZO_ERROR;
    for (const unsigned char *from = stream->out - distance; length; length--)
        *stream->out++ = *from++;
    stream->state = state;
    return copy_literals(stream, state);
}

/*
 * A length of BITS, or, where they are 0, BASE and a number of any size. 0: it is cut off or beyond
 * reason.
 */
static size_t long_length(struct stream *stream, unsigned bits, size_t base)
{
    size_t length = base;

    if (bits)
        return bits;
    while (left(stream) && !*stream->in) {
        stream->in++;
        length += 255;
    }
    if (!left(stream) || length > (size_t)(stream->out_end - stream->out_start) + base)
        return 0;
    return length + *stream->in++;
}

/* The two bytes behind the instruction: a distance of 14 bits, and how many literals follow. */
static int read_distance(struct stream *stream, size_t *distance, unsigned *state)
{
    unsigned value;

    if (left(stream) < 2)
        return LZO_ERROR;
    value = stream->in[0] | (unsigned)stream->in[1] << 8;
    stream->in += 2;
    *distance = value >> 2;
    *state = value & 3;
    return LZO_OK;
}

/* 0000xxxx */
static int literals_or_short_match(struct stream *stream, unsigned code)
{
    size_t length;
    unsigned high;

    if (stream->state == 0) {
        length = long_length(stream, code, 15);
        stream->state = MANY_LITERALS;
        return length ? copy_literals(stream, length + 3) : LZO_ERROR;
    }
    if (!left(stream))
        return LZO_ERROR;
    high = *stream->in++;
    if (stream->state == MANY_LITERALS)
        return copy_match(stream, ((size_t)high << 2) + (code >> 2) + 2049, 3, code & 3);
    return copy_match(stream, ((size_t)high << 2) + (code >> 2) + 1, 2, code & 3);
}

/* 0001HLLL; distance 16384 is the end. 1: it is. */
static int far_match(struct stream *stream, unsigned code)
{
    size_t length = long_length(stream, code & 7, 7), distance;
    unsigned state;

    if (!length || read_distance(stream, &distance, &state) < 0)
        return LZO_ERROR;
    distance += (size_t)(code & 8) << 11;
    return distance ? copy_match(stream, distance + 16384, length + 2, state) : 1;
}

/* 001LLLLL */
static int middle_match(struct stream *stream, unsigned code)
{
    size_t length = long_length(stream, code & 31, 31), distance;
    unsigned state;

    if (!length || read_distance(stream, &distance, &state) < 0)
        return LZO_ERROR;
    return copy_match(stream, distance + 1, length + 2, state);
}

/* 01LDDDSS and 1LLDDDSS */
static int near_match(struct stream *stream, unsigned code)
{
    size_t length = code >= 128 ? 5 + ((code >> 5) & 3) : 3 + ((code >> 5) & 1);

    if (!left(stream))
        return LZO_ERROR;
    return copy_match(stream, ((size_t)*stream->in++ << 3) + ((code >> 2) & 7) + 1, length, code & 3);
}

/* The first byte may be a number of literals. */
static int begin(struct stream *stream)
{
    unsigned first = left(stream) ? *stream->in : 0;

    if (first <= 17)
        return LZO_OK;
    stream->in++;
    first -= 17;
    stream->state = first < MANY_LITERALS ? first : MANY_LITERALS;
    return copy_literals(stream, first);
}

int lzo1x_decompress_safe(const unsigned char *in, size_t in_length, unsigned char *out, size_t *out_length,
                          void *work)
{
    struct stream stream = {in, in + in_length, out, out, out + *out_length, 0};
    int result = begin(&stream);

    (void)work;
    while (result == LZO_OK && left(&stream)) {
        unsigned code = *stream.in++;

        if (code < 16)
            result = literals_or_short_match(&stream, code);
        else if (code < 32)
            result = far_match(&stream, code);
        else if (code < 64)
            result = middle_match(&stream, code);
        else
            result = near_match(&stream, code);
    }
    *out_length = (size_t)(stream.out - stream.out_start);
    return result == 1 && !left(&stream) ? LZO_OK : LZO_ERROR;
}
