#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/env.h"
#include "base/log.h"
#include "base/str.h"
#include "image-progress-state.h"

/* Seconds between two events for one layer. */
#define EVENT_PAUSE 0.25

void progress_rate_add(struct progress_rate *rate, uint64_t bytes)
{
    const double now = clock_seconds(), passed = now - rate->since;
    double speed;

    if (rate->since == 0 || bytes < rate->bytes) { /* what is there from before was not fetched now */
        *rate = (struct progress_rate){.since = now, .bytes = bytes};
        return;
    }
    if (passed < 0.5)
        return;
    speed = (double)(bytes - rate->bytes) / passed;
    rate->speed = rate->speed > 0 ? 0.6 * rate->speed + 0.4 * speed : speed;
    rate->since = now;
    rate->bytes = bytes;
}

enum progress_style progress_style(int json, int quiet, char *const environment[])
{
    const char *terminal = env_find(environment, "TERM");

    if (json)
        return PROGRESS_JSON;
    return !quiet && isatty(STDERR_FILENO) && terminal && *terminal && strcmp(terminal, "dumb") != 0
               ? PROGRESS_TERMINAL
               : PROGRESS_QUIET;
}

/* The lines make room for a message. */
static void before_message(void *opaque)
{
    struct progress *progress = opaque;

    pthread_mutex_lock(&progress->lock);
    progress_erase(progress);
}

static void after_message(void *opaque)
{
    struct progress *progress = opaque;

    pthread_mutex_unlock(&progress->lock);
}

struct progress *progress_open(enum progress_style style, struct arena *arena)
{
    struct progress *progress;

    if (style == PROGRESS_QUIET)
        return NULL;
    progress = arena_alloc(arena, sizeof(*progress));
    progress->style = style;
    progress->arena = arena;
    pthread_mutex_init(&progress->lock, NULL);
    if (style == PROGRESS_TERMINAL)
        log_set_around(before_message, after_message, progress);
    else
        signal(SIGPIPE, SIG_IGN);
    return progress;
}

/* Each function below is between these; 0: there is nobody to tell. */
static int enter(struct progress *progress)
{
    if (!progress)
        return 0;
    pthread_mutex_lock(&progress->lock);
    arena_init(&progress->scratch, progress->arena->exhausted);
    return 1;
}

static void leave(struct progress *progress)
{
    arena_free(&progress->scratch);
    pthread_mutex_unlock(&progress->lock);
}

void progress_close(struct progress *progress)
{
    if (!progress)
        return;
    log_set_around(NULL, NULL, NULL);
    pthread_mutex_lock(&progress->lock);
    progress_erase(progress);
    progress->style = PROGRESS_QUIET;
    pthread_mutex_unlock(&progress->lock);
    pthread_mutex_destroy(&progress->lock);
}

/* Shows what has changed; on a terminal at once where it MUST. */
static void show(struct progress *progress, int must)
{
    if (progress->style == PROGRESS_TERMINAL)
        progress_draw(progress, must);
}

void progress_resolved(struct progress *progress, const char *image, const char *digest, const char *platform)
{
    struct json_writer *json;

    if (!enter(progress))
        return;
    json = progress_event(progress, "resolved");
    if (json) {
        json_text(json, "image", image);
        json_text(json, "digest", digest);
        if (platform)
            json_text(json, "platform", platform);
        progress_event_end(progress);
    }
    leave(progress);
}

static const char *state_name(enum layer_state state)
{
    static const char *const names[] = {"wanted", "wanted", "there", "fetched"};

    return names[state];
}

static void tell_layer(struct progress *progress, size_t index)
{
    const struct layer_progress *layer = &progress->layers[index];
    struct json_writer *json = progress_event(progress, "layer");

    if (!json)
        return;
    json_number(json, "index", index);
    json_text(json, "digest", layer->digest);
    json_number(json, "size", layer->size);
    json_text(json, "state", state_name(layer->state));
    progress_event_end(progress);
}

static void tell_bytes(struct progress *progress, size_t index)
{
    struct layer_progress *layer = &progress->layers[index];
    struct json_writer *json;

    if (clock_seconds() < layer->told + EVENT_PAUSE || !(json = progress_event(progress, "progress")))
        return;
    layer->told = clock_seconds();
    json_number(json, "index", index);
    json_text(json, "digest", layer->digest);
    json_number(json, "bytes", layer->bytes);
    json_number(json, "size", layer->size);
    progress_event_end(progress);
}

static int has_earlier(const struct progress_layer *layers, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(layers[i].digest, layers[index].digest) == 0)
            return 1;
    return 0;
}

void progress_layers(struct progress *progress, const struct progress_layer *layers, size_t count,
                     size_t first)
{
    struct layer_progress *known;

    if (!enter(progress))
        return;
    known = arena_alloc(progress->arena, (count + 1) * sizeof(*known));
    progress->layers = known;
    progress->count = count;
    progress->first = first;
    for (size_t i = 0; i < count; i++) {
        known[i].digest = arena_strdup(progress->arena, layers[i].digest);
        known[i].size = layers[i].size;
        known[i].is_twin = has_earlier(layers, i);
        progress->total += layers[i].size;
        tell_layer(progress, i);
    }
    show(progress, 1);
    leave(progress);
}

void progress_size(struct progress *progress, uint64_t size)
{
    if (!enter(progress))
        return;
    progress->total = size;
    leave(progress);
}

static void set_state(struct progress *progress, size_t index, enum layer_state state)
{
    const char *digest = progress->layers[index].digest;

    for (size_t i = 0; i < progress->count; i++) {
        struct layer_progress *layer = &progress->layers[i];
        if (layer->state == state || strcmp(layer->digest, digest) != 0)
            continue;
        layer->state = state;
        if (state == LAYER_THERE || state == LAYER_FETCHED) {
            layer->bytes = layer->size;
            tell_layer(progress, i);
        }
    }
}

/* The layer that blob INDEX is, or COUNT. */
static size_t layer_of(const struct progress *progress, size_t index)
{
    return index >= progress->first && index - progress->first < progress->count ? index - progress->first
                                                                                 : progress->count;
}

static void note_bytes(struct progress *progress, size_t index, uint64_t bytes)
{
    struct layer_progress *layer = &progress->layers[index];

    layer->bytes = bytes;
    progress_rate_add(&layer->rate, bytes);
    if (bytes == layer->size) {
        set_state(progress, index, layer->state == LAYER_WANTED ? LAYER_THERE : LAYER_FETCHED);
    } else {
        set_state(progress, index, LAYER_COMING);
        tell_bytes(progress, index);
    }
}

int progress_fetched(void *opaque, size_t index, uint64_t bytes)
{
    struct progress *progress = opaque;
    uint64_t all = 0;

    if (!enter(progress))
        return 0;
    index = layer_of(progress, index);
    if (index < progress->count) {
        note_bytes(progress, index, bytes);
        for (size_t i = 0; i < progress->count; i++)
            all += progress->layers[i].is_twin ? 0 : progress->layers[i].bytes;
        if (progress->phase == PHASE_FETCHING)
            progress_rate_add(&progress->rate, all);
        show(progress, 0);
    }
    leave(progress);
    return 0;
}

void progress_there(struct progress *progress, size_t index)
{
    if (!enter(progress))
        return;
    index = layer_of(progress, index);
    if (index < progress->count)
        set_state(progress, index, LAYER_THERE);
    progress->rate.since = 0; /* nothing of it was fetched just now */
    show(progress, 0);
    leave(progress);
}

static void tell_flattening(struct progress *progress, int must)
{
    struct json_writer *json;

    if ((!must && clock_seconds() < progress->told + EVENT_PAUSE) ||
        !(json = progress_event(progress, "flattening")))
        return;
    progress->told = clock_seconds();
    json_number(json, "bytes", progress->flattened);
    if (progress->total)
        json_number(json, "size", progress->total);
    progress_event_end(progress);
}

static void set_phase(struct progress *progress, enum progress_phase phase)
{
    if (progress->phase == phase)
        return;
    progress->phase = phase;
    progress->rate = (struct progress_rate){0};
    if (phase == PHASE_FLATTENING)
        tell_flattening(progress, 1);
    show(progress, 1);
}

void progress_flatten_begin(struct progress *progress)
{
    if (!enter(progress))
        return;
    set_phase(progress, PHASE_FLATTENING);
    leave(progress);
}

void progress_flattened(void *opaque, uint64_t done)
{
    struct progress *progress = opaque;

    if (!enter(progress))
        return;
    set_phase(progress, PHASE_FLATTENING);
    /* A layer may be read twice. */
    progress->flattened = progress->total && done > progress->total ? progress->total : done;
    progress_rate_add(&progress->rate, progress->flattened);
    tell_flattening(progress, 0);
    show(progress, 0);
    leave(progress);
}

void progress_writing(struct progress *progress, const char *path)
{
    struct json_writer *json;

    if (!enter(progress))
        return;
    json = progress_event(progress, "writing");
    if (json) {
        json_text(json, "path", path);
        progress_event_end(progress);
    }
    set_phase(progress, PHASE_WRITING);
    leave(progress);
}

void progress_done(struct progress *progress, const char *path, uint64_t size, const char *digest)
{
    struct json_writer *json;

    if (!enter(progress))
        return;
    json = progress_event(progress, "done");
    if (json) {
        if (path)
            json_text(json, "path", path);
        if (size)
            json_number(json, "size", size);
        if (digest)
            json_text(json, "digest", digest);
        progress_event_end(progress);
    }
    if (progress->style == PROGRESS_TERMINAL)
        progress_draw_done(progress, path, size, digest);
    leave(progress);
}

void progress_failed(struct progress *progress, const struct err *err)
{
    struct json_writer *json;

    if (!enter(progress))
        return;
    json = progress_event(progress, "error");
    if (json) {
        json_text(json, "id", err_name(err->id));
        json_text(json, "message", err->text);
        progress_event_end(progress);
    }
    progress_erase(progress);
    leave(progress);
}
