/*
 * image-progress - how far a pull is: for who looks at a terminal, for programs, or not at all.
 *
 *     struct progress *progress = progress_open(style, arena);
 *     progress_resolved(progress, "docker.io/library/debian:12", digest, "linux/amd64");
 *     progress_layers(progress, layers, count, 1);
 *     registry_blobs(..., &(struct registry_progress){progress_fetched, NULL, progress}, err);
 *     progress_flatten_begin(progress);
 *     request.progress = progress_flattened, request.progress_data = progress;
 *     progress_done(progress, path, size, digest);          or progress_failed(progress, err)
 *     progress_close(progress);
 *
 * - PROGRESS_TERMINAL: lines on standard error, one for each layer and one for all, which are
 *   rewritten at most ten times a second and make room for one that says what was made. The cursor stands
 * below them at the start of a line, always: who is killed leaves a terminal in order. Where the terminal is
 * lower than that, only layers that are on their way have a line. Messages of base/log.h come out above them.
 * - PROGRESS_JSON: one object a line on standard output (doc/options.md). Where nobody reads
 *   them any more there is one warning, and the work goes on: the image is what was asked for.
 *   SIGPIPE is ignored for that.
 * - PROGRESS_QUIET: nothing.
 *
 * progress_open(), progress_layers() and progress_close() are for one thread, the others for any
 * at any time between; PROGRESS may be NULL: quiet. At most one progress is open in a
 * process. Nothing here fails.
 */
#ifndef CORACLE_BIN_IMAGE_PROGRESS_H
#define CORACLE_BIN_IMAGE_PROGRESS_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

enum progress_style { PROGRESS_QUIET, PROGRESS_TERMINAL, PROGRESS_JSON };

/* PROGRESS_JSON where JSON; a terminal where standard error is one, TERM says what kind, and not QUIET. */
enum progress_style progress_style(int json, int quiet, char *const environment[]);

/*
 * Belongs to ARENA, which is used by these functions only under the progress's lock: give it one of
 * its own.
 */
struct progress *progress_open(enum progress_style style, struct arena *arena);
void progress_close(struct progress *progress);

/* The name IMAGE is the manifest DIGEST; PLATFORM: "linux/amd64", or NULL. */
void progress_resolved(struct progress *progress, const char *image, const char *digest,
                       const char *platform);

struct progress_layer {
    const char *digest;
    uint64_t size;
};

/*
 * The layers, the lowest first. FIRST: the index that the first of them has in
 * progress_fetched() (1 where blob 0 is the configuration; other indexes are passed over).
 * Texts are copied.
 */
void progress_layers(struct progress *progress, const struct progress_layer *layers, size_t count,
                     size_t first);

/*
 * In place of these: one that has no digest, of SIZE bytes. Of neither: nobody knows how much will
 * be read.
 */
void progress_size(struct progress *progress, uint64_t size);

/* A registry_progress.report: BYTES of blob INDEX are here. 0. */
int progress_fetched(void *progress, size_t index, uint64_t bytes);

/* Layer INDEX, as in progress_fetched(), was here already: nothing of it is fetched. */
void progress_there(struct progress *progress, size_t index);

/* Layers are flattened from now on; then a flatten_request.progress: DONE bytes of them were read. */
void progress_flatten_begin(struct progress *progress);
void progress_flattened(void *progress, uint64_t done);

/* The output is being completed (from finish of the sink on). */
void progress_writing(struct progress *progress, const char *path);

/* PATH is whole, of SIZE bytes (0: a directory); DIGEST is that of the manifest. Either may be NULL. */
void progress_done(struct progress *progress, const char *path, uint64_t size, const char *digest);

/* Before log_error(): the event, and a terminal without lines. */
void progress_failed(struct progress *progress, const struct err *err);

#endif
