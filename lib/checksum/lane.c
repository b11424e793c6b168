#include "checksum/lane.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

enum { ROOM = CHECKSUM_LANE_DEPTH + 1 };

struct piece {
    const void *bytes;
    size_t length;
};

struct checksum_lane {
    struct checksum *sum;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct piece pieces[ROOM]; /* of number N in N % ROOM */
    unsigned long added, done;
    int is_ending;
};

static void *run(void *data)
{
    struct checksum_lane *lane = data;

    pthread_mutex_lock(&lane->lock);
    for (;;) {
        struct piece piece;

        while (lane->done == lane->added && !lane->is_ending)
            pthread_cond_wait(&lane->changed, &lane->lock);
        if (lane->done == lane->added)
            break;
        piece = lane->pieces[lane->done % ROOM];
        pthread_mutex_unlock(&lane->lock);
        checksum_add(lane->sum, piece.bytes, piece.length);
        pthread_mutex_lock(&lane->lock);
        lane->done++;
        pthread_cond_signal(&lane->changed);
    }
    pthread_mutex_unlock(&lane->lock);
    return NULL;
}

/* Signals are for the thread that was there before. 0 or an error. */
static int start_thread(struct checksum_lane *lane)
{
    sigset_t all, before;
    int result;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    result = pthread_create(&lane->thread, NULL, run, lane);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return result;
}

struct checksum_lane *checksum_lane_start(struct checksum *sum)
{
    struct checksum_lane *lane = calloc(1, sizeof(*lane));

    if (!lane)
        return NULL;
    lane->sum = sum;
    pthread_mutex_init(&lane->lock, NULL);
    pthread_cond_init(&lane->changed, NULL);
    if (start_thread(lane) == 0)
        return lane;
    free(lane);
    return NULL;
}

void checksum_lane_add(struct checksum_lane *lane, const void *bytes, size_t length)
{
    pthread_mutex_lock(&lane->lock);
    lane->pieces[lane->added++ % ROOM] = (struct piece){bytes, length};
    pthread_cond_signal(&lane->changed);
    while (lane->added - lane->done > CHECKSUM_LANE_DEPTH)
        pthread_cond_wait(&lane->changed, &lane->lock);
    pthread_mutex_unlock(&lane->lock);
}

void checksum_lane_end(struct checksum_lane *lane)
{
    if (!lane)
        return;
    pthread_mutex_lock(&lane->lock);
    lane->is_ending = 1;
    pthread_cond_signal(&lane->changed);
    pthread_mutex_unlock(&lane->lock);
    pthread_join(lane->thread, NULL);
    pthread_mutex_destroy(&lane->lock);
    pthread_cond_destroy(&lane->changed);
    free(lane);
}
