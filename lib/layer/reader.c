#include "layer/layer.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/magic.h"
#include "checksum/lane.h"
#include "layer/decoder.h"
#include "oci/descriptor.h"

enum {
    INPUT_ROOM = 256 * 1024,
    OUTPUT_ROOM = 256 * 1024,
    OUTPUTS = CHECKSUM_LANE_DEPTH + 1,
    TAR_BLOCK = 512,
    PIPE_PAUSE = 200 /* milliseconds */
};

struct layer_reader {
    struct layer layer;
    struct layer_copy *copy; /* NULL: none */
    uint64_t position;       /* of the range, that were read */
    uint64_t produced;       /* bytes of the tar so far */
    struct checksum range, tar;
    struct checksum_lane *lane;    /* makes the sum of the tar; NULL: it is made here */
    const struct decoder *decoder; /* NULL: a plain tar */
    void *state;
    const unsigned char *rest; /* of input[], not decoded yet */
    size_t rest_length;
    int between; /* members: the range may end here */
    int failed;
    unsigned current; /* of outputs[], that is filled next */
    unsigned char input[INPUT_ROOM];
    unsigned char outputs[OUTPUTS][OUTPUT_ROOM];
};

/* EXPECTED may be NULL: then nothing is to be compared. */
static int begin_sum(struct checksum *sum, const char *expected, struct err *err)
{
    if (!expected)
        return 0;
    if (!oci_digest_is_valid(expected))
        return err_set(err, ERR_DIGEST,
                       "\"%.200s\" is not a digest that can be checked: sha256 or sha512, a colon, and the "
                       "hexadecimal digits in lower case",
                       expected);
    checksum_begin(sum, expected);
    return sum->context ? 0 : err_set(err, ERR_NO_MEMORY, "no memory to check the digest of a layer");
}

static int compare_sum(struct checksum *sum, const char *expected, const char *what, struct err *err)
{
    char text[CHECKSUM_TEXT];

    if (!expected)
        return 0;
    checksum_end(sum, text);
    if (strcmp(text, expected) == 0)
        return 0;
    return err_set(err, ERR_DIGEST,
                   "%s has the digest %s instead of %s: it was damaged or changed on its way; fetch it again",
                   what, text, expected);
}

/* What is read, for messages: who names a layer's image has not named the layer. */
static const char *subject(const struct layer_reader *reader)
{
    return reader->layer.is_tar ? "it" : "the layer";
}

/* input[] filled from the stream: how much, 0 at its end, or -1. */
static ssize_t fill_from_stream(struct layer_reader *reader, struct err *err)
{
    struct layer_stream *stream = reader->layer.stream;
    size_t got = 0;

    while (got < INPUT_ROOM) {
        ssize_t n = stream->read(stream, reader->input + got, INPUT_ROOM - got, err);

        if (n < 0)
            return -1;
        if (n == 0)
            break;
        got += (size_t)n;
    }
    return (ssize_t)got;
}

/* The same from the range. */
static ssize_t fill_from_range(struct layer_reader *reader, struct err *err)
{
    uint64_t left = reader->layer.size - reader->position;
    size_t wanted = left < INPUT_ROOM ? (size_t)left : INPUT_ROOM;
    size_t got = 0;

    while (got < wanted) {
        ssize_t n = pread(reader->layer.fd, reader->input + got, wanted - got,
                          (off_t)(reader->layer.offset + reader->position + got));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(err, ERR_IMAGE_UNREADABLE, "%s cannot be read: %s", subject(reader),
                           err_reason(errno));
        if (n == 0)
            return err_set(err, ERR_LAYER,
                           "%s is cut off: its file ends at byte %llu of %llu; fetch it again",
                           subject(reader), (unsigned long long)(reader->position + got),
                           (unsigned long long)reader->layer.size);
        got += (size_t)n;
    }
    return (ssize_t)got;
}

/* Fills input[] anew. 0 or -1; rest_length is 0 at the end of the range. */
static int refill(struct layer_reader *reader, struct err *err)
{
    ssize_t got = reader->layer.stream ? fill_from_stream(reader, err) : fill_from_range(reader, err);

    if (got < 0)
        return -1;
    if (got && reader->copy && reader->copy->write(reader->copy, reader->input, (size_t)got, err) < 0)
        return -1;
    checksum_add(&reader->range, reader->input, (size_t)got);
    reader->position += (uint64_t)got;
    reader->rest = reader->input;
    reader->rest_length = (size_t)got;
    return 0;
}

/* Whether BLOCK begins a tar: its checksum is right, or it is the end of an empty one. */
static int is_tar_block(const unsigned char *block)
{
    unsigned sum = 0, wanted = 0;
    int empty = 1;

    for (int i = 0; i < TAR_BLOCK; i++) {
        sum += i >= 148 && i < 156 ? ' ' : block[i];
        empty &= block[i] == 0;
    }
    if (empty)
        return 1;
    for (int i = 148; i < 156; i++) {
        if (block[i] >= '0' && block[i] <= '7')
            wanted = wanted * 8 + (unsigned)(block[i] - '0');
    }
    return sum == wanted;
}

#ifdef HAVE_ISAL
#define decoder_gzip decoder_isal
#else
#define decoder_gzip decoder_zlib
#endif

#ifndef HAVE_LZMA
#define decoder_xz NULL
#endif
#ifndef HAVE_BZIP2
#define decoder_bzip2 NULL
#endif

static const struct {
    const char *magic;
    const char *name;                              /* of what no layer may be compressed with; NULL: it may */
    void *(*open)(const struct decoder **decoder); /* NULL: it is not read at all */
} formats[] = {
    {MAGIC_GZIP, NULL, decoder_gzip},      {MAGIC_ZSTD, NULL, decoder_zstd}, {MAGIC_XZ, "xz", decoder_xz},
    {MAGIC_BZIP2, "bzip2", decoder_bzip2}, {MAGIC_LZ4, "lz4", NULL},         {"PK\x03\x04", "zip", NULL},
};

static int refuse_format(const struct layer_reader *reader, const char *name, struct err *err)
{
    if (reader->layer.is_tar)
        return err_set(err, ERR_LAYER, "it is compressed with %s, which is not read here; undo that first",
                       name);
    return err_set(err, ERR_LAYER,
                   "the layer is compressed with %s; layers are plain, gzip or zstd: "
                   "convert the image first, for example with skopeo",
                   name);
}

static int is_skippable_frame(const unsigned char *bytes, size_t length)
{
    return length >= 4 && (bytes[0] & 0xF0) == 0x50 && memcmp(bytes + 1, "\x2A\x4D\x18", 3) == 0;
}

/* Finds out how the range is compressed. An empty one is an empty tar. 0 or -1. */
static int recognise(struct layer_reader *reader, struct err *err)
{
    const unsigned char *bytes = reader->rest;
    size_t length = reader->rest_length;
    void *(*open)(const struct decoder **decoder) = NULL;

    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        if (!magic_is(bytes, length, 0, formats[i].magic))
            continue;
        if (formats[i].name && (!reader->layer.is_tar || !formats[i].open))
            return refuse_format(reader, formats[i].name, err);
        open = formats[i].open;
    }
    if (is_skippable_frame(bytes, length))
        open = decoder_zstd;
    if (!open && length && (length < TAR_BLOCK || !is_tar_block(bytes)))
        return err_set(err, ERR_LAYER, "%s is neither a tar archive nor one compressed with %s",
                       subject(reader), reader->layer.is_tar ? "gzip, zstd, xz or bzip2" : "gzip or zstd");
    if (!open)
        return 0;
    reader->state = open(&reader->decoder);
    if (!reader->state)
        return err_set(err, ERR_NO_MEMORY, "no memory to read a layer");
    return 0;
}

/* Asks now and then, while nothing comes, whether it is waited for. 0 or -1. */
static int await_bytes(const struct layer_pipe *pipe, struct err *err)
{
    struct pollfd polled = {.fd = pipe->fd, .events = POLLIN};

    int ready = !pipe->go_on;

    while (!ready) {
        if (pipe->go_on(err) < 0)
            return -1;
        ready = poll(&polled, 1, PIPE_PAUSE);
        if (ready < 0 && errno == EINTR)
            ready = 0;
    }
    return 0;
}

static ssize_t read_pipe(struct layer_stream *stream, void *bytes, size_t room, struct err *err)
{
    struct layer_pipe *pipe = (struct layer_pipe *)stream;
    ssize_t n;

    do {
        if (await_bytes(pipe, err) < 0)
            return -1;
        n = read(pipe->fd, bytes, room);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return err_set(err, ERR_IMAGE_UNREADABLE, "the layer cannot be read: %s", err_reason(errno));
    if (n == 0 && !pipe->has_begun)
        return err_set(err, ERR_IMAGE_UNREADABLE,
                       "nothing comes through the pipe; has the program that should write to it failed?");
    pipe->has_begun = 1;
    return n;
}

struct layer layer_of_pipe(struct layer_pipe *pipe, int fd)
{
    *pipe = (struct layer_pipe){.stream.read = read_pipe, .fd = fd};
    return (struct layer){.fd = -1, .stream = &pipe->stream};
}

/* A range that can be, or a stream that nobody has read from. 0 or -1. */
static int check_place(const struct layer *layer, struct err *err)
{
    if (!layer->stream && (layer->size > INT64_MAX || layer->offset > INT64_MAX - layer->size))
        return err_set(err, ERR_LAYER, "the layer's place in its file is beyond any file");
    if (layer->stream && layer->stream->begun)
        return err_set(err, ERR_LAYER,
                       "it is needed a second time, but what comes through a pipe can be read only once; "
                       "make a file of it first");
    if (layer->stream)
        layer->stream->begun = 1;
    return 0;
}

struct layer_reader *layer_open(const struct layer *layer, struct err *err)
{
    return layer_open_copy(layer, NULL, err);
}

struct layer_reader *layer_open_copy(const struct layer *layer, struct layer_copy *copy, struct err *err)
{
    struct layer_reader *reader = malloc(sizeof(*reader));

    if (!reader) {
        err_set(err, ERR_NO_MEMORY, "no memory to read a layer");
        return NULL;
    }
    memset(reader, 0, offsetof(struct layer_reader, input));
    reader->layer = *layer;
    reader->copy = copy;
    if (check_place(layer, err) < 0)
        goto fail;
    if (begin_sum(&reader->range, layer->digest, err) < 0 || begin_sum(&reader->tar, layer->diff_id, err) < 0)
        goto fail;
    if (refill(reader, err) < 0 || recognise(reader, err) < 0)
        goto fail;
    if (reader->decoder && reader->tar.context)
        reader->lane = checksum_lane_start(&reader->tar);
    return reader;
fail:
    layer_close(reader);
    return NULL;
}

static int is_zero(const unsigned char *bytes, size_t length)
{
    return length == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0);
}

/* Some tools fill up with zeros behind the last member. 0, or -1: it is something else. */
static int skip_padding(struct layer_reader *reader, struct err *err)
{
    do {
        if (!is_zero(reader->rest, reader->rest_length))
            return err_set(err, ERR_LAYER, "%s goes on behind the end of its %s data", subject(reader),
                           reader->decoder->name);
        reader->rest_length = 0;
        if (refill(reader, err) < 0)
            return -1;
    } while (reader->rest_length);
    return 0;
}

static int decode(struct layer_reader *reader, size_t *length, struct err *err)
{
    struct decoder_step step = {.output = reader->outputs[reader->current], .room = OUTPUT_ROOM};

    while (step.room == OUTPUT_ROOM) {
        if (reader->rest_length == 0 && refill(reader, err) < 0)
            return -1;
        if (reader->rest_length == 0 && reader->between)
            break;
        if (reader->between && reader->rest[0] == 0)
            return skip_padding(reader, err);
        step.input = reader->rest;
        step.input_left = reader->rest_length;
        switch (reader->decoder->step(reader->state, &step)) {
        case DECODER_DAMAGED:
            return err_set(err, ERR_LAYER, "%s %s data is damaged near byte %llu; fetch it again",
                           reader->layer.is_tar ? "its" : "the layer's", reader->decoder->name,
                           (unsigned long long)(reader->position - step.input_left));
        case DECODER_TOO_LARGE:
            return err_set(
                err, ERR_LAYER,
                "its %s data needs more memory than the %d MiB that it is given; compress it anew, "
                "with a smaller window",
                reader->decoder->name, 1 << (LAYER_WINDOW - 20));
        case DECODER_NO_MEMORY:
            return err_set(err, ERR_NO_MEMORY, "no memory to read a layer");
        case DECODER_END:
            reader->between = 1;
            break;
        case DECODER_MORE:
            reader->between = 0;
            if (step.input_left == reader->rest_length && step.room == OUTPUT_ROOM)
                return err_set(err, ERR_LAYER, "%s is cut off: its %s data has no end; fetch it again",
                               subject(reader), reader->decoder->name);
            break;
        }
        reader->rest = step.input;
        reader->rest_length = step.input_left;
    }
    *length = OUTPUT_ROOM - step.room;
    return 0;
}

static int read_some(struct layer_reader *reader, const void **bytes, size_t *length, struct err *err)
{
    *length = 0;
    if (reader->decoder) {
        *bytes = reader->outputs[reader->current];
        return decode(reader, length, err);
    }
    if (reader->rest_length == 0 && refill(reader, err) < 0)
        return -1;
    *bytes = reader->rest;
    *length = reader->rest_length;
    reader->rest_length = 0;
    return 0;
}

/* A lane reads the output while the next is filled. */
static void add_to_tar_sum(struct layer_reader *reader, const void *bytes, size_t length)
{
    if (!reader->lane) {
        checksum_add(&reader->tar, bytes, length);
        return;
    }
    checksum_lane_add(reader->lane, bytes, length);
    reader->current = (reader->current + 1) % OUTPUTS;
}

static void end_lane(struct layer_reader *reader)
{
    checksum_lane_end(reader->lane);
    reader->lane = NULL;
}

int layer_read(struct layer_reader *reader, const void **bytes, size_t *length, struct err *err)
{
    if (reader->failed)
        return err_set(err, ERR_LAYER, "the layer could not be read");
    reader->failed = 1;
    if (read_some(reader, bytes, length, err) < 0)
        return -1;
    reader->produced += *length;
    if (reader->produced > LAYER_TAR_LIMIT)
        return err_set(err, ERR_LAYER, "%s becomes more than %llu GiB when it is unpacked", subject(reader),
                       (unsigned long long)(LAYER_TAR_LIMIT >> 30));
    add_to_tar_sum(reader, *bytes, *length);
    reader->failed = 0;
    return 0;
}

int layer_finish(struct layer_reader *reader, struct err *err)
{
    const void *bytes;
    size_t length;

    do {
        if (layer_read(reader, &bytes, &length, err) < 0)
            return -1;
    } while (length);
    end_lane(reader);
    if (compare_sum(&reader->range, reader->layer.digest, "the layer", err) < 0)
        return -1;
    return compare_sum(&reader->tar, reader->layer.diff_id, "what is in the layer", err);
}

int layer_check_header(uint64_t length, struct err *err)
{
    return length <= LAYER_HEADER_LIMIT
               ? 0
               : err_set(err, ERR_LAYER,
                         "an entry's headers, or the map of its holes, have more than %d MiB: make the tar "
                         "without --sparse",
                         LAYER_HEADER_LIMIT >> 20);
}

const char *layer_compression(const struct layer_reader *reader)
{
    return reader->decoder ? reader->decoder->name : NULL;
}

uint64_t layer_position(const struct layer_reader *reader)
{
    return reader->position;
}

int layer_refuse_empty(struct err *err)
{
    return err_set(err, ERR_IMAGE_EMPTY, "there is no file in it; was it made of the wrong directory?");
}

void layer_close(struct layer_reader *reader)
{
    if (!reader)
        return;
    if (reader->state)
        reader->decoder->destroy(reader->state);
    end_lane(reader);
    checksum_drop(&reader->range);
    checksum_drop(&reader->tar);
    free(reader);
}
