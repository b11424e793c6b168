/*
 * lane - a digest that a thread of its own makes, behind who gets the bytes.
 *
 *     struct checksum_lane *lane = checksum_lane_start(&sum);
 *     checksum_lane_add(lane, bytes, length);    for each piece
 *     checksum_lane_end(lane);                   now SUM has them all
 *     checksum_end(&sum, text);
 *
 * Inflating a layer and hashing what comes out of it are the two longest parts of what one
 * thread has to do for a pull; so they are done side by side.
 */
#ifndef CORACLE_CHECKSUM_LANE_H
#define CORACLE_CHECKSUM_LANE_H

#include "checksum/checksum.h"

/* Pieces that may wait or be worked on when checksum_lane_add() returns. */
enum { CHECKSUM_LANE_DEPTH = 2 };

struct checksum_lane;

/* SUM was begun, and is the lane's until checksum_lane_end(). NULL: no memory, or no thread. */
struct checksum_lane *checksum_lane_start(struct checksum *sum);

/*
 * Hands LENGTH BYTES over. They must stay as they are until CHECKSUM_LANE_DEPTH further calls
 * have returned, or the end.
 */
void checksum_lane_add(struct checksum_lane *lane, const void *bytes, size_t length);

/* Waits until all is added, and ends the thread. NULL is fine. */
void checksum_lane_end(struct checksum_lane *lane);

#endif
