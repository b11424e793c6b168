/*
 * turn - of the processes of a user on this node that need the same done, one does it, and
 * the others wait for its outcome.
 *
 * They meet at an abstract socket, as ranks do: whoever binds it has the turn, and the kernel
 * ends it with the process, however that ends: no file, no lock, nothing stale. unix(7)
 *
 *     switch (turn_take(&turn, "fetch /home/u/.cache/...", arena, &err)) {
 *     case TURN_OURS:   ... do it ...; turn_end(&turn, failure or NULL, 0); break;
 *     case TURN_DONE:   it is done, by another
 *     case TURN_OVER:   who had it ended without a word: take a turn again
 *     case TURN_FAILED: ERR is what it said to the one whose turn it was
 *     }
 */
#ifndef CORACLE_CACHE_TURN_H
#define CORACLE_CACHE_TURN_H

#include "base/arena.h"
#include "base/err.h"

struct turn {
    int listener;
};

enum turn_result { TURN_OURS, TURN_DONE, TURN_OVER, TURN_FAILED };

/*
 * Takes the turn for WHAT, or waits until the one who has it ends. Where the name is another
 * user's or that of something in a container of this one, or there is none, everyone has a
 * turn at once: what anybody may take must not make others wait, or be believed. Who waits
 * for a process that was stopped is told so, and after six seconds one of those who wait has the
 * turn, while the stopped one still believes that he has: what is done must be safe to be done twice.
 */
enum turn_result turn_take(struct turn *turn, const char *what, struct arena *arena, struct err *err);

/* Milliseconds: a LINGER for ranks of one launch, which begin within moments, and the longest of all. */
enum { TURN_LINGER = 500, TURN_LINGER_MOST = 5000 };

/*
 * Tells those who wait: FAILURE, or NULL: it is done. A failure, which can be quick, is told to
 * those too who come later, until none has come for LINGER milliseconds, or TURN_LINGER_MOST
 * are over. 0: to nobody else. Other users can connect as well: they are told nothing, and do
 * not count.
 */
void turn_end(struct turn *turn, const struct err *failure, int linger);

#endif
