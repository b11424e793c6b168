/* image-progress-state - what a progress knows. For bin/image-progress*.c. */
#ifndef CORACLE_BIN_IMAGE_PROGRESS_STATE_H
#define CORACLE_BIN_IMAGE_PROGRESS_STATE_H

#include <pthread.h>

#include "base/json.h"
#include "image-progress.h"

/* Bytes per second, of late. */
struct progress_rate {
    double since; /* CLOCK_MONOTONIC; 0: nothing was seen yet */
    uint64_t bytes;
    double speed;
};

enum layer_state { LAYER_WANTED, LAYER_COMING, LAYER_THERE, LAYER_FETCHED };

struct layer_progress {
    const char *digest;
    uint64_t size, bytes;
    enum layer_state state;
    int is_twin; /* of an earlier layer with the same digest: it is not fetched */
    struct progress_rate rate;
    double told; /* when the last event was written */
};

enum progress_phase { PHASE_FETCHING, PHASE_FLATTENING, PHASE_WRITING };

struct progress {
    pthread_mutex_t lock;
    enum progress_style style;
    struct arena *arena;  /* the caller's */
    struct arena scratch; /* of one call */
    struct layer_progress *layers;
    size_t count, first;
    enum progress_phase phase;
    uint64_t flattened, total; /* bytes */
    struct progress_rate rate; /* of what the phase does */
    double told;               /* of flattening: when the last event was written */
    /* PROGRESS_TERMINAL: */
    unsigned lines; /* that stand above the cursor */
    double drawn;
    /* PROGRESS_JSON: */
    struct str text;
    struct json_writer json;
};

/* Takes into account that BYTES are done. */
void progress_rate_add(struct progress_rate *rate, uint64_t bytes);

/* image-progress-terminal.c; both with the lock held. MUST: even if the last time was just now. */
void progress_draw(struct progress *progress, int must);
void progress_erase(struct progress *progress);
void progress_draw_done(struct progress *progress, const char *path, uint64_t size, const char *digest);

/* image-progress-json.c; with the lock held. An event: begin, members, end. */
struct json_writer *progress_event(struct progress *progress, const char *name);
void progress_event_end(struct progress *progress);

#endif
