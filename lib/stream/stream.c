/* The thread that makes the tar, and the pipe to who reads it. */
#include "stream/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "stream/work.h"

/* Directories within each other take stack. */
enum { PIPE_SIZE = 1024 * 1024, STACK_SIZE = 32 * 1024 * 1024 };

static void *run(void *data)
{
    struct stream *stream = data;

    stream->result = tar_open(stream);
    if (stream->result == 0)
        stream->result = stream->make(stream);
    if (tar_close(stream) < 0)
        stream->result = -1;
    fd_close(&stream->output);
    return NULL;
}

/* Signals are for the program's first thread; a reader that is gone is EPIPE here. */
static int start(struct stream *stream, struct err *err)
{
    int ends[2], failed;
    pthread_attr_t attributes;
    sigset_t all, before;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_set(err, ERR_LIMIT, "no pipe can be made: %s", err_reason(errno));
    stream->input = ends[0];
    stream->output = ends[1];
    (void)fcntl(stream->output, F_SETPIPE_SZ, PIPE_SIZE); /* users have a limit: then it is smaller */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    failed = pthread_create(&stream->thread, &attributes, run, stream);
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed)
        return err_set(err, ERR_LIMIT, "no thread can be made: %s", err_reason(failed));
    stream->started = 1;
    return 0;
}

static void join(struct stream *stream)
{
    if (stream->started && !stream->joined)
        pthread_join(stream->thread, NULL);
    stream->joined = 1;
}

static ssize_t read_stream(struct layer_stream *base, void *bytes, size_t room, struct err *err)
{
    struct stream *stream = (struct stream *)base;
    ssize_t n;

    if (!stream->started && start(stream, err) < 0)
        return -1;
    do
        n = read(stream->input, bytes, room);
    while (n < 0 && errno == EINTR);
    if (n > 0)
        return n;
    if (n < 0)
        return err_set(err, ERR_SYSTEM, "a pipe cannot be read: %s", err_reason(errno));
    join(stream);
    if (stream->result == 0)
        return 0;
    *err = stream->err;
    return -1;
}

struct stream *stream_create(const char *name, struct arena *arena, struct err *err)
{
    struct stream *stream = calloc(1, sizeof(*stream));

    if (!stream) {
        err_set(err, ERR_NO_MEMORY, "no memory to read an image");
        return NULL;
    }
    arena_init(&stream->arena, arena->exhausted);
    stream->base.read = read_stream;
    stream->input = stream->output = -1;
    stream->name = str_quote(&stream->arena, name);
    stream->buffer = malloc(WORK_BUFFER_SIZE);
    stream->values = malloc(WORK_ATTRIBUTES_SIZE);
    stream->attributes = calloc(WORK_ATTRIBUTES_LIMIT, sizeof(*stream->attributes));
    if (stream->buffer && stream->values && stream->attributes)
        return stream;
    stream_close(stream);
    err_set(err, ERR_NO_MEMORY, "no memory to read an image");
    return NULL;
}

int stream_config(struct stream *stream, const char **bytes, size_t *length, struct arena *arena,
                  struct err *err)
{
    return stream->config(stream, bytes, length, arena, err);
}

struct layer stream_layer(struct stream *stream)
{
    return (struct layer){.fd = -1, .stream = &stream->base};
}

void stream_count(const struct stream *stream, struct stream_counts *counts)
{
    *counts = stream->counts;
}

void stream_close(struct stream *stream)
{
    if (!stream)
        return;
    fd_close(&stream->input); /* a thread that still writes is told so */
    join(stream);
    fd_close(&stream->output);
    if (stream->close)
        stream->close(stream);
    links_free(&stream->links);
    free(stream->buffer);
    free(stream->values);
    free(stream->attributes);
    arena_free(&stream->arena);
    free(stream);
}

#ifndef HAVE_SQUASHFUSE
struct stream *stream_of_file(int fd, const char *name, struct arena *arena, struct err *err)
{
    (void)fd, (void)arena;
    err_set(err, ERR_IMAGE_UNKNOWN, "%.300s: this build reads no SquashFS, as libsquashfuse was missing",
            name);
    return NULL;
}
#endif
