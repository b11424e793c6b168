#include "checksum/lane.h"

#include <stdlib.h>

#include "../../tap.h"

enum { PIECES = 1000, LENGTH = 10000, ROOM = CHECKSUM_LANE_DEPTH + 1 };

static void fill(unsigned char *piece, unsigned number)
{
    for (size_t i = 0; i < LENGTH; i++)
        piece[i] = (unsigned char)(number * 31 + i);
}

/* Pieces are written over as soon as that is allowed. */
static void compare(unsigned count)
{
    static unsigned char pieces[ROOM][LENGTH];
    struct checksum alone = {0}, behind = {0};
    char wanted[CHECKSUM_TEXT], text[CHECKSUM_TEXT];
    struct checksum_lane *lane;

    checksum_begin(&alone, "sha256:");
    checksum_begin(&behind, "sha256:");
    lane = checksum_lane_start(&behind);
    TAP_TRUE(lane != NULL);
    for (unsigned i = 0; lane && i < count; i++) {
        fill(pieces[i % ROOM], i);
        checksum_add(&alone, pieces[i % ROOM], LENGTH - i % 7);
        checksum_lane_add(lane, pieces[i % ROOM], LENGTH - i % 7);
    }
    checksum_lane_end(lane);
    checksum_end(&alone, wanted);
    checksum_end(&behind, text);
    TAP_STR(text, wanted);
}

int main(void)
{
    compare(0);
    compare(1);
    compare(CHECKSUM_LANE_DEPTH + 1);
    compare(PIECES);
    checksum_lane_end(NULL);
    return tap_done();
}
