/*
 * clock - the time since some moment that is the same for all processes of a node. Nobody sets
 * it, and while the machine is suspended it stands: CLOCK_MONOTONIC, clock_gettime(2).
 */
#ifndef CORACLE_BASE_CLOCK_H
#define CORACLE_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline int64_t clock_nanoseconds(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static inline int64_t clock_milliseconds(void)
{
    return clock_nanoseconds() / 1000000;
}

static inline double clock_seconds(void)
{
    return (double)clock_nanoseconds() / 1e9;
}

#endif
