/*
 * watch - ends a server that computes on one request without end.
 *
 * Time is what the process has computed: waiting for storage does not count.
 */
#ifndef CORACLE_FUSE_WATCH_H
#define CORACLE_FUSE_WATCH_H

#include <stdint.h>

/* How long one request may compute. The largest block takes a hundredth. */
enum { WATCH_SECONDS = 5 };

/*
 * Begins to watch, before the jail is entered. *REQUESTS is odd while a request is answered and grows with
 * each. A process that is ended leaves a line in the log; the kernel then answers
 * whoever waits with an error.
 */
void watch_begin(const uint64_t *requests);

#endif
