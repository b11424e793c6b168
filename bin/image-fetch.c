#include "image-fetch.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fd.h"
#include "image-interrupt.h"

enum { LOOK_NS = 100 * 1000 * 1000 };

struct image_fetch {
    struct registry *registry;
    struct registry_blob *blobs; /* the top layer first */
    int *fds;                    /* of the layers, the lowest first; -1: not here */
    size_t count;
    int directory;
    struct progress *progress;
    pthread_t thread;
    pthread_mutex_t lock; /* of fds and what follows */
    pthread_cond_t changed;
    int has_ended, has_failed, is_given_up;
    struct err err;
};

static size_t layer_of(const struct image_fetch *fetch, size_t blob)
{
    return fetch->count - 1 - blob;
}

static int report(void *opaque, size_t index, uint64_t bytes)
{
    struct image_fetch *fetch = opaque;
    int is_given_up;

    progress_fetched(fetch->progress, layer_of(fetch, index) + 1, bytes);
    pthread_mutex_lock(&fetch->lock);
    is_given_up = fetch->is_given_up;
    pthread_mutex_unlock(&fetch->lock);
    return is_given_up;
}

/* A descriptor of our own: those of the blobs are closed where another one fails. */
static void arrived(void *opaque, size_t index)
{
    struct image_fetch *fetch = opaque;

    pthread_mutex_lock(&fetch->lock);
    fetch->fds[layer_of(fetch, index)] = fcntl(fetch->blobs[index].fd, F_DUPFD_CLOEXEC, 3);
    pthread_cond_broadcast(&fetch->changed);
    pthread_mutex_unlock(&fetch->lock);
}

static void *run(void *opaque)
{
    struct image_fetch *fetch = opaque;
    const struct registry_progress progress = {report, arrived, fetch};
    struct err err;
    int result =
        registry_blobs(fetch->registry, fetch->blobs, fetch->count, fetch->directory, &progress, &err);

    pthread_mutex_lock(&fetch->lock);
    if (result < 0)
        fetch->err = err;
    fetch->has_failed = result < 0;
    fetch->has_ended = 1;
    pthread_cond_broadcast(&fetch->changed);
    pthread_mutex_unlock(&fetch->lock);
    return NULL;
}

static void destroy(struct image_fetch *fetch)
{
    pthread_cond_destroy(&fetch->changed);
    pthread_mutex_destroy(&fetch->lock);
    free(fetch->blobs);
    free(fetch->fds);
    free(fetch);
}

/* Signals are for the thread that makes the image. */
static int start_thread(struct image_fetch *fetch)
{
    sigset_t all, before;
    int result;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    result = pthread_create(&fetch->thread, NULL, run, fetch);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return result;
}

struct image_fetch *image_fetch_start(struct registry *registry, const struct registry_blob *layers,
                                      size_t count, int directory, struct progress *progress, struct err *err)
{
    struct image_fetch *fetch = calloc(1, sizeof(*fetch));

    if (fetch) {
        fetch->blobs = calloc(count + 1, sizeof(*fetch->blobs));
        fetch->fds = calloc(count + 1, sizeof(*fetch->fds));
        pthread_mutex_init(&fetch->lock, NULL);
        pthread_cond_init(&fetch->changed, NULL);
        fetch->registry = registry;
        fetch->count = count;
        fetch->directory = directory;
        fetch->progress = progress;
    }
    for (size_t i = 0; fetch && fetch->blobs && fetch->fds && i < count; i++) {
        fetch->blobs[layer_of(fetch, i)] = layers[i];
        fetch->fds[i] = -1;
    }
    if (fetch && fetch->blobs && fetch->fds && start_thread(fetch) == 0)
        return fetch;
    if (fetch)
        destroy(fetch);
    err_set(err, ERR_NO_MEMORY, "no memory or thread to fetch layers with");
    return NULL;
}

/* The descriptor of layer INDEX, or of one that is the same; -1: not here. */
static int find(const struct image_fetch *fetch, size_t index)
{
    const char *name = fetch->blobs[layer_of(fetch, index)].name;

    for (size_t i = 0; i < fetch->count; i++)
        if (fetch->fds[i] >= 0 && strcmp(fetch->blobs[layer_of(fetch, i)].name, name) == 0)
            return fetch->fds[i];
    return -1;
}

static void wait_a_little(struct image_fetch *fetch)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += LOOK_NS;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&fetch->changed, &fetch->lock, &until);
}

int image_fetch_wait(struct image_fetch *fetch, size_t index, int *fd, struct err *err)
{
    pthread_mutex_lock(&fetch->lock);
    while ((*fd = find(fetch, index)) < 0 && !fetch->has_ended && !interrupt_came())
        wait_a_little(fetch);
    if (*fd < 0 && fetch->has_failed)
        *err = fetch->err;
    else if (*fd < 0 && fetch->has_ended)
        err_set(err, ERR_LIMIT, "no further file can be opened: `ulimit -n`");
    else if (*fd < 0)
        err_set(err, ERR_OUTPUT, "it was interrupted");
    pthread_mutex_unlock(&fetch->lock);
    return *fd < 0 ? -1 : 0;
}

void image_fetch_end(struct image_fetch *fetch)
{
    if (!fetch)
        return;
    pthread_mutex_lock(&fetch->lock);
    fetch->is_given_up = 1; /* it may only be beginning, and forget that it was stopped */
    pthread_mutex_unlock(&fetch->lock);
    registry_stop(fetch->registry);
    pthread_join(fetch->thread, NULL);
    for (size_t i = 0; i < fetch->count; i++) {
        fd_close(&fetch->fds[i]);
        fd_close(&fetch->blobs[i].fd);
    }
    destroy(fetch);
}
